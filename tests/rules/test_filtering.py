"""Rows that are chosen while the net runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.findings import Severity
from nanlint.rules.filtering import filtered_rows, no_such_row
from tests.rules.nets import data, layer, train_net


def filtered(keep: str, above: str) -> str:
    return data(4, 3) + data(4, name="keep", filler=keep) + layer("Filter", "x keep", "f") + above


def test_no_row_is_left_for_a_softmax(tmp_path: Path) -> None:
    net = train_net(tmp_path, filtered('type: "constant" value: 0', layer("Softmax", "f", "s")))
    [problem] = filtered_rows(net)
    assert problem.layer == "s"
    assert problem.severity is None
    assert "cannot work on an empty batch" in problem.message


def test_all_rows_stay(tmp_path: Path) -> None:
    net = train_net(tmp_path, filtered('type: "constant" value: 1', layer("Eltwise", "f x", "s")))
    assert list(filtered_rows(net)) == []


@pytest.mark.parametrize(
    "above",
    [
        layer("Eltwise", "f x", "s"),
        layer("Reshape", "f", "s", "reshape_param { shape { dim: 4 dim: 3 } }"),
        layer("InnerProduct", "f", "s", "inner_product_param { num_output: 2 axis: 0 }"),
    ],
)
def test_some_rows_may_go_and_the_layer_above_cannot_do_without(tmp_path: Path, above: str) -> None:
    [problem] = filtered_rows(train_net(tmp_path, filtered('type: "gaussian"', above)))
    assert problem.layer == "s"
    assert problem.severity is Severity.WARNING


def test_layers_that_take_any_batch(tmp_path: Path) -> None:
    above = layer("Reshape", "f", "s", "reshape_param { shape { dim: 0 dim: -1 } }")
    assert list(filtered_rows(train_net(tmp_path, filtered('type: "gaussian"', above)))) == []


@pytest.mark.parametrize(("index", "is_wrong"), [(0, False), (3, False), (4, True), (-1, True)])
def test_rows_that_are_not_there(tmp_path: Path, index: int, is_wrong: bool) -> None:
    text = data(4, 3) + data(2, name="i", filler=f'type: "constant" value: {index}') + layer("BatchReindex", "x i", "y")
    assert bool(list(no_such_row(train_net(tmp_path, text)))) is is_wrong

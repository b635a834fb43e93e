"""Blobs without an element, and rows that are chosen while the net runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.findings import Severity
from nanlint.rules.empty_blobs import empty_at_forward, empty_output, filtered_rows, no_such_row
from tests.rules.nets import data, layer, solver, train_net


def test_the_layer_that_makes_an_empty_blob_is_named_once(tmp_path: Path) -> None:
    net = train_net(
        tmp_path,
        data(2, 3, 4, 4)
        + layer("Pooling", "x", "p", "pooling_param { kernel_size: 5 stride: 1 }")
        + layer("ReLU", "p", "r"),
    )
    [problem] = empty_at_forward(net)
    assert "`p` makes `p` 2 x 3 x 0 x 0, which holds no element" in problem.message


def test_the_first_reader_of_an_input_without_a_shape_is_named(tmp_path: Path) -> None:
    net = train_net(tmp_path, 'layer { name: "in" type: "Input" top: "x" }\n' + layer("ReLU", "x", "r"))
    [problem] = empty_at_forward(net)
    assert "`r` reads `x`, which `in` makes without a shape" in problem.message


def test_an_empty_output_is_printed(tmp_path: Path) -> None:
    text = 'layer { name: "in" type: "Input" top: "x" }\n'
    assert [p.layer for p in empty_output(solver(tmp_path, text, "display: 1"))] == ["in"]
    assert list(empty_output(solver(tmp_path, text, ""))) == []


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

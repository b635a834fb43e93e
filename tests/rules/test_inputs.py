"""Inputs: transforms that differ, means in the wrong unit, targets that nobody scaled."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.rules.inputs import (
    large_regression_targets,
    mean_below_scale,
    test_transform_differs,
    unscaled_pixels,
)
from tests.analysis import nets

test_transform_differs.__test__ = False  # type: ignore[attr-defined]
TESTED = "test_iter: 1\ntest_interval: 1\n"


def pixels(transform: str, phase: str) -> str:
    return f"""layer {{ name: "data" type: "Data" top: "data" top: "target" include {{ phase: {phase} }}
      data_param {{ source: "{phase}" batch_size: 4 }} transform_param {{ crop_size: 8 {transform} }} }}"""


def classifier(train: str, test: str) -> str:
    text = pixels(train, "TRAIN") + pixels(test, "TEST") + nets.inner_product("a", "data", 4, 'type: "xavier"')
    return text + nets.loss("a", "SoftmaxWithLoss")


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        ("scale: 0.1", "scale: 0.1", []),
        ("scale: 0.1", "", ["scale"]),
        ("mean_value: 1 mean_value: 1 mean_value: 1", "mean_value: 1", []),
        ('mean_file: "a"', 'mean_file: "b"', []),
        ('mean_file: "a"', "", ["mean"]),
        ("mirror: true", "mirror: false", []),
    ],
)
def test_transforms_of_training_and_test(tmp_path: Path, train: str, test: str, expected: list[str]) -> None:
    solver = nets.solver(tmp_path, classifier(train, test), nets.SGD + TESTED)
    found = [problem.message.split()[1] for problem in test_transform_differs(solver)]
    assert found == expected


@pytest.mark.parametrize(("transform", "expected"), [("", 1), ("scale: 0.01", 0), ("mean_value: 120", 0)])
def test_bytes_without_mean_or_scale(tmp_path: Path, transform: str, expected: int) -> None:
    solver = nets.solver(tmp_path, classifier(transform, transform), nets.SGD + TESTED)
    assert len(list(unscaled_pixels(solver))) == expected


@pytest.mark.parametrize(
    ("transform", "expected"),
    [("mean_value: 0.5 scale: 0.0039", 1), ("mean_value: 127.5 scale: 0.0039", 0), ("mean_value: 0.5", 0)],
)
def test_a_mean_is_in_bytes(tmp_path: Path, transform: str, expected: int) -> None:
    layer = nets.net(tmp_path, classifier(transform, transform)).layers[0]
    assert len(list(mean_below_scale(layer))) == expected


@pytest.mark.parametrize(("target", "expected"), [("value: 1", 0), ("value: 50", 1)])
def test_targets_of_a_regression(tmp_path: Path, target: str, expected: int) -> None:
    text = nets.dummy("value: 1", target) + nets.inner_product("a", "data", 4, 'type: "xavier"') + nets.loss("a")
    layer = nets.net(tmp_path, text).layers[-1]
    assert len(list(large_regression_targets(layer))) == expected

"""What layers of forks refuse in nets, and what they may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.findings import Severity
from tests.rules.nets import data, layer, train_net


@pytest.mark.parametrize(("settings", "problems"), [("gamma: 2 alpha: 0.25", 0), ("gamma: -1", 1), ("alpha: 0", 1)])
def test_the_domain_of_the_focal_loss(tmp_path: Path, settings: str, problems: int) -> None:
    text = data(2, 3) + data(2, name="y") + layer("FocalLoss", "x y", "l", f"focal_loss_param {{ {settings} }}")
    assert len([*train_net(tmp_path, text).found("value-out-of-range")]) == problems


@pytest.mark.parametrize(("numbers", "problems"), [(28, 0), (84, 1)])
def test_boxes_of_as_many_classes_as_the_data_layer_has(tmp_path: Path, numbers: int, problems: int) -> None:
    tops = " ".join(f'top: "t{i}"' for i in range(6))
    settings = "module: 'roi_data_layer.layer' layer: 'RoIDataLayer' param_str: \"'num_classes': 7\""
    source = f'layer {{ name: "rois" type: "Python" {tops} python_param {{ {settings} }} }}\n'
    net = train_net(tmp_path, source + data(4, numbers) + layer("SmoothL1Loss", "x t3 t4 t5", "loss"))
    assert len([*net.found("shape-mismatch")]) == problems


def test_forks_have_layers_with_more_tops(tmp_path: Path) -> None:
    text = data(4, 7) + data(4, name="y") + layer("SoftmaxWithLoss", "x y", "l", 'top: "m" top: "n"')
    [problem] = train_net(tmp_path, text).found("wrong-top-count")
    assert problem.severity is None
    [problem] = train_net(tmp_path, text + layer("ReLU6", "x", "r")).found("wrong-top-count")
    assert problem.severity is Severity.INFO


def test_a_python_layer_may_have_parameters(tmp_path: Path) -> None:
    settings = "param { lr_mult: 0 } python_param { module: 'm' layer: 'L' }"
    net = train_net(tmp_path, data(4, 7) + layer("Python", "x", "p", settings))
    assert net.problems == []
    assert [learned.lr_mult for learned in net.params] == [0]

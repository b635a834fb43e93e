"""Labels outside the classes, and scores that are no probabilities."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.rules.labels import center_loss_classes, fewer_scores_than_classes
from tests.caffe.one_net import layer as one_layer
from tests.rules.nets import data, last, layer, train_net
from tests.rules.non_finite import GAUSSIAN, names, source

CLASSES = "inner_product_param { num_output: 7 }"


def centers(settings: str) -> str:
    return (
        data(4, 5)
        + data(4, name="y", filler='type: "constant"')
        + layer("InnerProduct", "x", "score", CLASSES)
        + layer("SoftmaxWithLoss", "score y", "loss")
        + layer("CenterLoss", "x y", "center", settings)
    )


@pytest.mark.parametrize(("number", "problems"), [(6, 1), (7, 0), (9, 0)])
def test_a_center_for_each_class(tmp_path: Path, number: int, problems: int) -> None:
    net = train_net(tmp_path, centers(f"center_loss_param {{ num_output: {number} }}"))
    assert len([*center_loss_classes(last(net))]) == problems


@pytest.mark.parametrize(("classes", "problems"), [(7, 0), (5, 0), (21, 1)])
def test_labels_of_a_python_layer(tmp_path: Path, classes: int, problems: int) -> None:
    settings = f"module: 'roi_data_layer.layer' layer: 'RoIDataLayer' param_str: \"'num_classes': {classes}\""
    net = train_net(
        tmp_path,
        data(4, 5)
        + f'layer {{ name: "rois" type: "Python" top: "y" python_param {{ {settings} }} }}\n'
        + layer("InnerProduct", "x", "score", CLASSES)
        + layer("SoftmaxWithLoss", "score y", "loss"),
    )
    assert len([*fewer_scores_than_classes(last(net))]) == problems


@pytest.mark.parametrize(("label", "found"), [("4", ["label-out-of-range"]), ("3", []), ("-1", ["label-out-of-range"])])
def test_labels_outside_the_classes(label: str, found: list[str]) -> None:
    scores = source(GAUSSIAN, "8 4") + source(f'type: "constant" value: {label}', "8", "t")
    assert names(scores + one_layer("SoftmaxWithLoss", "x t", "loss")) == found


def test_an_ignored_label_is_in_order() -> None:
    scores = source(GAUSSIAN, "8 4") + source('type: "constant" value: 255', "8", "t")
    assert names(scores + one_layer("SoftmaxWithLoss", "x t", "loss", "loss_param { ignore_label: 255 }")) == []


def test_losses_that_square_overflow_and_softmax_does_not() -> None:
    far = source('type: "constant" value: 1e20', "8 4") + source('type: "constant" value: 1', "8 4", "t")
    assert names(far + one_layer("EuclideanLoss", "x t", "loss")) == ["infinite-loss"]
    label = source('type: "constant" value: 1', "8", "t")
    wild = source('type: "uniform" min: -1e30 max: 1e30', "8 4")
    assert names(wild + label + one_layer("SoftmaxWithLoss", "x t", "loss")) == []


def test_one_class() -> None:
    text = source(GAUSSIAN, "8 1") + source('type: "constant" value: 0', "8", "t")
    assert names(text + one_layer("SoftmaxWithLoss", "x t", "loss")) == ["softmax-of-one-class"]

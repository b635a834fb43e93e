"""Gradients that a layer is asked for and cannot compute."""

from __future__ import annotations

from pathlib import Path

from nanlint.findings import Severity
from nanlint.rules.gradients import impossible_gradient
from tests.rules.nets import data, layer, train_net

IP = "inner_product_param { num_output: 3 weight_filler { type: 'xavier' } }"
LEARNED = data(2, 3) + layer("InnerProduct", "x", "h", IP)


def test_a_label_that_is_learned(tmp_path: Path) -> None:
    labels = data(2, 3) + layer("InnerProduct", "x", "h", IP.replace("3", "1"))
    net = train_net(tmp_path, labels + data(2, 3, name="y") + layer("SoftmaxWithLoss", "y h", "loss"))
    [problem] = impossible_gradient(net)
    assert "cannot compute the gradient of `h`" in problem.message
    assert "swap the bottoms" in problem.message
    assert [related.message for related in problem.related] == ["`h` learns, so its gradient is asked for"]


def test_propagate_down_to_a_label(tmp_path: Path) -> None:
    text = LEARNED + data(2, name="y")
    text += layer("SoftmaxWithLoss", "h y", "loss", "propagate_down: true propagate_down: true")
    [problem] = impossible_gradient(train_net(tmp_path, text))
    assert "by `propagate_down: true`" in problem.message


def test_a_threshold_between_a_loss_and_what_learns(tmp_path: Path) -> None:
    text = LEARNED + layer("Threshold", "h", "t") + layer("Reduction", "t", "r", "loss_weight: 1")
    [problem] = impossible_gradient(train_net(tmp_path, text))
    assert problem.layer == "t"


def test_nothing_learns_below(tmp_path: Path) -> None:
    text = data(2, 3) + layer("Threshold", "x", "t") + layer("Reduction", "t", "r", "loss_weight: 1")
    assert list(impossible_gradient(train_net(tmp_path, text))) == []


def test_both_sides_of_a_euclidean_loss_may_learn(tmp_path: Path) -> None:
    text = LEARNED + layer("InnerProduct", "x", "g", IP) + layer("EuclideanLoss", "h g", "loss")
    assert list(impossible_gradient(train_net(tmp_path, text))) == []


def test_a_layer_that_nanlint_does_not_know_may_stop_the_gradient(tmp_path: Path) -> None:
    text = LEARNED + layer("MyOwn", "h", "y") + layer("SoftmaxWithLoss", "h y", "loss")
    [problem] = impossible_gradient(train_net(tmp_path, text))
    assert problem.severity is Severity.WARNING

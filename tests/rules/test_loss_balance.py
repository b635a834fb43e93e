"""Losses that outweigh, sum up, or weigh their examples and classes wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.caffe.model import Layer
from nanlint.findings import Effect
from nanlint.rules.loss_balance import (
    center_loss_weight,
    center_rate,
    class_weights,
    multi_box_sum,
    multi_box_without_examples,
    summed_loss,
    unbalanced_losses,
    unweighted_box_loss,
    zero_sigma,
)
from tests.analysis import nets
from tests.rules.nets import data, last, layer, solver, train_net

CLASSES = "inner_product_param { num_output: 7 }"


def boxes(folder: Path, settings: str, loss: str = "") -> Layer:
    inputs = "".join(data(1, 8, name=name) for name in ("loc", "conf", "prior", "label"))
    settings = f"multibox_loss_param {{ num_classes: 2 {settings} }} loss_param {{ {loss} }}"
    return last(train_net(folder, inputs + layer("MultiBoxLoss", "loc conf prior label", "l", settings)))


def centers(settings: str) -> str:
    return (
        data(4, 5)
        + data(4, name="y", filler='type: "constant"')
        + layer("InnerProduct", "x", "score", CLASSES)
        + layer("SoftmaxWithLoss", "score y", "loss")
        + layer("CenterLoss", "x y", "center", settings)
    )


@pytest.mark.parametrize(("sigma", "problems"), [("0", 1), ("1e-30", 1), ("3", 0), ("1e30", 0)])
def test_only_a_sigma_of_zero_is_bad(tmp_path: Path, sigma: str, problems: int) -> None:
    net = train_net(
        tmp_path,
        data(2, 8)
        + data(2, 8, name="t")
        + layer("SmoothL1Loss", "x t", "l", f"smooth_l1_loss_param {{ sigma: {sigma} }}"),
    )
    assert len([*zero_sigma(last(net))]) == problems


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        ("", 0),
        ("neg_pos_ratio: 0", 1),
        ("neg_overlap: 0", 1),
        ("neg_pos_ratio: 0 mining_type: NONE", 0),
        ("neg_pos_ratio: 0 do_neg_mining: false", 0),
        ("overlap_threshold: 1.5", 1),
        ("overlap_threshold: 1.5 match_type: BIPARTITE", 0),
    ],
)
def test_boxes_to_learn_from(tmp_path: Path, settings: str, problems: int) -> None:
    assert len([*multi_box_without_examples(boxes(tmp_path, settings))]) == problems


@pytest.mark.parametrize(
    ("settings", "loss", "problems"),
    [
        ("", "", 0),
        ("", "normalization: NONE", 1),
        ("mining_type: NONE", "", 1),
        ("mining_type: NONE", "normalization: FULL", 0),
        ("mining_type: NONE conf_loss_type: LOGISTIC", "", 0),
    ],
)
def test_the_sum_over_boxes(tmp_path: Path, settings: str, loss: str, problems: int) -> None:
    assert len([*multi_box_sum(boxes(tmp_path, settings, loss))]) == problems


@pytest.mark.parametrize(("weight", "problems"), [("", 1), ("loss_weight: 2", 1), ("loss_weight: 0.008", 0)])
def test_the_weight_of_the_center_loss(tmp_path: Path, weight: str, problems: int) -> None:
    net = train_net(tmp_path, centers(f"{weight} center_loss_param {{ num_output: 7 }}"))
    assert len([*center_loss_weight(last(net))]) == problems


@pytest.mark.parametrize(("rate", "problems"), [("0.1", 0), ("2", 1)])
def test_centers_that_overshoot(tmp_path: Path, rate: str, problems: int) -> None:
    settings = f"base_lr: {rate} lr_policy: 'fixed' max_iter: 9"
    found = center_rate(solver(tmp_path, centers("center_loss_param { num_output: 7 }"), settings))
    assert len([*found]) == problems


@pytest.mark.parametrize(
    ("weights", "effect"),
    [
        ([1, 2, 3, 4, 5, 6, 7], None),
        ([1, 2], Effect.SETUP_FAILURE),
        ([1, 2, -3, 4, 5, 6, 7], Effect.DIVERGENCE),
        ([0] * 7, Effect.NO_LEARNING),
    ],
)
def test_class_weights(tmp_path: Path, weights: list[int], effect: Effect | None) -> None:
    written = " ".join(f"class_weighting: {weight}" for weight in weights)
    loss = f"loss_param {{ weight_by_label_freqs: true {written} }}"
    net = train_net(
        tmp_path,
        data(4, 5)
        + data(4, name="y")
        + layer("InnerProduct", "x", "score", CLASSES)
        + layer("SoftmaxWithLoss", "score y", "loss", loss),
    )
    assert [problem.effect for problem in class_weights(last(net))] == ([effect] if effect else [])


@pytest.mark.parametrize(("weights", "problems"), [("", 1), ("inside_weights outside_weights", 0)])
def test_boxes_are_compared_with_their_weights(tmp_path: Path, weights: str, problems: int) -> None:
    tops = " ".join(f'top: "{top}"' for top in ("targets", "inside_weights", "outside_weights"))
    source = f'layer {{ name: "rois" type: "Python" {tops} python_param {{ module: "m" layer: "L" }} }}\n'
    net = train_net(tmp_path, data(4, 8) + source + layer("SmoothL1Loss", f"x targets {weights}", "loss"))
    assert len([*unweighted_box_loss(last(net))]) == problems


XAVIER = 'type: "xavier"'
GAUSSIAN = 'type: "gaussian" std: 1'


def maps(kind: str, more: str = "") -> str:
    """A convolution over 16 x 16 positions under a loss."""
    shape = "dim: 4 dim: 1 dim: 16 dim: 16"
    return (
        nets.dummy(GAUSSIAN, "value: 1", (4, 3, 16, 16), shape)
        + f"""layer {{ name: "score" type: "Convolution" bottom: "data" top: "score" convolution_param {{
            num_output: 1 kernel_size: 3 pad: 1 weight_filler {{ {XAVIER} }} }} }}"""
        + nets.loss("score", kind, more)
    )


def at_rate(rate: float, more: str = "") -> str:
    return f'base_lr: {rate}\nlr_policy: "fixed"\nmax_iter: 100\n{more}'


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("SigmoidCrossEntropyLoss", "", 1),
        ("SigmoidCrossEntropyLoss", "loss_param { normalization: VALID }", 0),
        ("SoftmaxWithLoss", "", 0),
        ("SoftmaxWithLoss", "loss_param { normalize: false }", 1),
        ("SoftmaxWithLoss", "loss_param { normalization: NONE }", 1),
        ("SoftmaxWithLoss", "loss_param { normalization: NONE } loss_weight: 0.0001", 0),
        ("EuclideanLoss", "", 1),
        ("EuclideanLoss", "loss_weight: 0.001", 0),
    ],
)
def test_sums_over_maps(tmp_path: Path, kind: str, more: str, expected: int) -> None:
    solver = nets.solver(tmp_path, maps(kind, more), at_rate(0.1))
    assert len(list(summed_loss(solver))) == expected


def test_a_clipped_run_may_sum(tmp_path: Path) -> None:
    solver = nets.solver(tmp_path, maps("EuclideanLoss"), at_rate(0.1, "clip_gradients: 1"))
    assert list(summed_loss(solver)) == []


@pytest.mark.parametrize(("weight", "expected"), [("0.5", 0), ("1e-6", 1)])
def test_losses_that_share_weights(tmp_path: Path, weight: str, expected: int) -> None:
    text = nets.dummy(GAUSSIAN, "value: 1") + nets.inner_product("trunk", "data", 16, XAVIER)
    text += nets.inner_product("a", "trunk", 4, XAVIER) + nets.inner_product("b", "trunk", 4, XAVIER)
    text += nets.loss("a") + nets.loss("b", more=f"loss_weight: {weight}").replace('"loss"', '"second"')
    found = list(unbalanced_losses(nets.net(tmp_path, text)))
    assert len(found) == expected

"""What keeps layers from learning."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from nanlint.caffe.model import Net
from nanlint.findings import Problem
from nanlint.rules import no_gradient
from tests.caffe.one_net import LOSS, data, inner_product, layer, net
from tests.rules.nets import layers_found
from tests.rules.solving import LINE, found

RUN = 'lr_policy: "fixed" base_lr: 0.1 max_iter: 20 '

XY = data("2 3", "2")
IP = inner_product("x", "h")
SOUND = XY + IP + LOSS
WEIGHTED = LOSS.replace('top: "loss"', 'top: "loss" loss_weight: 2')
TWO_WEIGHTS = layer("Slice", "h", "p q", "slice_param { slice_point: 1 } loss_weight: 1 loss_weight: 2")


@pytest.mark.parametrize(
    ("rule", "text", "layers"),
    [
        (no_gradient.no_loss, XY + IP, ["h"]),
        (no_gradient.no_loss, SOUND, []),
        (no_gradient.no_loss, XY, []),
        (no_gradient.loss_cut_off, SOUND + layer("Silence", "loss"), ["loss"]),
        (no_gradient.loss_cut_off, XY + IP + WEIGHTED + layer("Silence", "loss"), []),
        (no_gradient.loss_cut_off, SOUND, []),
        (no_gradient.loss_counted_twice, XY + IP + WEIGHTED + layer("Silence", "loss"), ["loss"]),
        (no_gradient.loss_counted_twice, SOUND + layer("Power", "loss", "p", "loss_weight: 3"), ["loss"]),
        (no_gradient.loss_counted_twice, SOUND, []),
        (no_gradient.dropped_loss_weight, XY + IP + TWO_WEIGHTS + layer("Silence", "p"), ["p"]),
        (no_gradient.dropped_loss_weight, XY + IP + TWO_WEIGHTS, []),
        (no_gradient.weights_without_loss, SOUND + inner_product("x", "extra"), ["extra"]),
        (
            no_gradient.weights_without_loss,
            SOUND + inner_product("x", "e", settings="param { lr_mult: 0 } " * 2),
            [],
        ),
        (no_gradient.weights_without_loss, SOUND, []),
    ],
)
def test_what_keeps_layers_from_learning(
    rule: Callable[[Net], Iterable[Problem]], text: str, layers: list[str]
) -> None:
    assert layers_found(rule, net(text)) == layers


def test_a_net_that_no_solver_trains_needs_no_loss() -> None:
    assert layers_found(no_gradient.no_loss, net(XY + IP), trained=False) == []


@pytest.mark.parametrize(
    ("param", "said"),
    [
        ("lr_mult: 0", "error everything-frozen"),
    ],
)
def test_a_net_of_frozen_weights(tmp_path: Path, param: str, said: str) -> None:
    net = LINE.replace('top: "out"', f'top: "out" param {{ {param} }}')
    assert said in found(tmp_path, RUN, net)


def test_a_loss_without_a_trained_weight_below(tmp_path: Path) -> None:
    net = LINE + 'layer { name: "idle" type: "EuclideanLoss" bottom: "x" bottom: "y" top: "idle" }'
    assert "warning loss-reaches-no-weight" in found(tmp_path, RUN, net)
    assert "warning loss-reaches-no-weight" not in found(tmp_path, RUN)

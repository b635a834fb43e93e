"""What keeps layers from learning, and how nets hang together, by the rules that say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from nanlint.caffe.model import Net
from nanlint.findings import Problem
from nanlint.rules import graph, learning, resize
from tests.caffe.one_net import LOSS, data, inner_product, layer, net

Rule = Callable[[Net], Iterable[Problem]]
XY = data("2 3", "2")
IP = inner_product("x", "h")
SOUND = XY + IP + LOSS
WEIGHTED = LOSS.replace('top: "loss"', 'top: "loss" loss_weight: 2')
TWO_WEIGHTS = layer("Slice", "h", "p q", "slice_param { slice_point: 1 } loss_weight: 1 loss_weight: 2")

CUBE = layer("Power", "h", "h", "power_param { power: 3 }", name="t")
PRODUCT = inner_product("x", "g") + layer("Eltwise", "h g", "h", "eltwise_param { operation: PROD %s }", name="t")
SCALED = layer("Scale", "h", "h", name="d")


def found(rule: Rule, text: str, trained: bool = True) -> list[str]:
    """The layers at which a rule finds something."""
    built = net(text)
    built.trained = trained
    return [problem.layer or "" for problem in rule(built)]


@pytest.mark.parametrize(
    ("rule", "text", "layers"),
    [
        (learning.no_loss, XY + IP, ["h"]),
        (learning.no_loss, SOUND, []),
        (learning.no_loss, XY, []),
        (learning.loss_cut_off, SOUND + layer("Silence", "loss"), ["loss"]),
        (learning.loss_cut_off, XY + IP + WEIGHTED + layer("Silence", "loss"), []),
        (learning.loss_cut_off, SOUND, []),
        (learning.loss_counted_twice, XY + IP + WEIGHTED + layer("Silence", "loss"), ["loss"]),
        (learning.loss_counted_twice, SOUND + layer("Power", "loss", "p", "loss_weight: 3"), ["loss"]),
        (learning.loss_counted_twice, SOUND, []),
        (learning.dropped_loss_weight, XY + IP + TWO_WEIGHTS + layer("Silence", "p"), ["p"]),
        (learning.dropped_loss_weight, XY + IP + TWO_WEIGHTS, []),
        (
            learning.loss_weight_in_place,
            SOUND + inner_product("x", "g") + layer("ReLU", "g", "g", "loss_weight: 1"),
            ["g"],
        ),
        (learning.weights_without_loss, SOUND + inner_product("x", "extra"), ["extra"]),
        (
            learning.weights_without_loss,
            SOUND + inner_product("x", "e", settings="param { lr_mult: 0 } " * 2),
            [],
        ),
        (learning.weights_without_loss, SOUND, []),
        (
            learning.overwritten_output,
            XY + IP + layer("TanH", "h", "h", name="t") + layer("Dropout", "h", "h", name="d") + LOSS,
            ["d"],
        ),
        (
            learning.overwritten_output,
            XY + IP + layer("TanH", "h", "h", name="t") + layer("ReLU", "h", "h", name="r") + LOSS,
            [],
        ),
        (learning.overwritten_output, XY + IP + CUBE + SCALED + LOSS, ["d"]),
        (learning.overwritten_output, XY + IP + CUBE.replace("power: 3", "power: 3 scale: 0") + SCALED + LOSS, []),
        (learning.overwritten_output, XY + IP + CUBE.replace("power: 3", "power: 2 shift: 1") + SCALED + LOSS, []),
        (learning.overwritten_output, XY + IP + CUBE.replace("power: 3", "power: 1 scale: 2") + SCALED + LOSS, []),
        (learning.overwritten_output, XY + IP + PRODUCT % "stable_prod_grad: false" + SCALED + LOSS, ["d"]),
        (learning.overwritten_output, XY + IP + PRODUCT % "" + SCALED + LOSS, []),
        (learning.overwritten_output, XY + IP + PRODUCT.replace("PROD", "SUM") % "" + SCALED + LOSS, []),
        (graph.duplicate_layer_name, SOUND + IP.replace('top: "h"', 'top: "g"'), ["h"]),
        (graph.duplicate_layer_name, SOUND, []),
        (graph.phase_is_no_rule, XY.replace('name: "data"', 'name: "data" phase: TEST'), ["data"]),
        (graph.unused_top, SOUND + layer("Power", "x", "p"), ["p"]),
        (graph.unused_top, SOUND + layer("Accuracy", "h y", "a"), []),
        (
            graph.shared_data_in_place,
            XY + layer("Flatten", "x", "f") + layer("ReLU", "f", "f", name="r") + layer("Power", "x", "p"),
            ["r"],
        ),
        (graph.shared_data_in_place, XY + layer("Flatten", "x", "f") + layer("ReLU", "f", "f", name="r"), []),
        (resize.resized_in_place, data("2 3", tops="x") + inner_product("x", "x", 4), ["x"]),
        (resize.resized_in_place, data("2 3", tops="x") + inner_product("x", "x", 3), []),
    ],
)
def test_rules(rule: Rule, text: str, layers: list[str]) -> None:
    assert found(rule, text) == layers


def test_a_net_that_no_solver_trains_needs_no_loss() -> None:
    assert found(learning.no_loss, XY + IP, trained=False) == []

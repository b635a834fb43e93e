"""What is written over while it is still needed, and what may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from nanlint.caffe.model import Net
from nanlint.findings import Problem
from nanlint.rules import in_place
from tests.caffe.one_net import LOSS, data, inner_product, layer, net
from tests.rules.nets import data as dummy
from tests.rules.nets import layer as one_layer
from tests.rules.nets import layers_found, train_net

XY = data("2 3", "2")
IP = inner_product("x", "h")
SOUND = XY + IP + LOSS
CUBE = layer("Power", "h", "h", "power_param { power: 3 }", name="t")
PRODUCT = inner_product("x", "g") + layer("Eltwise", "h g", "h", "eltwise_param { operation: PROD %s }", name="t")
SCALED = layer("Scale", "h", "h", name="d")


@pytest.mark.parametrize(
    ("rule", "text", "layers"),
    [
        (
            in_place.loss_weight_in_place,
            SOUND + inner_product("x", "g") + layer("ReLU", "g", "g", "loss_weight: 1"),
            ["g"],
        ),
        (
            in_place.overwritten_output,
            XY + IP + layer("TanH", "h", "h", name="t") + layer("Dropout", "h", "h", name="d") + LOSS,
            ["d"],
        ),
        (
            in_place.overwritten_output,
            XY + IP + layer("TanH", "h", "h", name="t") + layer("ReLU", "h", "h", name="r") + LOSS,
            [],
        ),
        (in_place.overwritten_output, XY + IP + CUBE + SCALED + LOSS, ["d"]),
        (in_place.overwritten_output, XY + IP + CUBE.replace("power: 3", "power: 3 scale: 0") + SCALED + LOSS, []),
        (in_place.overwritten_output, XY + IP + CUBE.replace("power: 3", "power: 2 shift: 1") + SCALED + LOSS, []),
        (in_place.overwritten_output, XY + IP + CUBE.replace("power: 3", "power: 1 scale: 2") + SCALED + LOSS, []),
        (in_place.overwritten_output, XY + IP + PRODUCT % "stable_prod_grad: false" + SCALED + LOSS, ["d"]),
        (in_place.overwritten_output, XY + IP + PRODUCT % "" + SCALED + LOSS, []),
        (in_place.overwritten_output, XY + IP + PRODUCT.replace("PROD", "SUM") % "" + SCALED + LOSS, []),
        (
            in_place.shared_data_in_place,
            XY + layer("Flatten", "x", "f") + layer("ReLU", "f", "f", name="r") + layer("Power", "x", "p"),
            ["r"],
        ),
        (in_place.shared_data_in_place, XY + layer("Flatten", "x", "f") + layer("ReLU", "f", "f", name="r"), []),
        (in_place.resized_in_place, data("2 3", tops="x") + inner_product("x", "x", 4), ["x"]),
        (in_place.resized_in_place, data("2 3", tops="x") + inner_product("x", "x", 3), []),
    ],
)
def test_what_overwrites_what_is_still_needed(
    rule: Callable[[Net], Iterable[Problem]], text: str, layers: list[str]
) -> None:
    assert layers_found(rule, net(text)) == layers


LEARNED = "inner_product_param { num_output: 3 weight_filler { type: 'xavier' } }"


@pytest.mark.parametrize(
    ("type_name", "settings", "is_wrong"),
    [
        ("Pooling", "pooling_param { kernel_size: 3 pad: 1 }", True),
        ("Convolution", "convolution_param { num_output: 3 kernel_size: 1 }", True),
        ("Convolution", "convolution_param { num_output: 3 kernel_size: 3 pad: 1 }", False),
        ("LRN", "", True),
        ("LRN", "lrn_param { norm_region: WITHIN_CHANNEL }", False),
        ("ReLU", "", False),
        ("BatchNorm", "", False),
    ],
)
def test_what_cannot_work_in_place(tmp_path: Path, type_name: str, settings: str, is_wrong: bool) -> None:
    net = train_net(tmp_path, dummy(2, 3, 8, 8) + one_layer(type_name, "x", "x", settings))
    assert bool(list(in_place.in_place_output(net))) is is_wrong


@pytest.mark.parametrize(
    ("type_name", "settings", "is_wrong"),
    [
        ("Power", "", True),
        ("ReLU", "", False),
        ("ReLU", "relu_param { negative_slope: -1 }", True),
        ("TanH", "", False),
    ],
)
def test_whose_gradient_is_wrong_in_place(tmp_path: Path, type_name: str, settings: str, is_wrong: bool) -> None:
    net = train_net(
        tmp_path,
        dummy(2, 3)
        + one_layer("InnerProduct", "x", "h", LEARNED)
        + one_layer(type_name, "h", "h", settings)
        + one_layer("Reduction", "h", "r", "loss_weight: 1"),
    )
    assert bool(list(in_place.in_place_gradient(net))) is is_wrong

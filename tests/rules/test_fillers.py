"""Fillers: when zeros are dead, when constants stay alike, when width is no matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.rules.fillers import all_positive_filler, constant_weights, missing_weight_filler, wide_gaussian_filler
from tests.analysis import nets

XAVIER = 'type: "xavier"'
DATA = nets.dummy('type: "gaussian" std: 1', "value: 1")


def stack(*fillers: str, activation: bool = True) -> str:
    """Inner products of these fillers over each other, with ReLUs between them, under a loss."""
    text, below = DATA, "data"
    for number, filler in enumerate(fillers):
        text += nets.inner_product(f"ip{number}", below, 4, filler)
        below = f"ip{number}"
        if activation and number < len(fillers) - 1:
            text += nets.relu(f"relu{number}", below)
    return text + nets.loss(below)


def test_zeros_below_a_relu_are_dead(tmp_path: Path) -> None:
    (found,) = missing_weight_filler(nets.net(tmp_path, stack(XAVIER, 'type: "constant"', XAVIER)))
    assert "get no gradient, ever" in found.message
    assert found.severity is None


def test_a_last_layer_of_zeros_learns(tmp_path: Path) -> None:
    (found,) = missing_weight_filler(nets.net(tmp_path, stack(XAVIER, 'type: "constant"')))
    assert "at the first update" in found.message
    assert found.severity is not None
    assert found.severity.value == "info"


def test_a_net_for_loaded_weights_is_no_more_than_information(tmp_path: Path) -> None:
    (found,) = missing_weight_filler(
        nets.net(tmp_path, stack('type: "constant"', 'type: "constant"', XAVIER))
    )
    assert found.severity is not None
    assert found.severity.value == "info"


def test_random_weights_above_break_the_tie(tmp_path: Path) -> None:
    alike = 'type: "constant" value: 0.1'
    assert list(constant_weights(nets.net(tmp_path, stack(alike, XAVIER)))) == []
    assert len(list(constant_weights(nets.net(tmp_path, stack(alike, alike))))) == 1


def test_batch_norm_forgives_a_wide_filler(tmp_path: Path) -> None:
    wide = DATA + nets.inner_product("a", "data", 4, 'type: "gaussian"')
    normalised = wide + 'layer { name: "bn" type: "BatchNorm" bottom: "a" top: "a" }'
    normalised = normalised.replace('"a" top: "a" }', '"a" top: "bn" }')
    for text, expected in ((wide + nets.loss("a"), 1), (normalised + nets.loss("bn"), 0)):
        wide_net = nets.net(tmp_path, text.replace("dim: 8 dim: 16", "dim: 8 dim: 64"))
        layer = next(layer for layer in wide_net.layers if layer.name == "a")
        assert len(list(wide_gaussian_filler(layer))) == expected


def test_sparse_gaussians_may_be_wide(tmp_path: Path) -> None:
    text = DATA + nets.inner_product("a", "data", 4, 'type: "gaussian" sparse: 2') + nets.loss("a")
    layer = next(layer for layer in nets.net(tmp_path, text).layers if layer.name == "a")
    assert list(wide_gaussian_filler(layer)) == []


DEPTHWISE = ["ConvolutionDepthwise", "DepthwiseConvolution"]


def convolved(kind: str, filler: str, *above: str) -> str:
    """A 3x3 convolution of each of 16 channels, whatever it is called, with layers above it under a loss."""
    settings = f"num_output: 16 kernel_size: 3 pad: 1 group: 16 weight_filler {{ {filler} }}"
    text = nets.dummy('type: "gaussian" std: 1', "value: 1", shape=(8, 16, 6, 6))
    text += f'layer {{ name: "dw" type: "{kind}" bottom: "data" top: "dw" convolution_param {{ {settings} }} }}\n'
    return text + "".join(above) + nets.inner_product("ip", "dw", 4, 'type: "constant"') + nets.loss("ip")


@pytest.mark.parametrize("kind", ["Convolution", *DEPTHWISE])
def test_a_depthwise_convolution_is_a_convolution(tmp_path: Path, kind: str) -> None:
    wide = nets.net(tmp_path, convolved(kind, 'type: "gaussian" std: 5'))
    [problem] = wide_gaussian_filler(wide.layers[1])
    assert "std * sqrt(fan_in) = 15" in problem.message
    uniform = nets.net(tmp_path, convolved(kind, 'type: "uniform" max: 5'))
    assert len(list(all_positive_filler(uniform.layers[1]))) == 1


@pytest.mark.parametrize("activation", ["ReLU", "PReLU", "ReLU6", "Swish", "Sigmoid", "ELU"])
def test_an_activation_keeps_equal_units_equal(tmp_path: Path, activation: str) -> None:
    above = f'layer {{ name: "a" type: "{activation}" bottom: "dw" top: "dw" }}\n'
    alike = nets.net(tmp_path, convolved("Convolution", 'type: "constant" value: 0.1', above))
    assert [problem.layer for problem in constant_weights(alike)] == ["dw"]


@pytest.mark.parametrize(
    "above",
    [
        'type: "Dropout"',
        'type: "PReLU" prelu_param { filler { type: "uniform" } }',
        'type: "Scale" scale_param { filler { type: "gaussian" std: 1 } }',
    ],
)
def test_what_tells_units_apart_breaks_the_tie(tmp_path: Path, above: str) -> None:
    text = f'layer {{ name: "a" {above} bottom: "dw" top: "dw" }}\n'
    alike = nets.net(tmp_path, convolved("Convolution", 'type: "constant" value: 0.1', text))
    assert list(constant_weights(alike)) == []

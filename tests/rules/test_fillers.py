"""Fillers: when zeros are dead, when constants stay alike, when width is no matter."""

from __future__ import annotations

from pathlib import Path

from nanlint.rules.fillers import constant_weights, missing_weight_filler, wide_gaussian_filler
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

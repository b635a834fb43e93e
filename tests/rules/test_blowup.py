"""Blow-up: summed losses, losses out of balance, rates that no smaller rate would mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.findings import Effect
from nanlint.rules.blowup import (
    rate_beyond_published,
    rate_beyond_stability,
    rate_too_high,
)
from nanlint.rules.loss_weights import summed_loss, unbalanced_losses
from tests.analysis import nets

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


def test_an_overflow_within_the_run_is_not_finite(tmp_path: Path) -> None:
    text = nets.dummy("value: 1", "value: 5") + nets.inner_product("a", "data", 4, 'type: "constant"')
    text += nets.loss("a")
    for iterations, effect in ((10, None), (1000, Effect.NON_FINITE)):
        settings = at_rate(0.3).replace("100", str(iterations))
        (found,) = rate_beyond_stability(nets.solver(tmp_path, text, settings))
        assert found.effect is effect


def test_momentum_above_one_is_not_the_rates_fault(tmp_path: Path) -> None:
    text = nets.dummy(GAUSSIAN, "value: 1") + nets.inner_product("a", "data", 16, XAVIER)
    text += nets.inner_product("b", "a", 4, XAVIER) + nets.loss("b")
    assert list(rate_too_high(nets.solver(tmp_path, text, at_rate(0.001, "momentum: 9")))) == []
    assert len(list(rate_too_high(nets.solver(tmp_path, text, at_rate(30))))) == 1


def test_published_rates_are_the_measure_where_no_scale_is_known(tmp_path: Path) -> None:
    text = 'layer { name: "data" type: "MemoryData" top: "data" top: "target" memory_data_param {'
    text += " batch_size: 4 channels: 4 height: 1 width: 1 } }"
    for below, name in (("data", "a"), ("a", "b"), ("b", "c")):
        text += nets.inner_product(name, below, 4, XAVIER)
    text += nets.loss("c", "SoftmaxWithLoss")
    for rate, expected in ((0.05, 0), (1, 1)):
        assert len(list(rate_beyond_published(nets.solver(tmp_path, text, at_rate(rate))))) == expected

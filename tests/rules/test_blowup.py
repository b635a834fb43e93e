"""Blow-up: summed losses, losses out of balance, rates that no smaller rate would mend."""

from __future__ import annotations

from pathlib import Path

from nanlint.findings import Effect
from nanlint.rules.blowup import (
    rate_beyond_published,
    rate_beyond_stability,
    rate_too_high,
)
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

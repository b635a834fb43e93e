from __future__ import annotations

import math

import pytest

from nanlint.numbers.float32 import FLOAT_MAX, divide, exponential, f32, power, root, shortest, show


def test_rounds_to_the_nearest_32_bit_float() -> None:
    assert f32(0.1) == 0.10000000149011612
    assert f32(1e-46) == 0.0
    assert f32(FLOAT_MAX) == FLOAT_MAX


@pytest.mark.parametrize(("number", "rounded"), [(1e39, math.inf), (-3.5e38, -math.inf)])
def test_is_infinite_beyond_the_largest_float(number: float, rounded: float) -> None:
    assert f32(number) == rounded


def test_division_by_zero_is_infinite_or_nan() -> None:
    assert divide(1.0, 0.0) == math.inf
    assert divide(1.0, -0.0) == -math.inf
    assert math.isnan(divide(0.0, 0.0))


def test_pow_never_raises() -> None:
    assert power(1e200, 2) == math.inf
    assert power(-1e200, 3) == -math.inf
    assert power(0.0, -1) == math.inf
    assert power(-0.0, -1) == -math.inf
    assert math.isnan(power(-1.0, 0.5))
    assert power(1.0, math.nan) == 1.0
    assert power(math.nan, 0.0) == 1.0


def test_exp_and_sqrt_never_raise() -> None:
    assert exponential(1e4) == math.inf
    assert math.isnan(root(-1.0))
    assert root(math.inf) == math.inf


def test_shows_the_fewest_digits() -> None:
    assert shortest(f32(0.1)) == 0.1
    assert show(f32(0.1)) == "0.1"
    assert show(0.9999999) == "0.9999999"
    assert show(0.01 * 0.1**2) == "0.0001"
    assert show(16777217.0) == "1.67772e+07"
    assert show(math.inf) == "inf"

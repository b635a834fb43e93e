"""Images of intervals: what C and BLAS make of every number between two ends, in 32 bits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanlint.numbers.float32 import f32, power
from nanlint.numbers.intervals import (
    EVERYWHERE,
    NEVER,
    SOMEWHERE,
    exponentials,
    logs,
    magnitude,
    plus,
    quotient,
    raised,
    rectified,
    scaled,
    shifted,
    then,
    times,
)

INF = math.inf
numbers = st.floats(-1e6, 1e6, width=32).map(lambda x: x + 0.0)


def ends(one: float, other: float) -> tuple[float, float]:
    return min(one, other), max(one, other)


@pytest.mark.parametrize(
    ("exponent", "low", "high", "image"),
    [
        (0.5, 0.0, 4.0, (0.0, 2.0, NEVER)),
        (0.5, -1.0, 4.0, (0.0, 2.0, SOMEWHERE)),
        (1.5, -INF, 0.0, (0.0, INF, SOMEWHERE)),
        (3.0, -2.0, 2.0, (-8.0, 8.0, NEVER)),
        (2.0, -2.0, 1.0, (0.0, 4.0, NEVER)),
        (-1.0, 0.0, 0.0, (INF, INF, NEVER)),
        (-1.0, -1.0, 2.0, (-INF, INF, NEVER)),
        (-2.0, -1.0, 2.0, (0.25, INF, NEVER)),
        (0.0, -5.0, 5.0, (1.0, 1.0, NEVER)),
        (100.0, 10.0, 20.0, (INF, INF, NEVER)),
    ],
)
def test_powers(exponent: float, low: float, high: float, image: tuple[float, float, int]) -> None:
    assert raised(exponent)(low, high) == image


def test_a_root_of_negative_numbers_is_nan_everywhere() -> None:
    assert raised(0.5)(-2.0, -1.0)[2] == EVERYWHERE


@given(numbers, numbers, st.sampled_from([-2.0, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0]), st.floats(0, 1))
def test_an_image_holds_every_power(one: float, other: float, exponent: float, share: float) -> None:
    low, high = ends(one, other)
    x = f32(low + (high - low) * share)
    result = f32(power(x, exponent))
    first, last, nan = raised(exponent)(low, high)
    if result != result:
        assert nan != NEVER
    else:
        assert nan != EVERYWHERE
        assert first <= result <= last


@given(numbers, numbers, numbers, numbers)
def test_products_and_sums_hold_those_of_the_ends(a: float, b: float, c: float, d: float) -> None:
    one, other = ends(a, b), ends(c, d)
    low, high, nan = times(one, other)
    assert nan == NEVER
    assert low <= f32(a * c) <= high
    assert low <= f32(b * d) <= high
    low, high, _ = plus(one, other)
    assert low <= f32(a + c) <= high


def test_zero_times_infinity_and_infinity_minus_infinity_are_nan() -> None:
    assert times((0.0, 0.0), (INF, INF))[2] == EVERYWHERE
    assert times((0.0, 1.0), (INF, INF))[2] == SOMEWHERE
    assert plus((INF, INF), (-INF, -INF))[2] == EVERYWHERE
    assert plus((0.0, INF), (-INF, 0.0))[2] == SOMEWHERE


def test_quotients() -> None:
    assert quotient((0.0, 0.0), (0.0, 0.0))[2] == EVERYWHERE
    assert quotient((1.0, 2.0), (0.0, 0.0)) == (INF, INF, NEVER)
    assert quotient((0.0, 2.0), (0.0, 1.0))[2] == SOMEWHERE
    assert quotient((1.0, 2.0), (2.0, 4.0)) == (0.25, 1.0, NEVER)


def test_blas_scal_writes_zeros_for_a_factor_of_0_or_nan() -> None:
    assert scaled(math.nan)(1.0, INF) == (0.0, 0.0, NEVER)
    assert scaled(0.0)(math.nan, math.nan) == (0.0, 0.0, NEVER)
    assert scaled(2.0)(math.nan, math.nan)[2] == EVERYWHERE


def test_exp_overflows_above_88_72_and_underflows_below_minus_103_97() -> None:
    assert exponentials(88.7, 88.8)[1] == INF
    assert exponentials(88.7, 88.7)[1] < INF
    assert exponentials(-104.0, -104.0)[1] == 0.0


def test_logs() -> None:
    assert logs(0.0, 1.0) == (-INF, 0.0, NEVER)
    assert logs(-1.0, 1.0)[2] == SOMEWHERE
    assert logs(-2.0, -1.0)[2] == EVERYWHERE


def test_an_infinite_slope_makes_nan_of_what_is_not_negative() -> None:
    assert rectified(INF)(0.0, 1.0)[2] == EVERYWHERE
    assert rectified(INF)(-2.0, -1.0) == (-INF, -INF, NEVER)
    assert rectified(0.1)(-10.0, 1.0) == (-1.0, 1.0, NEVER)


def test_maps_in_a_row_and_magnitudes() -> None:
    assert then(scaled(2.0), shifted(1.0))(0.0, 3.0) == (1.0, 7.0, NEVER)
    assert magnitude(-3.0, 2.0) == (0.0, 3.0, NEVER)
    assert magnitude(-3.0, -2.0) == (2.0, 3.0, NEVER)

"""What a value claims: bounds of all elements, and what surely is among them."""

from __future__ import annotations

import math

import pytest

from nanlint.numbers.combining import combine, farthest, highest, hull, total
from nanlint.numbers.draws import constant, gaussian, numbers, uniform, unknown
from nanlint.numbers.intervals import logs, plus, rectified, scaled, shifted, times
from nanlint.numbers.values import certain, is_negative, is_zero

RELU = rectified(0.0)


def test_certain_means_a_doubt_below_a_billionth() -> None:
    assert certain(0.5, 30)
    assert not certain(0.5, 29)
    assert certain(1.0, 1)
    assert not certain(0.9, 0)


def test_a_gaussian_blob_through_relu_surely_holds_zeros_if_it_is_large_enough() -> None:
    assert gaussian(0, 1, 100).map(RELU).surely(is_zero)
    assert not gaussian(0, 1, 20).map(RELU).surely(is_zero)
    assert not gaussian(5, 1, 100).map(RELU).surely(is_zero)


def test_the_logarithm_of_what_spans_zero_is_surely_nan() -> None:
    value = uniform(-1, 1, 1000).map(logs)
    assert value.surely_nan
    assert not value.surely_infinite
    assert not uniform(0.1, 1, 1000).map(logs).nan


def test_after_relu_the_logarithm_is_surely_infinite_and_never_nan() -> None:
    value = uniform(-1, 1, 1000).map(RELU).map(logs)
    assert value.surely_infinite
    assert not value.nan


def test_constants() -> None:
    value = constant(2.0, 10).map(scaled(3.0))
    assert value.constant == 6.0
    assert value.equal
    assert constant(math.nan).surely_nan
    assert constant(1e39).surely_infinite
    assert constant(0.0, 4).surely(is_zero)


def test_nothing_is_sure_of_unknown_data_and_it_stays_finite() -> None:
    value = unknown(100).map(scaled(1e30))
    assert value.finite
    assert not value.surely_bad
    assert not value.surely(is_negative)


def test_what_comes_of_all_numbers_alike_is_known_of_unknown_data_too() -> None:
    assert unknown(10).map(scaled(0.0)).constant == 0.0
    assert unknown(10).map(RELU).map(scaled(-1.0)).map(shifted(-1.0)).map(logs).surely_nan
    assert not unknown(10).map(RELU).known


def test_numbers_of_the_file_are_all_there() -> None:
    value = numbers([1.0, math.nan, -2.0])
    assert (value.low, value.high) == (-2.0, 1.0)
    assert value.surely_nan
    assert value.surely(is_negative)


def test_combining_with_a_constant_keeps_existence() -> None:
    value = combine(uniform(-1, 1, 1000), constant(-1.0, 1000), times)
    assert value.surely(is_negative)
    assert (value.low, value.high) == (-1.0, 1.0)


def test_combining_what_comes_from_the_same_numbers_goes_part_by_part() -> None:
    x = uniform(0, 100, 1000)
    value = combine(x, x.map(scaled(-1.0)), plus)
    largest = max(max(abs(part.low), abs(part.high)) for part in value.parts)
    assert largest < 2


def test_side_by_side_everything_is_still_there() -> None:
    value = hull([constant(0.0, 4), uniform(1, 2, 100)], 104)
    assert (value.low, value.high) == (0.0, 2.0)
    assert value.surely(is_zero)


@pytest.mark.parametrize("count", [100, 10000])
def test_the_sum_of_many_numbers_is_near_their_mean(count: int) -> None:
    low, high = total(uniform(0, 1, count), count)
    assert low <= count / 2 <= high
    assert high - low < count


def test_what_is_surely_reached() -> None:
    assert 0.9 < highest(uniform(0, 1, 10000)) <= 1
    assert highest(unknown(10)) == -math.inf
    assert 0.9 < farthest(uniform(-1, 0.5, 10000)) <= 1
    assert farthest(constant(-3.0, 1)) == 3.0

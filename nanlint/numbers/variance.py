"""What is known of how far the elements of a blob lie apart."""

from __future__ import annotations

import math

from nanlint.numbers.combining import total
from nanlint.numbers.intervals import Interval, plus, raised
from nanlint.numbers.values import DOUBT, Value

SMALLEST_SQUARE = 1e-19
"""Deviations below this have squares that underflow to 0 or to denormals."""


def exact_mean(number: float, elements: int | None) -> bool:
    """Whether the computed mean of equal numbers is surely that number, so that nothing is left of them.

    Zero always; a power of two times a small whole number where the elements are a power of two too.
    """
    if number == 0:
        return True
    if elements is None or not math.isfinite(number):
        return False
    fraction, _ = math.frexp(number)
    short = fraction * 2**12 == math.floor(fraction * 2**12)
    power_of_two = elements & (elements - 1) == 0
    return short and power_of_two and elements <= 2**12


def varies(x: Value, elements: int | None) -> bool:
    """Whether the elements surely differ in every region of `elements`: they were drawn independently of each other.

    Saturated numbers are equal: too large a share of them can fill a region.
    """
    if not x.count or x.number != x.count or x.equal or not elements or elements < 2:
        return False
    if x.high - x.low <= max(SMALLEST_SQUARE, 1e-6 * max(abs(x.low), abs(x.high))):
        return False
    shares: dict[float, float] = {}
    for part in x.parts:
        if part.low == part.high:
            shares[part.low] = shares.get(part.low, 0.0) + part.chance
    largest = max(shares.values(), default=0.0) + uncovered(x)
    return x.count / elements * largest**elements < DOUBT


def uncovered(x: Value) -> float:
    """The chance that an element lies in no part: nothing is known of where it is."""
    return max(0.0, 1 - math.fsum(part.chance for part in x.parts))


def least_variance(x: Value, elements: int | None) -> float:
    """A variance that every region of `elements` surely exceeds: its numbers do not all lie close together."""
    if not varies(x, elements) or not elements or not x.count:
        return 0.0
    for halvings in range(1, 8):
        width = (x.high - x.low) / 2**halvings
        densest = uncovered(x) + max(
            math.fsum(p.chance for p in x.parts if p.low <= part.high + width and p.high >= part.low)
            for part in x.parts
        )
        if x.count * densest ** (elements - 1) < DOUBT:
            return float(width * width / (2 * elements))
    return 0.0


def mean_square(x: Value) -> Interval:
    """Bounds of the mean square about the middle of the range, which no average of variances exceeds."""
    middle = (x.low + x.high) / 2
    low, high = 0.0, ((x.high - x.low) / 2) ** 2
    if x.count:
        squares = x.map(lambda a, b: plus((a, b), (-middle, -middle))).map(raised(2.0))
        bounds = total(squares, x.count)
        low, high = max(low, bounds[0] / x.count), min(high, bounds[1] / x.count)
    return (max(low, x.square[0]), min(high, x.square[1])) if x.square and not middle else (low, high)

"""Images of intervals under Caffe's 32-bit arithmetic.

An interval is (low, high), both ends attained or approached; an image is (low, high, nan), where
`nan` says whether the function gives NaN nowhere, somewhere or everywhere on the interval.
(nan, nan) is the interval of NaN alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeAlias

from nanlint.numbers.float32 import FLOAT_MAX, f32, power

NEVER, SOMEWHERE, EVERYWHERE = 0, 1, 2

Interval: TypeAlias = "tuple[float, float]"
Image: TypeAlias = "tuple[float, float, int]"
Map: TypeAlias = Callable[[float, float], Image]

NOWHERE_FINITE: Image = (math.nan, math.nan, EVERYWHERE)
"""The image that holds NaN alone."""


def exponential(x: float) -> float:
    """exp in 32 bits: inf above 88.72, 0 below -103.97."""
    return f32(math.exp(x)) if x < 100 else math.inf if x >= 100 else math.nan


def logarithm(x: float) -> float:
    """log in 32 bits: -inf at 0, nan below."""
    if x > 0:
        return f32(math.log(x)) if x != math.inf else x
    return -math.inf if x == 0 else math.nan


def product(x: float, y: float) -> float:
    """x * y in 32 bits."""
    return f32(x * y)


def spanned(ends: Iterable[float], nan: int = NEVER) -> Image:
    """The hull of some ends; the NaNs among them only show that NaN is possible."""
    numbers = list(ends)
    known = [x for x in numbers if x == x]
    if not known:
        return NOWHERE_FINITE
    if len(known) < len(numbers):
        nan = max(nan, SOMEWHERE)
    return min(known), max(known), nan


def increasing(function: Callable[[float], float]) -> Map:
    """The image under a function that never falls."""

    def image(low: float, high: float) -> Image:
        if low != low:
            return NOWHERE_FINITE
        return function(low), function(high), NEVER

    return image


def scaled(factor: float) -> Map:
    """BLAS scal: x * factor, but zeros where the factor is 0 or NaN (OpenBLAS 0.3.21)."""

    def image(low: float, high: float) -> Image:
        if factor == 0 or factor != factor:
            return 0.0, 0.0, NEVER
        if low != low:
            return NOWHERE_FINITE
        return times((low, high), (factor, factor))

    return image


def shifted(shift: float) -> Map:
    """x + shift."""

    def image(low: float, high: float) -> Image:
        return plus((low, high), (shift, shift))

    return image


def plus(one: Interval, other: Interval) -> Image:
    """The sums of one number of each interval."""
    if one[0] != one[0] or other[0] != other[0]:
        return NOWHERE_FINITE
    if one[0] == one[1] and other[0] == other[1]:
        return spanned([f32(one[0] + other[0])])
    opposed = (one[0] == -math.inf and other[1] == math.inf) or (one[1] == math.inf and other[0] == -math.inf)
    low, high = f32(one[0] + other[0]), f32(one[1] + other[1])
    return (
        -math.inf if low != low else low,
        math.inf if high != high else high,
        SOMEWHERE if opposed else NEVER,
    )


def times(one: Interval, other: Interval) -> Image:
    """The products of one number of each interval; 0 * inf is NaN."""
    if one[0] != one[0] or other[0] != other[0]:
        return NOWHERE_FINITE
    if one[0] == one[1] and other[0] == other[1]:
        return spanned([product(one[0], other[0])])
    nan = NEVER
    for a, b in ((one, other), (other, one)):
        if a[0] <= 0 <= a[1] and (b[0] == -math.inf or b[1] == math.inf):
            nan = SOMEWHERE
            if a[0] == a[1] == 0 and b[0] == b[1]:
                return NOWHERE_FINITE
    ends = [x * y if x and y else 0.0 for x in one for y in other]
    return f32(min(ends)), f32(max(ends)), nan


def quotient(one: Interval, other: Interval) -> Image:
    """The quotients; 0/0 and inf/inf are NaN."""
    if one[0] != one[0] or other[0] != other[0]:
        return NOWHERE_FINITE
    if other[0] == other[1] == 0:
        if one[0] == one[1] == 0:
            return NOWHERE_FINITE
        return (
            -math.inf if one[0] < 0 else math.inf,
            math.inf if one[1] > 0 else -math.inf,
            SOMEWHERE if one[0] <= 0 <= one[1] else NEVER,
        )
    if other[0] <= 0 <= other[1]:
        return -math.inf, math.inf, SOMEWHERE if one[0] <= 0 <= one[1] else NEVER
    low, high, nan = times(one, (_inverse(other[1]), _inverse(other[0])))
    if math.isinf(one[0] - one[1]) and math.isinf(other[0] - other[1]):
        nan = max(nan, SOMEWHERE)
    return low, high, nan


def _inverse(x: float) -> float:
    return 1 / x if x else math.inf


def rectified(slope: float) -> Map:
    """max(x, 0) + slope * min(x, 0), as ReLU and PReLU compute it: an infinite slope times 0 is NaN."""

    def at(x: float) -> float:
        return f32(max(x, 0.0) + f32(slope * min(x, 0.0)))

    def image(low: float, high: float) -> Image:
        if low != low or slope != slope:
            return NOWHERE_FINITE
        ends = [at(low), at(high)]
        if low < 0 < high:
            ends.append(at(0.0))
        got = spanned(ends)
        return NOWHERE_FINITE if math.isinf(slope) and low >= 0 else got

    return image


def raised(exponent: float) -> Map:
    """pow(x, exponent) in 32 bits."""
    whole = math.isinf(exponent) or exponent == math.floor(exponent) if exponent == exponent else False
    even = whole and (math.isinf(exponent) or exponent % 2 == 0)

    def at(x: float) -> float:
        return f32(power(x, exponent))

    def image(low: float, high: float) -> Image:
        if exponent == 0 or low == high == 1:
            return 1.0, 1.0, NEVER
        if low != low or exponent != exponent:
            return NOWHERE_FINITE
        if low < 0 and not whole:
            if high < 0:
                return (0.0, math.inf, SOMEWHERE) if math.isinf(low) else NOWHERE_FINITE
            # the one negative number with a fractional power is -inf
            beyond = [at(low)] if math.isinf(low) else []
            return spanned([at(0.0), at(high), *beyond], SOMEWHERE)
        return spanned([at(low), at(high), *_between_ends(exponent, even, low, high)])

    return image


def _between_ends(exponent: float, even: bool, low: float, high: float) -> list[float]:
    """What a whole power reaches at 0, where that lies between the ends: its least value, or its pole."""
    if not low < 0 <= high:
        return []
    if exponent > 0:
        return [0.0]
    return [math.inf] if even else [math.inf, -math.inf]


def logs(low: float, high: float) -> Image:
    """Natural logarithms in 32 bits."""
    if low != low or high < 0:
        return NOWHERE_FINITE
    return logarithm(max(low, 0.0)), logarithm(high), SOMEWHERE if low < 0 else NEVER


def exponentials(low: float, high: float) -> Image:
    """exp in 32 bits."""
    if low != low:
        return NOWHERE_FINITE
    return exponential(low), exponential(high), NEVER


def then(*maps: Map) -> Map:
    """One map after the other."""

    def image(low: float, high: float) -> Image:
        nan = NEVER
        for step in maps:
            low, high, met = step(low, high)
            nan = max(nan, met) if met != EVERYWHERE else met
        return low, high, nan

    return image


def magnitude(low: float, high: float) -> Image:
    """|x|."""
    if low != low:
        return NOWHERE_FINITE
    smallest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return smallest, max(abs(low), abs(high)), NEVER


def is_finite(x: float) -> bool:
    """Whether a number is neither infinite nor NaN in 32 bits."""
    return abs(x) <= FLOAT_MAX


def minus(one: Interval, other: Interval) -> Image:
    return plus(one, (-other[1], -other[0]))

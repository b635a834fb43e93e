"""Where values begin: constants, unknown data, and numbers drawn at random."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import Interval
from nanlint.numbers.values import DOUBT, NAN, PARTS, TINY, Part, Value


def constant(number: float, count: int | None = None) -> Value:
    """A blob of one number (read as a 32-bit float)."""
    number = f32(number)
    return Value(
        number,
        number,
        number != number,
        True,
        count,
        1,
        (Part(number, number, 1.0),),
        (),
        True,
        math.isfinite(number) and number == math.floor(number),
        object(),
        _square_of(number),
    )


def _square_of(number: float) -> Interval | None:
    return (number * number, number * number) if math.isfinite(number) else None


def unknown(count: int | None = None, *, integer: bool = False) -> Value:
    """Finite numbers of any size."""
    return Value(-FLOAT_MAX, FLOAT_MAX, known=False, count=count, integer=integer)


def between(low: float, high: float, count: int | None = None, *, integer: bool = False) -> Value:
    """Numbers within bounds, nothing more."""
    return Value(f32(low), f32(high), count=count, integer=integer)


def anything(count: int | None = None) -> Value:
    """What comes out of a layer that nanlint does not know."""
    return unknown(count)


def uniform(low: float, high: float, count: int | None, *, split: bool = True) -> Value:
    """Independent numbers, evenly spread over [low, high]; without parts unless `split`."""
    low, high = f32(low), f32(high)
    if low == high or not (math.isfinite(low) and math.isfinite(high)):
        return constant(low, count) if low == high else Value(low, high, count=count)
    if not split:
        return Value(low, high, count=count, number=count or 0)
    width = high - low
    edges = sorted({low, high, *(low + width * i / PARTS for i in range(1, PARTS)), *_special(low, high)})
    parts = tuple(Part(a, b or -TINY, (b - a) / width) for a, b in pairwise(edges))
    mean = (low + high) / 2
    exact = width * width / 12 + mean * mean
    return Value(
        low,
        high,
        count=count,
        number=count or 0,
        parts=parts,
        basis=object(),
        square=_concentrated(exact, count),
    )


def _special(low: float, high: float) -> list[float]:
    return [edge for edge in (-1.0, 0.0, 1.0) if low < edge < high]


def _concentrated(mean: float, count: int | None) -> Interval | None:
    """Bounds of a mean of squares of `count` independent numbers: wide, but certain from some 100 on."""
    if not count or count < 100 or not math.isfinite(mean):
        return None
    return mean * 0.2, mean * 5


@cache
def normal_parts() -> tuple[Part, ...]:
    """The parts of a standard normal number: 64 as likely as each other, the two at 0 cut finer.

    The outer ones reach to 40 deviations; the fine ones prove that some of few numbers are not tiny.
    """
    from statistics import NormalDist

    normal = NormalDist()
    below = [-40.0, *(normal.inv_cdf(i / PARTS) for i in range(1, PARTS // 2))]
    below += [-(10.0**-digits) for digits in range(2, 10)]
    edges = [*below, 0.0, *(-edge for edge in reversed(below))]
    return tuple(Part(a, b or -TINY, normal.cdf(b) - normal.cdf(a)) for a, b in pairwise(edges))


def gaussian(mean: float, deviation: float, count: int | None, *, split: bool = True) -> Value:
    """Independent normal numbers, without parts unless `split`; the bounds hold but with a chance of 1e-9."""
    mean, deviation = f32(mean), f32(deviation)
    if mean != mean or math.isinf(mean):
        return constant(mean, count)
    if math.isinf(deviation):
        halves = (Part(-math.inf, -math.inf, 0.5), Part(math.inf, math.inf, 0.5))
        return Value(-math.inf, math.inf, count=count, number=count or 0, parts=halves, basis=object())
    reach = deviation * normal_reach(count or 10**9)
    low, high = f32(mean - reach), f32(mean + reach)
    if not split:
        return Value(low, high, count=count, number=count or 0, deviation=deviation)
    parts = tuple(
        Part(max(low, f32(mean + a * deviation)), min(high, f32(mean + b * deviation) or -TINY), chance)
        for a, b, chance in normal_parts()
    )
    exact = deviation * deviation + mean * mean
    return Value(
        low,
        high,
        count=count,
        number=count or 0,
        parts=parts,
        basis=object(),
        square=_concentrated(exact, count),
        deviation=deviation,
    )


def normal_reach(count: int) -> float:
    """How many deviations none of `count` normal numbers exceeds (but with a chance of 1e-9)."""
    return math.sqrt(2 * math.log(2 * max(count, 1) / DOUBT))


def numbers(values: Sequence[float], count: int | None = None) -> Value:
    """Numbers that stand in the file."""
    singles = [f32(x) for x in values]
    known = [x for x in singles if x == x]
    if len(set(map(repr, singles))) == 1:
        return constant(singles[0], count or len(singles))
    low, high = (min(known), max(known)) if known else NAN
    found = tuple(dict.fromkeys((x, x) for x in singles[:PARTS]))
    if len(known) < len(singles):
        found += (NAN,)
    return Value(low, high, len(known) < len(singles), count=count or len(singles), found=found)

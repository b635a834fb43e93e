"""Values of several blobs together: element by element, side by side, added up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from nanlint.numbers.draws import constant
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import NEVER, SOMEWHERE, Image, Interval, magnitude
from nanlint.numbers.values import (
    LOG_DOUBT,
    NAN,
    PARTS,
    Part,
    Test,
    Value,
    certain,
    is_nan,
    is_negative,
    is_positive,
    is_zero,
)

ROUNDING = 6e-8
"""The relative error of one 32-bit addition."""

_TESTS: tuple[Test, ...] = (
    is_nan,
    is_zero,
    is_negative,
    is_positive,
    lambda low, high: low == math.inf,
    lambda low, high: high == -math.inf,
)


def gathered(value: Value, test: Test) -> Interval | None:
    """An interval that surely holds an element which passes the test: the hull of all that do."""
    if not value.surely(test):
        return None
    passing = [(p.low, p.high) for p in value.parts if p.chance and test(p.low, p.high)]
    passing += [interval for interval in value.found if test(*interval)]
    if not passing:
        return value.low, value.high
    return min(low for low, _ in passing), max(high for _, high in passing)


def highest(value: Value) -> float:
    """A number that some element surely reaches or exceeds (-inf if nothing is known)."""
    return _reached([(p.low, p.chance) for p in value.parts if p.low == p.low], value, [x for x, _ in value.found])


def farthest(value: Value) -> float:
    """A magnitude that some element surely reaches or exceeds (0 if nothing is known)."""
    sizes = [(magnitude(p.low, p.high)[0], p.chance) for p in value.parts if p.low == p.low]
    return max(0.0, _reached(sizes, value, [magnitude(*i)[0] for i in value.found if i[0] == i[0]]))


def _reached(ranked: list[tuple[float, float]], value: Value, sure: list[float]) -> float:
    best = max((x for x in sure if x == x), default=-math.inf)
    chance = 0.0
    for level, part in sorted(ranked, reverse=True):
        chance += part
        if certain(min(chance, 1.0), value.number):
            return max(best, level)
    if value.known and value.low == value.low and not value.nan and value.count != 0:
        best = max(best, value.low)
    return best


def hull(values: Sequence[Value], count: int | None = None) -> Value:
    """Elements of several blobs side by side: each of them is there."""
    finite = [value for value in values if value.low == value.low]
    low, high = (min(v.low for v in finite), max(v.high for v in finite)) if finite else NAN
    found: list[Interval] = []
    for value in values:
        found += [(part.low, part.high) for part in value.parts if certain(part.chance, value.number)]
        found += list(value.found)
        sure = (gathered(value, test) for test in _TESTS)
        found += [interval for interval in sure if interval is not None]
    first = values[0].constant if values else None
    return Value(
        low,
        high,
        any(v.nan or v.low != v.low for v in values),
        all(v.known for v in values),
        count,
        found=tuple({repr(interval): interval for interval in found}.values())[: 4 * PARTS],
        equal=first is not None and all(v.constant == first for v in values),
        integer=all(v.integer for v in values),
    )


def combine(one: Value, other: Value, operation: Callable[[Interval, Interval], Image]) -> Value:
    """Element by element, a function of two blobs of the same shape.

    Where one is constant, or both are functions of the same numbers, existence carries over.
    """
    low, high, nan = operation((one.low, one.high), (other.low, other.high))
    known = one.known and other.known
    if not known and low == low:
        low, high = max(low, -FLOAT_MAX), min(high, FLOAT_MAX)
    may_be_nan = nan != NEVER or one.nan or other.nan
    base = Value(low, high, may_be_nan, known, one.count, equal=one.equal and other.equal)
    # existence is best kept by the side that spreads wider
    sides = sorted(((one, other, False), (other, one, True)), key=lambda side: side[0].low - side[0].high)
    for a, b, swapped in sides:
        if (a.parts or a.found) and known:

            def against(x: float, y: float, b: Value = b, swapped: bool = swapped) -> Image:
                pair: tuple[Interval, Interval] = ((x, y), (b.low, b.high))
                return operation(*reversed(pair)) if swapped else operation(*pair)

            if b.basis is a.basis and len(a.parts) == len(b.parts) and a.basis is not None:
                parts = tuple(
                    _joint(operation, p, q) if not swapped else _joint(operation, q, p)
                    for p, q in zip(a.parts, b.parts, strict=True)
                )
                return base.but(parts=parts, number=a.number, basis=a.basis)
            if b.constant is not None or not b.nan:
                mapped = a.map(against)
                if mapped.parts or mapped.found:
                    return base.but(parts=mapped.parts, number=a.number, basis=a.basis, found=mapped.found)
    found = [NAN] if one.surely_nan or other.surely_nan else []
    return base.but(found=tuple(found))


def _joint(operation: Callable[[Interval, Interval], Image], one: Part, other: Part) -> Part:
    low, high, nan = operation((one.low, one.high), (other.low, other.high))
    return Part(low, high, 0.0 if nan == SOMEWHERE else min(one.chance, other.chance))


def total(value: Value, count: int | None) -> Interval:
    """Bounds of the sum of `count` elements, which hold but with a chance of 1e-9 (Hoeffding)."""
    if count is None or value.low != value.low:
        return -math.inf, math.inf
    low, high = value.low * count, value.high * count
    if value.number == value.count == count and value.low >= 0 and not value.nan:
        low = max(low, _layered(value.parts, count))
    covered = math.fsum(part.chance for part in value.parts)
    if value.number == value.count == count and covered > 1 - 1e-6 and not value.nan and value.finite:
        slack = (value.high - value.low) * math.sqrt(-count * LOG_DOUBT / 2)
        low = max(low, count * math.fsum(p.chance * p.low for p in value.parts) - slack)
        high = min(high, count * math.fsum(p.chance * p.high for p in value.parts) + slack)
    return low, high


def _layered(parts: Sequence[Part], count: int) -> float:
    """What the sum of numbers that are not negative surely reaches: level by level, by how many exceed it."""
    summed, level = 0.0, 0.0
    above = math.fsum(part.chance for part in parts)
    for part in sorted(part for part in parts if part.low == part.low):
        summed += (part.low - level) * _at_least(count * above) if part.low > level else 0.0
        level, above = max(level, part.low), above - part.chance
    return summed


def _at_least(expected: float) -> float:
    """How often something surely happens that is expected so often (Chernoff, for each of the parts)."""
    if expected <= 0:
        return 0.0
    return max(0.0, expected - math.sqrt(2 * expected * (math.log(PARTS) - LOG_DOUBT)))


def repeated_sum(product: Image, terms: int, outputs: int | None) -> Value:
    """The sum of `terms` equal products: exact where it is a small whole number."""
    one = product[0]
    whole = f32(one * terms)
    if math.isfinite(whole) and (one == math.floor(one) and abs(whole) < 2**24):
        return constant(whole, outputs)
    if not math.isfinite(whole):
        return constant(whole if terms else 0.0, outputs)
    slack = abs(whole) * terms * ROUNDING if terms > 1 else 0.0
    value = constant(whole, outputs)
    return value.but(
        low=f32(whole - slack),
        high=f32(whole + slack),
        parts=(Part(whole - slack, whole + slack, 1.0),),
        integer=False,
    )


def selection(x: Value, count: int | None) -> Value:
    """Some of the elements, chosen by position: of independent numbers each is as good as any other."""
    if x.number and x.number == x.count and count:
        return x.but(count=count, number=count, found=(), axis=None, square=None, basis=object())
    if x.constant is not None:
        return x.but(count=count, axis=None)
    return x.bounds(count)


def with_nan_of(weights: Value, top: Value) -> Value:
    """A NaN among per-channel weights makes all elements of its channel NaN."""
    return top.but(nan=True, found=(*top.found, (math.nan, math.nan))) if weights.surely_nan else top


def all_nan(x: Value) -> Value:
    """What is left of x where every element has become NaN."""
    return x.bounds(x.count).but(nan=True, found=(NAN,))


def perhaps_nan(x: Value) -> Value:
    """What is left to say where an element of x may not be finite."""
    return Value(-FLOAT_MAX, FLOAT_MAX, True, x.known, x.count)

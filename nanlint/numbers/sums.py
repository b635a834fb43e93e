"""Sums of many numbers, and of products with weights."""

from __future__ import annotations

import math

from nanlint.numbers.combining import ROUNDING, farthest, repeated_sum, total
from nanlint.numbers.draws import anything, constant, normal_parts, normal_reach
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import NEVER, Image, Interval, magnitude, times
from nanlint.numbers.values import NAN, TINY, Part, Value


def summed(x: Value, terms: int | None, outputs: int | None) -> Value:
    """Sums of `terms` elements each; every element is in one of them."""
    if x.low != x.low:
        return constant(math.nan, outputs)
    if x.constant is not None and terms is not None:
        return repeated_sum((x.constant, x.constant, NEVER), terms, outputs)
    if terms is None or not x.known:
        low = 0.0 if x.low >= 0 else -FLOAT_MAX
        return anything(outputs).but(low=low, nan=x.nan, found=(NAN,) if x.surely_nan else ())
    low, high = total(x, terms) if x.count == terms else (x.low * terms, x.high * terms)
    low, high = _with_sure_elements(x, terms, outputs, (low, high))
    wide = max(abs(x.low), abs(x.high)) * terms * terms * ROUNDING
    low, high = (low - wide, high + wide) if math.isfinite(wide) else (low, high)
    if x.low >= 0:
        low = max(low, 0.0)
    up, down = x.surely(lambda a, b: a == math.inf), x.surely(lambda a, b: b == -math.inf)
    found: tuple[Interval, ...] = ()
    if x.surely_nan or (up and down and outputs == 1):
        found = (NAN,)
    elif up or down:
        sure = math.inf if up else -math.inf
        found = ((sure, sure),) if not x.nan and not (x.low == -math.inf and x.high == math.inf) else ()
        if not found:
            return Value(-math.inf, math.inf, True, True, outputs, found=(NAN,))
    elif x.low >= 0 or x.high <= 0:
        size_ = farthest(x)
        if x.low >= 0 and size_ > low:
            found = ((f32(size_), f32(high)),)
    nan = x.nan or (x.low == -math.inf and x.high == math.inf) or found == (NAN,)
    return Value(f32(low), f32(high), nan, True, outputs, 1 if outputs else 0, found=found)


def _with_sure_elements(x: Value, terms: int, outputs: int | None, bounds: Interval) -> Interval:
    """The bounds of a sum of which `number` elements surely lie in the one part."""
    if outputs != 1 or len(x.parts) != 1 or x.parts[0].chance < 1 or not 1 < x.number <= terms or x.nan:
        return bounds
    [(least, most, _)], others = x.parts, terms - x.number
    return max(bounds[0], x.number * least + others * x.low), min(bounds[1], x.number * most + others * x.high)


def weighted(
    x: Value,
    weights: Value,
    terms: int | None,
    outputs: int | None,
    channels: int,
    *,
    padded: bool = False,
    covering: bool = True,
    independent: bool = True,
) -> Value:
    """Sums of `terms` products of x with weights, `outputs` of them in `channels` with weights of their own.

    `padded`: zeros may stand in for some x. `covering`: every x is read by some sum.
    `independent`: the weights were drawn without regard to x (not so where another layer shares them).
    """
    if x.low != x.low or weights.low != weights.low:
        return constant(math.nan, outputs)
    found: list[Interval] = [NAN] if weights.surely_nan or (covering and x.surely_nan) else []
    zero = x.constant == 0 and weights.finite
    if not found and (zero or (weights.constant == 0 and x.finite and x.known)):
        return constant(0.0, outputs)
    known = x.known and weights.known
    if terms is None or not known:
        return anything(outputs).but(found=tuple(found), nan=bool(found) or x.nan or weights.nan)
    product = times((x.low, x.high), (weights.low, weights.high))
    low, high = _sum_of(product, terms, padded)
    if independent and x.finite and weights.finite and weights.number:
        low, high = _narrowed((low, high), x, weights, terms, outputs)
    nan = x.nan or weights.nan or product[2] != NEVER or (low < -FLOAT_MAX and high > FLOAT_MAX)
    if weights.surely_infinite and covering and not found:
        found.append(_infinite_sum(x, weights, terms))
    single = x.constant is not None and weights.constant is not None and not padded
    if single and not found:
        return repeated_sum(product, terms, outputs)
    value = Value(low, high, nan or (bool(found) and found[0] == NAN), True, outputs, found=tuple(found))
    if found or not (independent and x.finite and weights.number and weights.finite and covering):
        return _overflown(value)
    return _overflown(_drawn(value, x, weights, terms, channels))


def _sum_of(product: Image, terms: int, padded: bool) -> Interval:
    low, high = product[0] * terms, product[1] * terms
    if padded or terms == 0:
        low, high = min(low, 0.0), max(high, 0.0)
    slack = terms * ROUNDING
    return (
        low - abs(low) * slack if math.isfinite(low) else low,
        high + abs(high) * slack if math.isfinite(high) else high,
    )


def _narrowed(bounds: Interval, x: Value, weights: Value, terms: int, outputs: int | None) -> Interval:
    """A sum of independent weights of mean m and deviation s is within m sum(x) +- reach s |x|."""
    half = (weights.high - weights.low) / 2
    if weights.equal or not math.isfinite(half):
        return bounds
    middle = (weights.low + weights.high) / 2
    largest = magnitude(x.low, x.high)[1]
    reach = normal_reach(outputs or 10**9) * (weights.deviation or half) * math.sqrt(terms) * largest
    centre = (middle * terms * x.low, middle * terms * x.high, 0.0)
    return max(bounds[0], min(centre) - reach), min(bounds[1], max(centre) + reach)


def _symmetric(weights: Value) -> bool:
    """Whether the weights were drawn evenly around 0."""
    drawn = weights.number == weights.count and not weights.equal and not weights.found
    return drawn and weights.number > 0 and abs(weights.low + weights.high) <= 1e-6 * weights.high


def _drawn(value: Value, x: Value, weights: Value, terms: int, channels: int) -> Value:
    """What sums with weights drawn evenly around 0 surely contain: both signs, and some size.

    At one position whose inputs are not all 0, the sums of different channels are independent.
    """
    least = farthest(x)
    if not _symmetric(weights) or least <= 0:
        return value
    parts = [Part(value.low, -TINY, 0.5), Part(TINY, value.high, 0.5)]
    if weights.deviation:
        # the sum is normal, with the deviation of the weights times the length of its inputs
        shortest = weights.deviation * least
        longest = weights.deviation * math.sqrt(terms) * magnitude(x.low, x.high)[1]
        parts = [
            Part(max(low * shortest, TINY), high * longest, chance)
            if low >= 0
            else Part(low * longest, min(high * shortest, -TINY), chance)
            for low, high, chance in normal_parts()
        ]
    return value.but(parts=tuple(parts), number=channels, basis=object())


def _infinite_sum(x: Value, weights: Value, terms: int) -> Interval:
    """Infinite weights times x: 0 * inf and inf - inf are NaN, one sign alone stays infinite."""
    if weights.constant is not None and x.low > 0:
        return weights.low, weights.low
    if weights.constant is not None and x.high < 0:
        return -weights.low, -weights.low
    return NAN


def _overflown(value: Value) -> Value:
    """Bounds and parts beyond the largest float are infinite."""

    def single(x: float) -> float:
        return f32(x) if x == x else x

    parts = tuple(Part(single(p.low), single(p.high), p.chance) for p in value.parts)
    return value.but(low=single(value.low), high=single(value.high), parts=parts)

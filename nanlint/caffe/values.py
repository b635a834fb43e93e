"""What is known of the numbers in a blob: an abstract domain with 32-bit semantics and proofs of existence.

A value bounds every element and, where the source is random or constant, says what the blob surely
contains: its `parts` are disjoint intervals, and each of `number` independent elements lies in a part
with at least the part's chance; each interval in `found` holds some element. A claim of existence
counts as certain when the chance that it is wrong is below 1e-9 (`DOUBT`): 100 Gaussian numbers
that went through ReLU certainly contain an exact 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from statistics import NormalDist
from typing import Any, NamedTuple

from nanlint.caffe.float32 import FLOAT_MAX, f32
from nanlint.caffe.intervals import EVERYWHERE, NEVER, SOMEWHERE, Image, Interval, Map, magnitude

DOUBT = 1e-9
_LOG_DOUBT = math.log(DOUBT)
PARTS = 64
TINY = 1.4e-45
"""The smallest positive 32-bit float: a continuous number left of 0 is at most -TINY."""
NAN: Interval = (math.nan, math.nan)

Test = Callable[[float, float], bool]


class Part(NamedTuple):
    """An interval in which each independent element lies with a chance of at least `chance`."""

    low: float
    high: float
    chance: float


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """What is known of one blob (or of its gradient).

    low, high  bounds of every element that is not NaN (NaN, NaN where no element is a number)
    nan        an element can be NaN
    known      the bounds follow from the files; otherwise they are an assumption: finite, any size
    count      elements, None if unknown
    number     how many elements are independent of each other (0: nothing is known of existence)
    parts      see the module; where they are aligned to another value's, `basis` is the same object
    found      intervals that each surely hold some element
    equal      all elements are the same number
    integer    all elements are whole numbers
    square     bounds of the mean square of the elements, or None
    axis       the elements are probabilities that add to 1 along this axis
    deviation  standard deviation of independent normal numbers around (low + high) / 2
    """

    low: float
    high: float
    nan: bool = False
    known: bool = True
    count: int | None = None
    number: int = 0
    parts: tuple[Part, ...] = ()
    found: tuple[Interval, ...] = ()
    equal: bool = False
    integer: bool = False
    basis: object = None
    square: Interval | None = None
    axis: int | None = None
    deviation: float | None = None

    @property
    def constant(self) -> float | None:
        """The number that every element is, where it is known (NaN included)."""
        if not self.known or (self.nan and self.low == self.low):
            return None
        return self.low if self.low == self.high or self.low != self.low else None

    @property
    def may_be_bad(self) -> bool:
        """Whether an element may be NaN or infinite."""
        return self.nan or self.low != self.low or self.low == -math.inf or self.high == math.inf

    @property
    def finite(self) -> bool:
        """Whether every element is surely finite (for unknown data: is taken to be)."""
        return not self.nan and self.low >= -FLOAT_MAX and self.high <= FLOAT_MAX

    def chance(self, test: Test) -> float:
        """The chance that one independent element passes a test of intervals."""
        return min(1.0, math.fsum(part.chance for part in self.parts if test(part.low, part.high)))

    def surely(self, test: Test) -> bool:
        """Whether some element certainly passes the test."""
        if (self.known or self.nan) and self.count != 0 and self._all(test):
            return True
        return any(test(*interval) for interval in self.found) or certain(self.chance(test), self.number)

    def _all(self, test: Test) -> bool:
        return (not self.nan or self.low != self.low) and self.known and test(self.low, self.high)

    def witness(self, test: Test) -> Interval | None:
        """An interval that surely holds an element and passes the test, to be shown as evidence."""
        for interval in self.found:
            if test(*interval):
                return interval
        passing = [part for part in self.parts if test(part.low, part.high)]
        if passing:
            best = max(passing, key=lambda part: part.chance)
            return best.low, best.high
        return (self.low, self.high) if test(self.low, self.high) else None

    @property
    def surely_nan(self) -> bool:
        return (self.nan or self.low != self.low) and self.surely(is_nan)

    @property
    def surely_infinite(self) -> bool:
        """Whether some element certainly is +inf or -inf."""
        return self.surely(is_infinite)

    @property
    def surely_bad(self) -> bool:
        """Whether some element certainly is not finite."""
        return self.surely(is_bad)

    def map(self, image: Map, *, of_nan: Interval | None = None, **more: Any) -> Value:
        """The value after a function of each element.

        `of_nan`: what the function makes of NaN, if not NaN. Parts stay aligned with this value's.
        """

        def of(low: float, high: float) -> Image:
            if low != low:
                return (*of_nan, NEVER) if of_nan else (math.nan, math.nan, EVERYWHERE)
            return image(low, high)

        low, high, nan = of(self.low, self.high)
        may_be_nan = nan != NEVER
        if self.nan and self.low == self.low:
            if of_nan:
                low, high = (min(low, of_nan[0]), max(high, of_nan[1])) if low == low else of_nan
            else:
                may_be_nan = True
        if not self.known and low == low:
            low, high = max(low, -FLOAT_MAX), min(high, FLOAT_MAX)
        parts = []
        for part in self.parts:
            start, end, met = of(part.low, part.high)
            if met == SOMEWHERE:
                start, end, chance = start, end, 0.0
            else:
                chance = part.chance
            parts.append(Part(start, end, chance))
        found = []
        for interval in self.found:
            start, end, met = of(*interval)
            if met != SOMEWHERE:
                found.append((start, end))
        got = Value(
            low,
            high,
            may_be_nan,
            self.known,
            self.count,
            self.number,
            tuple(parts),
            tuple(found),
            self.equal,
            basis=self.basis,
        )
        return got.but(**more) if more else got

    def but(self, **changes: Any) -> Value:
        """The same value with some fields changed."""
        return replace(self, **changes)

    def sized(self, count: int | None) -> Value:
        """The same numbers in a blob of another size (each of the old ones is still there)."""
        return self if count == self.count else self.but(count=count, axis=None)

    def bounds(self, count: int | None = None) -> Value:
        """The bounds alone: what is still known of a selection of the elements."""
        return Value(self.low, self.high, self.nan, self.known, count, equal=self.equal, integer=self.integer)


def is_nan(low: float, high: float) -> bool:
    return low != low


def is_infinite(low: float, high: float) -> bool:
    return low == math.inf or high == -math.inf


def is_bad(low: float, high: float) -> bool:
    return low != low or low == math.inf or high == -math.inf


def is_zero(low: float, high: float) -> bool:
    return low == 0 == high


def is_negative(low: float, high: float) -> bool:
    return high < 0


def is_positive(low: float, high: float) -> bool:
    return low > 0


_TESTS: tuple[Test, ...] = (
    is_nan,
    is_zero,
    is_negative,
    is_positive,
    lambda low, high: low == math.inf,
    lambda low, high: high == -math.inf,
)


def certain(chance: float, number: int) -> bool:
    """Whether one of `number` independent elements surely does what each does with this chance."""
    if number <= 0 or chance <= 0:
        return False
    return chance >= 1 or number * math.log1p(-chance) < _LOG_DOUBT


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
    """Bounds of a mean of squares of `count` independent numbers (wide, but certain from some 100 numbers on)."""
    if not count or count < 100 or not math.isfinite(mean):
        return None
    return mean * 0.2, mean * 5


@cache
def normal_parts() -> tuple[Part, ...]:
    """The parts of a standard normal number; the outer ones reach to 40 deviations."""
    quantile = NormalDist().inv_cdf
    edges = [-40.0, *(quantile(i / PARTS) for i in range(1, PARTS // 2)), 0.0]
    edges += [-edge for edge in reversed(edges[:-1])]
    return tuple(Part(a, b or -TINY, 1 / PARTS) for a, b in pairwise(edges))


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
    return _reached(
        [(p.low, p.chance) for p in value.parts if p.low == p.low], value, [x for x, _ in value.found]
    )


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
    for a, b, swapped in ((one, other, False), (other, one, True)):
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
        slack = (value.high - value.low) * math.sqrt(-count * _LOG_DOUBT / 2)
        low = max(low, count * math.fsum(p.chance * p.low for p in value.parts) - slack)
        high = min(high, count * math.fsum(p.chance * p.high for p in value.parts) + slack)
    return low, high


def _layered(parts: Sequence[Part], count: int) -> float:
    """What the sum of numbers that are not negative surely reaches: level by level, by how many exceed it."""
    summed, level = 0.0, 0.0
    above = math.fsum(part.chance for part in parts)
    for part in sorted(parts):
        summed += (part.low - level) * _at_least(count * above) if part.low > level else 0.0
        level, above = max(level, part.low), above - part.chance
    return summed


def _at_least(expected: float) -> float:
    """How often something surely happens that is expected so often (Chernoff, for each of the parts)."""
    return max(0.0, expected - math.sqrt(2 * expected * (math.log(PARTS) - _LOG_DOUBT)))

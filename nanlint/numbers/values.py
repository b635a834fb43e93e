"""What is known of the numbers in a blob: an abstract domain with 32-bit semantics and proofs of existence.

A value bounds every element and, where the source is random or constant, says what the blob surely
contains: its `parts` are disjoint intervals, and each of `number` independent elements lies in a part
with at least the part's chance; each interval in `found` holds some element. A claim of existence
counts as certain when the chance that it is wrong is below 1e-9 (`DOUBT`): 100 Gaussian numbers
that went through ReLU certainly contain an exact 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from nanlint.numbers.float32 import FLOAT_MAX
from nanlint.numbers.intervals import EVERYWHERE, NEVER, SOMEWHERE, Image, Interval, Map

DOUBT = 1e-9
LOG_DOUBT = math.log(DOUBT)
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


class Value(NamedTuple):
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
    count: int | None = None  # type: ignore[assignment]  # not a tuple's count
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
        if self.found and any(test(*interval) for interval in self.found):
            return True
        return bool(self.parts) and self.number > 0 and certain(self.chance(test), self.number)

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
        return not self.finite and self.surely(is_bad)

    def map(self, image: Map, *, of_nan: Interval | None = None, **more: Any) -> Value:
        """The value after a function of each element.

        `of_nan`: what the function makes of NaN, if not NaN. Parts stay aligned with this value's.
        """

        def of(low: float, high: float) -> Image:
            if low != low and of_nan:
                return (*of_nan, NEVER)
            start, end, met = image(low, high)
            return (start, end, met) if start == start else (math.nan, math.nan, EVERYWHERE)

        low, high, nan = of(self.low, self.high)
        may_be_nan = nan != NEVER
        if self.nan and self.low == self.low:
            # zeros are what BLAS makes of NaN times 0
            start, end, met = of(math.nan, math.nan)
            may_be_nan = may_be_nan or met != NEVER
            if met == NEVER:
                low, high = (min(low, start), max(high, end)) if low == low else (start, end)
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
            # what comes of all numbers alike comes of unknown ones too
            self.known or not low < high,
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
        return self._replace(**changes)

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


def certain(chance: float, number: int) -> bool:
    """Whether one of `number` independent elements surely does what each does with this chance."""
    if number <= 0 or chance <= 0:
        return False
    return chance >= 1 or number * math.log1p(-chance) < LOG_DOUBT

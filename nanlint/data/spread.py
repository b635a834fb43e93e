"""Exact statistics that merge: whatever the parts in which numbers are read, the same figures come out.

Sums are whole numbers of a unit that every float32 is a multiple of, so that adding them up loses nothing and
their order does not matter. What is rounded (the sum over one record of floats) is rounded within the record.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

UNIT = 149
"""Every float32 is a multiple of 2**-UNIT, every square of one a multiple of 2**-(2 * UNIT)."""

MOST_VALUES = 100_000
"""Distinct values that are counted; a blob with more holds no classes."""


def units(number: float, unit: int = UNIT) -> int:
    """A finite double as a whole number of 2**-unit; what is smaller than that is dropped."""
    mantissa, exponent = math.frexp(number)
    whole, shift = int(mantissa * (1 << 53)), exponent - 53 + unit
    return whole << shift if shift >= 0 else whole >> -shift


@dataclass
class Sums:
    """The finite numbers of one channel: how many, the least, the greatest, their sum and that of their squares."""

    count: int = 0
    low: float = math.inf
    high: float = -math.inf
    total: int = 0
    squares: int = 0

    def add(self, other: Sums) -> None:
        self.count += other.count
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.total += other.total
        self.squares += other.squares

    @property
    def mean(self) -> float:
        return self.total / (self.count << UNIT) if self.count else math.nan

    @property
    def std(self) -> float:
        """The standard deviation of the population."""
        if not self.count:
            return math.nan
        scatter = self.squares * self.count - self.total**2
        return _root_of_ratio(max(0, scatter), self.count**2 << 2 * UNIT)


def _root_of_ratio(numerator: int, denominator: int) -> float:
    try:
        return math.sqrt(numerator / denominator)
    except OverflowError:
        return math.inf


@dataclass
class Spread:
    """The numbers of one blob, by channel. `channels` is None where their number varies.

    `bins`: how many numbers have the upper 12 bits of their float32 (sign, exponent, 3 bits) in common.
    """

    channels: list[Sums] | None = field(default_factory=list)
    nonfinite: int = 0
    bins: Counter[int] = field(default_factory=Counter)

    def add(self, other: Spread) -> None:
        self.nonfinite += other.nonfinite
        self.bins.update(other.bins)
        self.add_channels(other.channels)

    def add_channels(self, channels: list[Sums] | None) -> None:
        """Add what another part has of each channel; an empty list is a part without records."""
        if self.channels is None or channels == []:
            return
        if channels is None or (self.channels and len(self.channels) != len(channels)):
            self.channels = None
        elif not self.channels:
            self.channels = channels
        else:
            for own, more in zip(self.channels, channels, strict=True):
                own.add(more)


@dataclass
class Values:
    """How often each value stands in a blob of labels or targets; too many distinct ones are not kept.

    `first` and `last` are those of the records in order, `falls` says that one is less than the one before it.
    """

    counts: Counter[float] = field(default_factory=Counter)
    many: bool = False
    first: float | None = None
    last: float | None = None
    falls: bool = False

    def tally(self, counts: Mapping[float, int]) -> None:
        """Add how often values stand there."""
        if not self.many:
            self.counts.update(counts)
        self._limit()

    def follow(self, values: list[float]) -> None:
        """Take note of the order of one label a record."""
        for value in values:
            if self.last is not None and not value >= self.last:
                self.falls = True
            self.last = value
        if self.first is None and values:
            self.first = values[0]

    def add(self, other: Values) -> None:
        """Add the records that come after these."""
        self.many = self.many or other.many
        if not self.many:
            self.counts.update(other.counts)
        self._limit()
        if other.first is not None:
            self.falls = self.falls or other.falls or (self.last is not None and not other.first >= self.last)
            self.first = other.first if self.first is None else self.first
            self.last = other.last
        self.falls = self.falls or other.falls

    def _limit(self) -> None:
        if self.many or len(self.counts) > MOST_VALUES:
            self.many = True
            self.counts.clear()

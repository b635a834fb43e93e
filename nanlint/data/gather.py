"""What reading a part of a source brings together, and how the parts make one account. No numpy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nanlint.data.records import (
    MOST_FAULTS,
    PARTLY,
    READ,
    REFUSED,
    Account,
    Channel,
    Fault,
    Listed,
    Matrix,
    Top,
    Weights,
    Windows,
)
from nanlint.data.request import Request, Transform
from nanlint.data.spread import Spread, Sums, Values

if TYPE_CHECKING:
    from nanlint.caffe.caffemodel import SavedState

MOST_SHAPES = 100
UNPLACED = 1 << 62
"""Where a shape came first, if its record's number is not known."""
MOST_CHANGES = 1000
MOST_PRINTS = 200_000

Shape = tuple[int, ...]


@dataclass
class TopPart:
    """What the records of a part hold for one top."""

    shapes: dict[Shape, int] = field(default_factory=dict)
    spread: Spread = field(default_factory=Spread)
    after: Spread | None = None
    values: Values | None = None
    ordered: bool = False
    dtype: str = ""
    zero_rows: int = 0

    def shaped(self, shape: Shape, index: int) -> None:
        """Take note of a record's shape, unless there are too many."""
        if index < 0:
            index = UNPLACED
        if index < self.shapes.get(shape, UNPLACED + 1) and (shape in self.shapes or len(self.shapes) < MOST_SHAPES):
            self.shapes[shape] = index

    def add(self, other: TopPart, offset: int) -> None:
        for shape, index in other.shapes.items():
            self.shaped(shape, index + offset if index < UNPLACED else UNPLACED)
        self.spread.add(other.spread)
        if self.after is not None and other.after is not None:
            self.after.add(other.after)
        if self.values is not None and other.values is not None:
            self.values.add(other.values)
        self.dtype = self.dtype or other.dtype
        self.zero_rows += other.zero_rows


@dataclass
class Gathered:
    """What a part of a source holds. Numbers of records count from the part's first."""

    tops: list[TopPart]
    read: int = 0
    records: int | None = None
    whole: bool = True
    refused: bool = False
    encoded: int = 0
    faults: list[Fault] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    changes: list[int] = field(default_factory=list)
    last_shape: Shape | None = None
    prints: set[int] = field(default_factory=set)
    boxes: Counter[float] | None = None
    content: Listed | Windows | Matrix | Weights | SavedState | None = None

    @classmethod
    def of(cls, request: Request) -> Gathered:
        """With nothing read as yet."""
        tops = [TopPart(values=Values() if name in request.counted else None) for name in request.tops]
        return cls(tops)

    def fault(self, kind: str, words: str, index: int = -1, where: str = "") -> None:
        self.counted[kind] += 1
        if self.counted[kind] <= MOST_FAULTS:
            self.faults.append(Fault(kind, words, index, where))

    def shaped(self, shape: Shape, index: int) -> None:
        """Take note of the shape of the next record's first top."""
        if self.last_shape is not None and shape != self.last_shape and len(self.changes) < MOST_CHANGES:
            self.changes.append(index)
        self.last_shape = shape
        self.tops[0].shaped(shape, index)

    def printed(self, value: int) -> None:
        """Keep a fingerprint: of too many the least, which are the same in whatever order they come."""
        self.prints.add(value)
        if len(self.prints) > 2 * MOST_PRINTS:
            self.prints = set(sorted(self.prints)[:MOST_PRINTS])

    def add(self, other: Gathered) -> None:
        """Add the part that comes next."""
        offset = self.read
        for own, more in zip(self.tops, other.tops, strict=True):
            own.add(more, offset)
        first = min(other.tops[0].shapes.items(), key=lambda one: one[1], default=None) if other.tops else None
        if first and self.last_shape is not None and first[0] != self.last_shape:
            self.changes.append(first[1] + offset)
        self.changes = (self.changes + [index + offset for index in other.changes])[:MOST_CHANGES]
        self.last_shape = other.last_shape or self.last_shape
        kept = Counter(fault.kind for fault in self.faults)
        for fault in other.faults:
            if kept[fault.kind] < MOST_FAULTS:
                kept[fault.kind] += 1
                self.faults.append(fault._replace(at=fault.at + (offset if fault.at >= 0 else 0)))
        self.counted.update(other.counted)
        self.read += other.read
        self.whole = self.whole and other.whole
        self.refused = self.refused or other.refused
        self.encoded += other.encoded
        self.prints |= other.prints
        if other.boxes is not None:
            self.boxes = (self.boxes or Counter()) + other.boxes

    def account(self, request: Request, seconds: float) -> Account:
        """The finished account."""
        state = REFUSED if self.refused else READ if self.whole else PARTLY
        tops = tuple(
            _top(name, part, request.transform if index == 0 else Transform())
            for index, (name, part) in enumerate(zip(request.tops, self.tops, strict=True))
        )
        return Account(
            request.kind,
            request.path,
            state,
            self.whole,
            self.read,
            self.read if self.whole and self.records is None else self.records,
            seconds,
            tops,
            self.encoded,
            tuple(self.faults),
            {kind: self.counted[kind] for kind in sorted(self.counted)},
            tuple(self.changes),
            frozenset(sorted(self.prints)[:MOST_PRINTS]),
            None if self.boxes is None else dict(sorted(self.boxes.items())),
            self.content,
        )


def merged(parts: list[Gathered]) -> Gathered:
    """The parts of a source, in their order, as one."""
    first, *rest = parts
    for part in rest:
        first.add(part)
    return first


def _top(name: str, part: TopPart, transform: Transform) -> Top:
    channels = _channels(part.spread)
    after = _channels(part.after) if part.after is not None else _transformed(channels, transform)
    values = part.values
    return Top(
        name,
        dict(sorted(part.shapes.items())),
        channels,
        after,
        part.spread.nonfinite,
        dict(sorted(values.counts.items())) if values is not None and not values.many else None,
        values.falls if values is not None and values.first is not None else None,
        dict(sorted(part.spread.bins.items())),
        part.dtype,
        part.zero_rows,
    )


def _channels(spread: Spread) -> tuple[Channel, ...] | None:
    return tuple(map(_channel, spread.channels)) if spread.channels else None


def _channel(sums: Sums) -> Channel:
    nan = float("nan")
    low, high = (sums.low, sums.high) if sums.count else (nan, nan)
    return Channel(sums.count, low, high, sums.mean, sums.std)


def _transformed(channels: tuple[Channel, ...] | None, transform: Transform) -> tuple[Channel, ...] | None:
    """(x - mean) * scale of each channel, where the mean is one number a channel (data_transformer.cpp)."""
    means = transform.mean_values
    if channels is None or not transform.known or transform.mean_file or len(means) not in (0, 1, len(channels)):
        return None
    scale = transform.scale
    moved = []
    for index, one in enumerate(channels):
        mean = means[index % len(means)] if means else 0.0
        ends = sorted(((one.low - mean) * scale, (one.high - mean) * scale))
        moved.append(Channel(one.number, ends[0], ends[1], (one.mean - mean) * scale, one.std * abs(scale)))
    return tuple(moved)

"""What was read beside the nets, as plain records: rules and analyses take these, and import no reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nanlint.caffe.caffemodel import SavedLayer, SavedState

READ, PARTLY, ABSENT, REFUSED = "read", "partly", "absent", "refused"

MOST_FAULTS = 20
"""Faults of one kind that are kept with their places; the rest is counted."""


class Fault(NamedTuple):
    """Something wrong with a source: its kind, words on it, the record (counted from 0; -1: not known, or the
    whole) and its key, file or line.
    """

    kind: str
    words: str
    at: int = -1
    where: str = ""

    @property
    def record(self) -> str:
        """`record 17, key 00000017`."""
        number = f"record {self.at}" if self.at >= 0 else ""
        return ", ".join(part for part in (number, self.where) if part)


class Channel(NamedTuple):
    """The finite numbers of one channel; the population's standard deviation. NaN where there is none."""

    number: int
    low: float
    high: float
    mean: float
    std: float


@dataclass(frozen=True)
class Top:
    """What a source holds for one top of its layer, before the transformation.

    `shapes`: of a record, without the batch, with the record of each that came first. `channels` is None where
    their number varies. `values`: how often each stands there, None where they are too many or were not asked
    for. `falls`: one record's label is less than that of the record before; None where there is no one label a
    record. `after`: the channels after the transformation, None where it is not known. `bins`: see spread.py.
    """

    name: str
    shapes: dict[tuple[int, ...], int] = field(default_factory=dict)
    channels: tuple[Channel, ...] | None = None
    after: tuple[Channel, ...] | None = None
    nonfinite: int = 0
    values: dict[float, int] | None = None
    falls: bool | None = None
    bins: dict[int, int] = field(default_factory=dict)
    dtype: str = ""
    zero_rows: int = 0

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of a record, where all have the same."""
        return next(iter(self.shapes)) if len(self.shapes) == 1 else None

    @property
    def first_shape(self) -> tuple[int, ...] | None:
        """The shape of the first record, from which Caffe takes that of the blob."""
        return next((shape for shape, index in self.shapes.items() if index == 0), None)

    @property
    def low(self) -> float | None:
        found = [one.low for one in self.channels or () if one.number]
        return min(found) if found else None

    @property
    def high(self) -> float | None:
        found = [one.high for one in self.channels or () if one.number]
        return max(found) if found else None


class Listed(NamedTuple):
    """A list of files: how many it names, how many of those looked for are absent."""

    files: int
    absent: int
    looked_for: int


class Windows(NamedTuple):
    """A window file: how many windows are foreground and background, and its images."""

    foreground: int
    background: int
    images: Listed
    channels: int


class Matrix(NamedTuple):
    """A mean file or a matrix: its shape as Caffe sees it, the numbers given, and, of a square matrix, which rows
    hold nothing but 0 and how many numbers are negative.
    """

    shape: tuple[int, ...]
    held: int
    zero_rows: tuple[int, ...] = ()
    negative: int = 0


class Figures(NamedTuple):
    """The numbers of one saved blob. `whole`: all were looked at."""

    number: int
    nonfinite: int
    low: float
    high: float
    whole: bool = True


class Weights(NamedTuple):
    """The layers of a weights file, and the figures of their blobs in the same order."""

    layers: tuple[SavedLayer, ...]
    figures: tuple[tuple[Figures | None, ...], ...]
    web_page: bool = False


@dataclass(frozen=True)
class Account:
    """One source as it was read. `records`: how many the store holds, None where it does not say.

    `counted`: how many faults of each kind there are, also those that are not among `faults`.
    `changes`: the records (counted from 0) whose shape is another than that of the record before, as far as their
    places are known. `prints`: fingerprints of the records. `boxes`: how many annotations (SSD), and of which labels.
    """

    kind: str
    path: str
    state: str
    whole: bool = False
    read: int = 0
    records: int | None = None
    seconds: float = 0.0
    tops: tuple[Top, ...] = ()
    encoded: int = 0
    faults: tuple[Fault, ...] = ()
    counted: dict[str, int] = field(default_factory=dict)
    changes: tuple[int, ...] = ()
    prints: frozenset[int] = frozenset()
    boxes: dict[float, int] | None = None
    content: Listed | Windows | Matrix | Weights | SavedState | None = None

    def fault(self, *kinds: str) -> Fault | None:
        """The first fault of some kinds."""
        return next((one for one in self.faults if one.kind in kinds), None)


class Fed(NamedTuple):
    """What a data layer hands to one top in one phase, after its transformation.

    `shape`: with the batch, as Caffe sets the blob up. `channels`: over axis 1 of the blob; None where not known.
    `whole`: every record was read; else `channels` is that of a sample of `read` records. `zero_rows`: records that
    hold nothing but 0. `nonfinite`: numbers that are NaN or infinite. `labels`: all the numbers of a top of labels.
    """

    shape: tuple[int, ...]
    channels: tuple[Channel, ...] | None
    read: int
    whole: bool
    zero_rows: int = 0
    nonfinite: int = 0
    labels: Channel | None = None

"""What stands in a log: runs with their solver and nets, their numbers, and how they ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from re import Match
from typing import NamedTuple

from nanlint.logs.series import Outputs, Series

TRAIN, TEST = "TRAIN", "TEST"


class Outcome(Enum):
    """How a run ended, as far as its log shows.

    FINISHED: `Optimization Done`, whatever came after. INTERRUPTED: Caffe stopped at a signal, in order.
    ABORTED: a failed check or LOG(FATAL). CRASHED: a signal or an exception. CUT: the log just ends.
    """

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    ABORTED = "aborted"
    CRASHED = "crashed"
    CUT = "cut"


class Failure(NamedTuple):
    """A fatal line: the source file and line that Caffe names, its message, and the line of the log."""

    file: str | None
    line: int | None
    message: str
    at: int


class Echo(NamedTuple):
    """A prototxt that Caffe printed. `start`: the line of the log that holds its first line.

    `whole`: false where it breaks off; glog cuts a message at 30,000 characters. `shapes`: those of the tops of
    the net's layers without bottoms.
    """

    phase: str
    text: str
    start: int
    whole: bool
    shapes: dict[str, tuple[int, ...]]


class DebugKey(NamedTuple):
    """What a `debug_info` line is about. `step`: forward, backward or update; `kind`: top, bottom or param."""

    step: str
    layer: str
    kind: str
    blob: str


class DebugValue(NamedTuple):
    """The mean of the absolute values that one `debug_info` line gives, and the line of the log."""

    value: float
    line: int


@dataclass
class DebugTrack:
    """What `debug_info` said of one blob over a run of the training net: how often, first, last, largest.

    `zeros` counts values of 0, `zero_streak` those at the end without another between.
    """

    count: int = 0
    first: float = 0.0
    last: float = 0.0
    peak: float = 0.0
    zeros: int = 0
    zero_streak: int = 0


Block = dict[DebugKey, DebugValue]
"""The `debug_info` lines of one pass through a net, in order."""


@dataclass
class FirstBad:
    """The first number of the file that is NaN or infinite.

    `step` is forward, backward or update with `layer` and `blob` (from `debug_info`), else loss, train_output
    or test_output. `shown_before` is the last displayed iteration before it, None if there is none. `block`
    holds what `debug_info` printed in the same pass, `earlier` in the pass before.
    """

    iteration: int
    phase: str
    step: str
    layer: str | None
    blob: str | None
    value: float
    line: int
    kind: str = ""
    run: int = 0
    shown_before: int | None = None
    block: Block = field(default_factory=dict)
    earlier: Block = field(default_factory=dict)


@dataclass
class Run:
    """One call of Caffe. `*_from` are where its rows begin in the log's series.

    `first_stamp` and `last_stamp`: glog's prefix of the first and the last loss line, with their iterations.
    `setting_up`: the layer that was being made last. `first_bad`: the run's first number that is NaN or
    infinite, `first_bad_trained` the first in the training net.
    """

    start_line: int
    losses_from: int = 0
    rates_from: int = 0
    outputs_from: int = 0
    tests_from: int = 0
    from_iteration: int = 0
    max_iter: int | None = None
    display: int | None = None
    solver: Echo | None = None
    nets: list[Echo] = field(default_factory=list)
    failure: Failure | None = None
    done: bool = False
    stopped_early: bool = False
    crash: tuple[str, int] | None = None
    killed: tuple[str, int] | None = None
    started: bool = False
    weights: str | None = None
    resumed: str | None = None
    setting_up: str | None = None
    loss_weights: dict[str, float] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)
    clipped: int = 0
    clip_norm: float = 0.0
    clip_last: float = 0.0
    first_stamp: tuple[Match[str], int] | None = None
    last_stamp: tuple[Match[str], int] | None = None
    debug: dict[DebugKey, DebugTrack] = field(default_factory=dict)
    first_bad: FirstBad | None = None
    first_bad_trained: FirstBad | None = None
    last_line: int = 0

    @property
    def outcome(self) -> Outcome:
        if self.stopped_early:
            return Outcome.INTERRUPTED
        if self.done:
            return Outcome.FINISHED
        if self.failure is not None:
            return Outcome.ABORTED
        return Outcome.CRASHED if self.crash else Outcome.CUT


@dataclass
class Log:
    """A whole log. `prefix`: glog, glog-year or none; `lead`: what stands before glog's own prefix.

    `lines` counts the lines read, `recognised` those that only Caffe writes.
    """

    path: str
    encoding: str = "utf-8"
    prefix: str = "none"
    lead: str = ""
    lines: int = 0
    recognised: int = 0
    runs: list[Run] = field(default_factory=list)
    losses: Series = field(default_factory=Series)
    rates: Series = field(default_factory=Series)
    outputs: Outputs = field(default_factory=Outputs)
    tests: Outputs = field(default_factory=Outputs)
    failure: Failure | None = None
    first_bad: FirstBad | None = None

"""A running job's log: each loss as it comes, each cause as soon as it shows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from nanlint.commands.console import show, tell, width
from nanlint.config import UsageError
from nanlint.findings import Severity
from nanlint.logs.files import Tail
from nanlint.logs.finding import LogFinding
from nanlint.logs.model import Log, Outcome
from nanlint.report.logs import summary
from nanlint.report.style import painter, wants_colour
from nanlint.safety.reading import reason

_LOOK_EVERY = 500
"""Milliseconds after which the file is read even where the system reports no change, as on network drives."""

_LAST_SHOWN = 10
_FIRST_LOOK = 10


class _Teller:
    """What has been shown of a log."""

    def __init__(self, path: str, solver: str | None) -> None:
        self._path, self._solver = path, solver
        self._paint = painter(wants_colour(sys.stdout))
        self._known: set[str] = set()
        self.again()

    def again(self) -> None:
        """The log has begun anew."""
        self._shown = 0
        self._next_look = _FIRST_LOOK
        self._bad_line: int | None = None

    def tell(self, log: Log, first: bool) -> None:
        """The losses that have come; at first only the last few of them."""
        start = max(self._shown, len(log.losses) - _LAST_SHOWN) if first else self._shown
        rows = log.losses.rows(start)
        show(f"{iteration:>9}  loss {value:g}" for iteration, value in rows)
        self._shown = len(log.losses)
        bad = log.runs[-1].first_bad if log.runs else None
        fresh_bad = bad is not None and bad.line != self._bad_line and bad.iteration >= 0
        if fresh_bad or self._shown >= self._next_look:
            self._bad_line = bad.line if bad else None
            self._next_look = max(2 * self._shown, _FIRST_LOOK)
            self._look(log)

    def _look(self, log: Log) -> None:
        """Causes that were not told before."""
        from nanlint.diagnosis import diagnose

        for one in diagnose(log, self._solver):
            if one.severity is not Severity.INFO and one.cause not in self._known:
                self._known.add(one.cause)
                self._tell(one)

    def _tell(self, one: LogFinding) -> None:
        show(["", *summary.one(self._path, one, width(), self._paint)])


def follow(path: str, solver: str | None) -> Log:
    """Show a growing log until its run ends, or until Ctrl-C. Raises UsageError if it cannot be read."""
    tail, teller = Tail(path), _Teller(path, solver)
    try:
        tail.more()
        teller.tell(tail.log, first=True)
        if _over(tail.log):
            tell("the run has ended: there is nothing to follow")
            return tail.close()
        tell("following; Ctrl-C ends it")
        for _ in _changes(path):
            if tail.more():
                tell(f"`{path}` has begun anew")
                teller.again()
            teller.tell(tail.log, first=False)
            if _over(tail.log):
                break
    except KeyboardInterrupt:
        pass
    except (OSError, ValueError) as wrong:
        raise UsageError(f"cannot read `{path}`: {reason(wrong)}") from wrong
    return tail.close()


def _over(log: Log) -> bool:
    return bool(log.runs) and (log.runs[-1].outcome is not Outcome.CUT or log.runs[-1].killed is not None)


def _changes(path: str) -> Iterator[object]:
    """Yields when the file may have changed, and twice a second in any case."""
    try:
        from watchfiles import watch
    except ImportError as wrong:
        raise UsageError("`--follow` needs watchfiles: pip install 'nanlint[follow]'") from wrong
    of = Path(path).resolve()
    return watch(
        of.parent,
        watch_filter=lambda _, changed: changed == str(of),
        recursive=False,
        debounce=200,
        step=20,
        rust_timeout=_LOOK_EVERY,
        yield_on_timeout=True,
    )

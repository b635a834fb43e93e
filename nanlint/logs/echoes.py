"""The prototxts in a log: lines without a prefix after `Initializing ... from parameters:`."""

from __future__ import annotations

from re import Pattern

from nanlint.logs.model import Echo
from nanlint.logs.patterns import SCALAR

_LARGEST = 8 << 20
"""Characters of one echo that are kept."""


class EchoReader:
    """Collects one echo. Lines of other threads and programs may stand between its lines."""

    def __init__(self, phase: str, start: int, thread: str, lead: Pattern[str] | None) -> None:
        self.phase, self.start, self.thread = phase, start, thread
        self._lead = lead
        self._lines: list[str] = []
        self._depth = 0
        self._size = 0

    def take(self, line: str) -> bool:
        """Whether an unprefixed line belongs to the echo."""
        if self._lead is not None and (lead := self._lead.match(line)):
            line = line[lead.end() :]
        line = line.rstrip("\r")
        if self._size > _LARGEST or not SCALAR.match(line):
            self._lines.append("")
            return False
        self._depth += line.rstrip().endswith("{") - (line.strip() == "}")
        self._size += len(line)
        self._lines.append(line)
        return True

    def ends_at(self, thread: str) -> bool:
        """Whether a line of glog's from a thread ends the echo; else it only stands between its lines."""
        if self._depth <= 0 or thread == self.thread:
            return True
        self._lines.append("")
        return False

    def echo(self) -> Echo:
        return Echo(self.phase, "\n".join(self._lines), self.start, self._depth <= 0, {})

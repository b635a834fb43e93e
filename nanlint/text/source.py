"""Files as text: offsets, lines and columns, and the named places in them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class Position(NamedTuple):
    """A place in a text: 1-based line and column; columns count Unicode code points."""

    line: int
    column: int


class Span(NamedTuple):
    """A half-open range of code-point offsets into a source's text."""

    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Source:
    """One file as it was read. Bytes that are not UTF-8 stand in `text` as lone surrogates."""

    path: str
    text: str

    @classmethod
    def decode(cls, path: str, data: bytes) -> Source:
        """The source of the bytes of a file, shown to the user as `path`."""
        return cls(path, data.decode("utf-8", "surrogateescape"))

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> Position:
        """The line and column of a code-point offset."""
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a 1-based line, without its line break."""
        starts = self._line_starts
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")


class Place(NamedTuple):
    """A span of a source, and the route that leads there (`layer[3].pooling_param.stride`)."""

    source: Source
    span: Span
    route: str = ""

    @property
    def start(self) -> Position:
        return self.source.position(self.span.start)

    @property
    def end(self) -> Position:
        return self.source.position(self.span.end)

    def __str__(self) -> str:
        """`net.prototxt:9`, as messages name a place in passing."""
        return f"{self.source.path}:{self.start.line}"

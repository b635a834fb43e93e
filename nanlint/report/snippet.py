"""Source lines with spans underlined beneath them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import NamedTuple
from unicodedata import category, east_asian_width

from nanlint.report.style import Paint
from nanlint.text.source import Place, Source

_TAB = 4
_ELLIPSIS = "…"


class Mark(NamedTuple):
    """A place to underline, and what is said beside the underline."""

    place: Place
    label: str
    primary: bool


def snippet(marks: Sequence[Mark], role: str, gutter: int, width: int, paint: Paint) -> Iterator[str]:
    """The marked lines in order; the file of the first mark first, other files under their own path.

    `gutter` is the width of the line numbers with a space on each side. Of a span over several lines the
    first is shown.
    """
    bar = paint("frame", "|")
    yield f"{' ' * gutter} {bar}"
    home = marks[0].place.source.path
    ordered = sorted(
        marks, key=lambda mark: (mark.place.source.path != home, mark.place.source.path, mark.place.span)
    )
    for path, group in groupby(ordered, key=lambda mark: mark.place.source.path):
        if path != home:
            yield f"{' ' * (gutter - 1)}{paint('frame', '-->')} {path}"
        before = 0
        for number, same_line in groupby(group, key=lambda mark: mark.place.start.line):
            here = list(same_line)
            source = here[0].place.source
            if before and number == before + 2:
                yield _line(source, number - 1, gutter, width, paint)
            elif before and number > before + 2:
                yield paint("frame", f"{'...':>{gutter}}")
            yield from _marked(source, number, here, role, gutter, width, paint)
            before = number


def _line(source: Source, number: int, gutter: int, width: int, paint: Paint) -> str:
    shown = _Window(source.line(number), 0, width - gutter - 3)
    return f"{paint('frame', f'{number:>{gutter}}')} {paint('frame', '|')} {shown.text}".rstrip()


def _marked(
    source: Source, number: int, marks: list[Mark], role: str, gutter: int, width: int, paint: Paint
) -> Iterator[str]:
    room = width - gutter - 3
    written = source.line(number)
    marks = sorted(marks, key=lambda mark: (not mark.primary, mark.place.span))
    shown = _Window(written, marks[0].place.start.column - 1, room)
    yield f"{paint('frame', f'{number:>{gutter}}')} {paint('frame', '|')} {shown.text}".rstrip()
    for mark in marks:
        start, end = _columns(mark.place, written)
        left, right = shown.column(start), shown.column(end)
        shade = role if mark.primary else "frame"
        underline = ("^" if mark.primary else "-") * max(right - left, 1)
        yield from _underlined(
            " " * left + paint(shade, underline), left, right, mark.label, shade, gutter, room, paint
        )


def _underlined(
    underline: str, left: int, right: int, label: str, shade: str, gutter: int, room: int, paint: Paint
) -> Iterator[str]:
    lead = f"{' ' * gutter} {paint('frame', '|')} "
    if not label:
        yield lead + underline
    elif right + 1 + len(label) <= room:
        yield f"{lead}{underline} {paint(shade, label)}"
    else:
        yield lead + underline
        indent = min(left, room // 3)
        for line in wrap(label, room - indent, break_long_words=False, break_on_hyphens=False):
            yield lead + " " * indent + paint(shade, line)


def _columns(place: Place, written: str) -> tuple[int, int]:
    """Where a place begins and ends in its first line, from 0."""
    start, end = place.start, place.end
    last = end.column - 1 if end.line == start.line else len(written)
    return start.column - 1, min(max(last, start.column - 1), max(len(written), start.column))


class _Window:
    """A line as it is shown: cut to `room` columns around an offset where it is longer."""

    def __init__(self, written: str, offset: int, room: int) -> None:
        self._cells = [_cell(character) for character in written]
        long = _width(self._cells) > room
        self._skipped = max(0, min(offset - room // 3, len(written) - room // 2)) if long else 0
        self._lead = _ELLIPSIS if self._skipped else ""
        shown = self._lead + "".join(self._cells[self._skipped :])
        self.text = shown[: room - 1] + _ELLIPSIS if _width(shown) > room else shown
        self._room = room

    def column(self, offset: int) -> int:
        """Where the character at an offset of the line is shown, from 0; the edge for what is cut away."""
        within = self._cells[self._skipped : max(offset, self._skipped)]
        return min(len(self._lead) + _width(within), self._room)


def _cell(character: str) -> str:
    """One character as a terminal can show it: no tabs, no control characters, no bytes that are not text."""
    if character == "\t":
        return " " * _TAB
    if category(character) in ("Cc", "Cs", "Cf"):
        return "\N{REPLACEMENT CHARACTER}"
    return character


def _width(cells: Iterable[str]) -> int:
    return sum(
        2 if east_asian_width(c) in "WF" else not category(c).startswith("M") for cell in cells for c in cell
    )

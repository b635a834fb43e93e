"""Edits to a text: several at once, none upon another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from nanlint.text.source import Place, Span

_TO_LINE_END = re.compile(r"[ \t\r]*(?:\n|\Z)")


class Replacement(Protocol):
    """Text to put where `place` stands now."""

    @property
    def place(self) -> Place: ...

    @property
    def text(self) -> str: ...


def edited(text: str, edits: Iterable[Replacement]) -> str:
    """A text with edits made in it, of which no two collide."""
    parts = []
    at = 0
    for edit in sorted(edits, key=lambda one: one.place.span):
        start, end = edit.place.span
        parts += [text[at:start], edit.text]
        at = end
    return "".join([*parts, text[at:]])


def collides(edit: Replacement, others: Iterable[Replacement]) -> bool:
    """Whether an edit touches what one of the others, in the same source, changes."""
    start, end = edit.place.span
    spans = (other.place.span for other in others)
    return any((start < other.end and other.start < end) or start == other.start for other in spans)


def whole_line(text: str, start: int, end: int) -> Span:
    """What to remove with a piece of text: its line where it stands alone, else the blanks before it."""
    line = text.rfind("\n", 0, start) + 1
    after = _TO_LINE_END.match(text, end)
    if after is not None and not text[line:start].strip():
        return Span(line, after.end())
    return Span(line + len(text[line:start].rstrip()), end)

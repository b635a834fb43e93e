"""Offsets of a text as the protocol counts them: lines from 0, columns in units of the client's encoding."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\n|\r")


class At(NamedTuple):
    """A place as a client sees it, both numbers from 0."""

    line: int
    character: int


class Lines:
    """A text with its line starts. `unit` is `utf-8`, `utf-16` or `utf-32`: what one column is."""

    def __init__(self, text: str, unit: str = "utf-16") -> None:
        self.text = text
        self.unit = unit
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._plain = text.isascii()

    def at(self, offset: int) -> At:
        """The place of a code-point offset."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset) - 1
        start = self._starts[line]
        return At(line, offset - start if self._plain else self._units(self.text[start:offset]))

    def offset(self, line: int, character: int) -> int:
        """The code-point offset of a place; the nearest one for a place outside of the text."""
        if line >= len(self._starts):
            return len(self.text)
        start = self._starts[line]
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)
        content = self.text[start:end].rstrip("\r\n") if line + 1 < len(self._starts) else self.text[start:end]
        if self._plain or self.unit == "utf-32":
            return start + min(character, len(content))
        units = 0
        for number, letter in enumerate(content):
            if units >= character:
                return start + number
            units += self._units(letter)
        return start + len(content)

    def _units(self, text: str) -> int:
        if self.unit == "utf-32":
            return len(text)
        if self.unit == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return sum(2 if ord(letter) > 0xFFFF else 1 for letter in text)

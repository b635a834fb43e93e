"""Comments that hide findings: `# nanlint: ignore[POOL001, LR002] reason`.

Behind a field, such a comment covers its line. On a line of its own it covers the field that begins on the
next line that is no comment, to the field's end, be it a layer of a hundred lines; a blank line between
parts them. `ignore-file[...]` covers the file, wherever it stands. Without codes, `ignore` and `ignore-file` stand
alone and hide everything. A comment that means to be one and does not read so hides nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from nanlint.text.edits import whole_line
from nanlint.text.source import Place, Source, Span
from nanlint.text.tree import Block, Comment, Document, Field

_MEANT = re.compile(r"#+\s*nanlint\b\s*(:?)\s*([A-Za-z_-]*)(.*)", re.IGNORECASE | re.DOTALL)
_REST = re.compile(r"\s*\[([^\[\]]+)\][\s:,-]*(.*)", re.DOTALL)
_CODES = re.compile(r"[\s:\[(]*((?:[A-Za-z]+[0-9]{3}[\s,]*)+)")
_BEGINNINGS = ("ign", "ing", "igo", "inor", "gnor", "disable", "suppress", "noqa", "skip", "off", "allow")
"""How words begin that mean `ignore`."""

_TO_NEXT_LINE = re.compile(r"[^\S\n]*\n[^\S\n]*")


@dataclass(frozen=True)
class Directive:
    """One `ignore` comment. No `codes` means every code. In `covers`, findings are hidden; `whole`: in the whole file.

    `place` is the comment; `written` are all its codes, of which `codes` may be a part.
    """

    place: Place
    codes: tuple[str, ...]
    written: tuple[str, ...]
    reason: str
    covers: Span
    whole: bool = False

    @property
    def text(self) -> str:
        """The comment as it was written, without its reason."""
        word = "ignore-file" if self.whole else "ignore"
        return f"# nanlint: {word}" + (f"[{', '.join(self.written)}]" if self.written else "")

    def removal(self) -> tuple[Span, str]:
        """What to put where, to be rid of the directive, or of the part of its codes that `codes` names."""
        text = self.place.source.text
        start, end = self.place.span
        if len(self.codes) < len(self.written):
            kept = ", ".join(code for code in self.written if code not in self.codes)
            return Span(text.index("[", start) + 1, text.index("]", start)), kept
        return whole_line(text, start, end), ""


class Misread(NamedTuple):
    """A comment that means to hide findings and does not read so. `meant`: how to write it, where that is plain."""

    place: Place
    written: str
    meant: str = ""


def directives(document: Document) -> tuple[Directive, ...]:
    """Every `ignore` comment of a file, in order."""
    return tuple(one for one in _comments(document) if isinstance(one, Directive))


def misread(document: Document) -> tuple[Misread, ...]:
    """Every comment of a file that means to be an `ignore` comment and hides nothing."""
    return tuple(one for one in _comments(document) if isinstance(one, Misread))


def _comments(document: Document) -> Iterator[Directive | Misread]:
    meant = [comment for comment in document.comments if "nanlint" in comment.text.lower()]
    if not meant:
        return
    source, following = document.source, _following(document)
    for comment in meant:
        match = _MEANT.match(comment.text)
        if match is None:
            continue
        colon, word, rest = match[1], match[2].lower(), match[3].rstrip()
        place = Place(source, Span(comment.span.start, comment.span.start + len(comment.text.rstrip())))
        bracket = _REST.fullmatch(rest)
        codes = tuple(code.strip().upper() for code in bracket[1].split(",") if code.strip()) if bracket else ()
        if colon and word in ("ignore", "ignore-file") and (codes or not rest):
            whole = word == "ignore-file"
            everything = Span(0, len(source.text))
            covers = everything if whole else _covered(source, document.root, comment, following)
            yield Directive(place, codes, codes, bracket[2].strip() if bracket else "", covers, whole)
        elif word and (word.startswith(_BEGINNINGS) or (colon and rest.lstrip().startswith("["))):
            yield Misread(place, f"{match[2]}{rest}", _meant(word, codes, bracket[2] if bracket else "", rest))


def _meant(word: str, codes: tuple[str, ...], reason: str, rest: str) -> str:
    """The comment as it was meant, where its codes are plain; else ""."""
    if not codes:
        found = _CODES.match(rest)
        if found is None:
            return ""
        codes = tuple(re.findall(r"[A-Z]+[0-9]{3}", found[1].upper()))
        reason = rest[found.end() :].lstrip(" \t:,-])")
    ending = f" {reason.strip()}" if reason.strip() else ""
    return f"# nanlint: {'ignore-file' if 'file' in word else 'ignore'}[{', '.join(codes)}]{ending}"


def _following(document: Document) -> dict[int, int]:
    """Where what comes below each comment begins, by the comment's start: on the next line that is no comment."""
    text = document.source.text
    found: dict[int, int] = {}
    for start, end in (comment.span for comment in reversed(document.comments)):
        gap = _TO_NEXT_LINE.match(text, end)
        below = gap.end() if gap else len(text)
        if below in found:
            found[start] = found[below]
        elif below < len(text) and not text[below].isspace() and text[below] != "#":
            found[start] = below
    return found


def _covered(source: Source, root: Block, comment: Comment, following: dict[int, int]) -> Span:
    text = source.text
    start, end = comment.span
    line_start = text.rfind("\n", 0, start) + 1
    if text[line_start:start].strip():
        return Span(line_start, end)
    below = following.get(start)
    if below is None:
        return Span(start, end)
    field = _field_at(root, below)
    line_end = text.find("\n", below)
    last = len(text) if line_end < 0 else line_end
    return Span(below, max(last, field.end) if field else last)


def _field_at(block: Block, offset: int) -> Field | None:
    """The field that begins at an offset."""
    while True:
        index = bisect_right(block.fields, offset, key=lambda field: field.start) - 1
        if index < 0:
            return None
        field = block.fields[index]
        if field.start == offset:
            return field
        at = bisect_right(field.values, offset, key=lambda value: value.start) - 1
        inner = field.values[at] if at >= 0 else None
        if not isinstance(inner, Block) or not inner.start < offset < inner.end:
            return None
        block = inner

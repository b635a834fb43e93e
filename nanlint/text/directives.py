"""Comments that hide findings: `# nanlint: ignore[POOL001, LR002] reason`.

Behind a field, such a comment covers its line. On a line of its own it covers the field that begins on the
next line that is no comment, to the field's end, be it a layer of a hundred lines; a blank line between
parts them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, replace

from nanlint.text.edits import whole_line
from nanlint.text.source import Place, Source, Span
from nanlint.text.tree import Block, Comment, Document, Field

_DIRECTIVE = re.compile(r"#+\s*nanlint\s*:\s*ignore\b\s*(?:\[([^\]]*)\])?[\s:,-]*(.*)", re.IGNORECASE)
_NEXT_FIELD = re.compile(r"[^\S\n]*(?:\n[^\S\n]*#[^\n]*)*\n[^\S\n]*(?=[^\s#])")


@dataclass(frozen=True)
class Directive:
    """One `ignore` comment. No `codes` means every code. In `covers`, findings are hidden.

    `place` is the comment; `written` are all its codes, of which `codes` may be a part (see `unused`).
    """

    place: Place
    codes: tuple[str, ...]
    written: tuple[str, ...]
    reason: str
    covers: Span

    @property
    def text(self) -> str:
        """The comment as it was written, without its reason."""
        return "# nanlint: ignore" + (f"[{', '.join(self.written)}]" if self.written else "")

    def hides(self, place: Place, *names: str) -> bool:
        """Whether a finding at `place`, of a rule with one of these codes or names, is hidden."""
        if place.source is not self.place.source and place.source.path != self.place.source.path:
            return False
        if not self.covers.start <= place.span.start <= self.covers.end:
            return False
        return not self.codes or any(name.upper() in self.codes for name in names)

    def unused(self, used: Collection[str]) -> Directive | None:
        """The part that hid nothing, given the codes and names that were hidden; None if all of it did."""
        if not self.codes:
            return None if used else self
        hidden = {name.upper() for name in used}
        idle = tuple(code for code in self.codes if code not in hidden)
        return replace(self, codes=idle) if idle else None

    def removal(self) -> tuple[Span, str]:
        """What to put where, to be rid of the directive, or of the part of its codes that `codes` names."""
        text = self.place.source.text
        start, end = self.place.span
        if len(self.codes) < len(self.written):
            kept = ", ".join(code for code in self.written if code not in self.codes)
            return Span(text.index("[", start) + 1, text.index("]", start)), kept
        return whole_line(text, start, end), ""


def directives(document: Document) -> tuple[Directive, ...]:
    """Every `ignore` comment of a file, in order."""
    source = document.source
    found = []
    for comment in document.comments:
        match = _DIRECTIVE.match(comment.text) if "nanlint" in comment.text.lower() else None
        if match:
            codes = tuple(code.strip().upper() for code in (match[1] or "").split(",") if code.strip())
            covers = _covered(source, document.root, comment)
            place = Place(source, Span(comment.span.start, comment.span.start + len(comment.text.rstrip())))
            found.append(Directive(place, codes, codes, match[2].strip(), covers))
    return tuple(found)


def _covered(source: Source, root: Block, comment: Comment) -> Span:
    text = source.text
    start, end = comment.span
    line_start = text.rfind("\n", 0, start) + 1
    if text[line_start:start].strip():
        return Span(line_start, end)
    following = _NEXT_FIELD.match(text, end)
    if following is None:
        return Span(start, end)
    field = _field_at(root, following.end())
    line_end = text.find("\n", following.end())
    last = len(text) if line_end < 0 else line_end
    return Span(following.end(), max(last, field.end) if field else last)


def _field_at(block: Block, offset: int) -> Field | None:
    """The field that begins at an offset."""
    while True:
        index = bisect_right(block.fields, offset, key=lambda field: field.start) - 1
        if index < 0:
            return None
        field = block.fields[index]
        if field.start == offset:
            return field
        inner = next((v for v in field.values if isinstance(v, Block) and v.start < offset < v.end), None)
        if inner is None:
            return None
        block = inner

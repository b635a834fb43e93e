"""A prototxt well laid out: two spaces a level, one field a line, comments where they belong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from nanlint.text.tree import Block, Comment, Document, Field, Scalar

INDENT = "  "


class BrokenFileError(ValueError):
    """A file whose syntax is broken cannot be laid out: what stands where is not sure."""


class _Line(NamedTuple):
    """One line of the result, and the part of the source that it stands for."""

    depth: int
    text: str
    start: int
    end: int


def laid_out(document: Document) -> str:
    """The same fields, values and comments; at most one blank line where there were blank lines.

    Line ends are those of the file's first line. Raises BrokenFileError for a file with syntax faults.
    """
    if document.faults:
        raise BrokenFileError(document.faults[0].message)
    text = document.source.text
    lines = list(_block(text, document.root, document.comments, 0))
    written: list[str] = []
    before: _Line | None = None
    for line in lines:
        if before is not None and _BLANK.search(text[before.end : line.start]):
            written.append("")
        written.append(f"{INDENT * line.depth}{line.text}")
        before = line
    end = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    return "".join(line + end for line in written)


_BLANK = re.compile(r"\n[ \t\r,;]*\n")


def _block(text: str, block: Block, comments: Sequence[Comment], depth: int) -> Iterator[_Line]:
    """The lines of what stands in a block, with the comments that are in it."""
    waiting = list(comments)
    for field, following in zip_longest(block.fields, block.fields[1:]):
        while waiting and waiting[0].span.start < field.start:
            yield _comment(waiting.pop(0), depth)
        own = [one for one in waiting if one.span.start < field.end]
        waiting = waiting[len(own) :]
        behind = ""
        end = field.end
        before = following.start if following is not None else block.end
        if waiting and waiting[0].span.start < before and _same_line(text, field.end, waiting[0].span.start):
            comment = waiting.pop(0)
            behind, end = f"  {_words(comment)}", comment.span.end
        yield from _with_tail(list(_field(text, field, own, depth)), behind, end)
    for comment in waiting:
        yield _comment(comment, depth)


def _with_tail(lines: list[_Line], behind: str, end: int) -> list[_Line]:
    last = lines[-1]
    return [*lines[:-1], last._replace(text=last.text + behind, end=end)]


def _field(text: str, field: Field, comments: Sequence[Comment], depth: int) -> Iterator[_Line]:
    blocks = [value for value in field.values if isinstance(value, Block)]
    if not blocks:
        for comment in comments:
            yield _comment(comment, depth)._replace(start=field.start, end=field.start)
        yield _Line(depth, f"{field.name}: {_value(text, field)}", field.start, field.end)
        return
    left = list(comments)
    for number, block in enumerate(blocks):
        start = field.start if number == 0 else block.start
        while left and left[0].span.start < block.start:
            yield _comment(left.pop(0), depth)._replace(start=start, end=start)
        inner = [one for one in left if one.span.start < block.end]
        left = left[len(inner) :]
        head = f"{field.name} {{"
        head_end = block.start + 1
        if inner and _same_line(text, head_end, inner[0].span.start):
            comment = inner.pop(0)
            head, head_end = f"{head}  {_words(comment)}", comment.span.end
        if not block.fields and not inner and head.endswith("{"):
            yield _Line(depth, f"{field.name} {{}}", start, block.end)
            continue
        yield _Line(depth, head, start, head_end)
        yield from _block(text, block, inner, depth + 1)
        yield _Line(depth, "}", block.end - 1, block.end)
    for comment in left:
        yield _comment(comment, depth)


def _value(text: str, field: Field) -> str:
    values = [_scalar(text, value) for value in field.values if isinstance(value, Scalar)]
    return f"[{', '.join(values)}]" if field.is_list else values[0] if values else "[]"


def _scalar(text: str, value: Scalar) -> str:
    """A value as it is written; of strings that follow each other, one space between them."""
    written = text[value.start : value.end]
    if "\n" not in written and "#" not in written:
        return written
    return " ".join(_STRING.findall(written)) or value.text


_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'')


def _comment(comment: Comment, depth: int) -> _Line:
    return _Line(depth, _words(comment), comment.span.start, comment.span.end)


def _words(comment: Comment) -> str:
    return comment.text.rstrip()


def _same_line(text: str, start: int, end: int) -> bool:
    return "\n" not in text[start:end]

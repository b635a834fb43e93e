"""What stands at a place of a file, told apart from any rule."""

from __future__ import annotations

import re

from nanlint.config import UsageError
from nanlint.engine.files import Kind, classify
from nanlint.safety.reading import read_named, reason
from nanlint.schema.lookup import described
from nanlint.schema.words import of_field
from nanlint.text.parser import parse
from nanlint.text.source import Source

_PLACE = re.compile(r"(.+?):(\d+)(?::(\d+))?")


def message_type(kind: Kind) -> str:
    """The message that a file's root is."""
    return "SolverParameter" if kind is Kind.SOLVER else "NetParameter"


def at(place: str) -> str:
    """Markdown on the field at `FILE:LINE:COL`, 1-based. Raises UsageError where there is none."""
    match = _PLACE.fullmatch(place)
    if match is None:
        raise UsageError(f"`{place}` is no place; write FILE:LINE:COL")
    path, line, column = match[1], int(match[2]), int(match[3] or 1)
    try:
        document = parse(Source.decode(path, read_named(path)))
    except (OSError, ValueError) as wrong:
        raise UsageError(f"cannot read `{path}`: {reason(wrong)}") from wrong
    lines = document.source.text.split("\n")
    if not 1 <= line <= len(lines):
        raise UsageError(f"`{path}` has {len(lines)} lines")
    start = sum(len(one) + 1 for one in lines[: line - 1])
    indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
    offset = start + max(indent, min(column - 1, len(lines[line - 1])))
    found = described(document, message_type(classify(document, path)), offset)
    if found.field is None:
        raise UsageError(f"no field of the schema stands at {place}")
    return "\n\n".join(of_field(found.field))

"""The syntax tree of a prototxt: every field and value with its span, in the order written."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from nanlint.text.source import Source, Span


class Kind(Enum):
    """What a scalar looks like before any schema says what it should be.

    MALFORMED is a run of characters that no type takes: `3x3`, `1/2`, or `net.prototxt` without quotes.
    """

    NUMBER = "number"
    STRING = "string"
    IDENTIFIER = "identifier"
    MALFORMED = "malformed"


@dataclass(slots=True)
class Scalar:
    """A value that is not a block. `text` is what was written, with its sign; `string` a string's bytes."""

    kind: Kind
    start: int
    end: int
    text: str
    string: bytes = b""


@dataclass(slots=True)
class Block:
    """What stands between two braces, or a whole file. `start` and `end` include the braces."""

    start: int
    end: int
    fields: list[Field] = field(default_factory=list)


@dataclass(slots=True)
class Field:
    """One `name: value`. A `[...]` list has several values, or none.

    `colon` says whether one stood after the name. `rejected` holds the indices of values that did not enter
    the message; routes skip them. `read_as` is the name under which a misspelt field entered the message.
    """

    name: str
    start: int
    name_end: int
    end: int
    values: list[Scalar | Block]
    is_list: bool = False
    colon: bool = True
    rejected: set[int] | None = None
    read_as: str = ""


class SyntaxFault(NamedTuple):
    """A place where protobuf's parser stops reading, and what it wanted there.

    `kind` is the name of the rule that documents it. `edits` (with `title`) put it right without a doubt.
    """

    span: Span
    message: str
    kind: str = "syntax-error"
    related: tuple[tuple[Span, str], ...] = ()
    title: str = ""
    edits: tuple[tuple[Span, str], ...] = ()


class Comment(NamedTuple):
    """A `#` comment: its span includes the `#`, not the line break."""

    span: Span
    text: str


@dataclass(frozen=True, eq=False)
class Document:
    """A parsed file. Faults do not stop it: what could be read is in `root`."""

    source: Source
    root: Block
    faults: tuple[SyntaxFault, ...]
    comments: tuple[Comment, ...]

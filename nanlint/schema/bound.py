"""A file bound to the schema: its message, its problems, and the way from a route back to the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nanlint.findings import Problem
from nanlint.schema.dialect import Dialect
from nanlint.text.source import Place, Source, Span
from nanlint.text.tree import Block, Document, Field, Scalar

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from nanlint.schema.fork_uses import ForkUse
    from nanlint.schema.values import Value

_PART = re.compile(r"([^.\[\]]+)(?:\[(\d+)\])?")

Entry = tuple[Field, "Scalar | Block"]


@dataclass(frozen=True, eq=False)
class Bound:
    """One prototxt in its two views: the tree with a span on everything, the message with types and defaults.

    A string of `message` that is not UTF-8 reads with `\\xff` escapes; the exact bytes are in the tree.
    Values of a misspelt field whose meaning is plain are in the message too, and in `problems`.
    `fork_uses`: what only forks of Caffe read. `repeats`: all values of a field that takes one value in BVLC
    Caffe, where a fork takes several, by its route; the message has the first.
    """

    document: Document
    type_name: str
    message: Message
    problems: tuple[Problem, ...]
    dialect: Dialect = Dialect.ANY
    fork_uses: tuple[ForkUse, ...] = ()
    repeats: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    _index: dict[int, dict[str, list[Entry]]] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"Bound({self.source.path!r}, {self.type_name})"

    @property
    def source(self) -> Source:
        return self.document.source

    @property
    def root(self) -> Block:
        return self.document.root

    def place(self, route: str, value: bool = False) -> Place:
        """The place of a route (`layer[3].pooling_param.stride`, `stepvalue[1]`).

        A scalar's place is its whole `name: value` (with `value`, the value alone), a block's its name (with
        `value`, its braces and what they hold). What is missing has the place of the nearest block that
        should hold it; the file's own place is its first field. A part without an index means the first.
        """
        found, complete = self._walk(route)
        if found is None:
            fields = self.root.fields
            first = Span(fields[0].start, fields[0].name_end) if fields else Span(0, 0)
            return Place(self.source, first, route)
        return Place(self.source, _span(found, value and complete), route)

    def node(self, route: str) -> Scalar | Block | None:
        """The value at a route; None where there is none."""
        if not route:
            return self.root
        found, complete = self._walk(route)
        return found[1] if found is not None and complete else None

    def field(self, route: str) -> Field | None:
        """The field that holds the value at a route; None where there is none."""
        found, complete = self._walk(route)
        return found[0] if found is not None and complete else None

    def _walk(self, route: str) -> tuple[Entry | None, bool]:
        """The deepest entry on the way along a route, and whether that is its end."""
        block = self.root
        found: Entry | None = None
        parts = _PART.findall(route)
        for depth, (name, index) in enumerate(parts):
            entries = self._entries(block).get(name, ())
            at = int(index or 0)
            if at >= len(entries):
                return found, False
            found = entries[at]
            if depth + 1 < len(parts):
                if not isinstance(found[1], Block):
                    return found, False
                block = found[1]
        return found, True

    def _entries(self, block: Block) -> dict[str, list[Entry]]:
        known = self._index.get(id(block))
        if known is None:
            known = self._index[id(block)] = {}
            for one in block.fields:
                listed = known.setdefault(one.read_as or one.name, [])
                rejected = one.rejected or ()
                listed.extend((one, value) for i, value in enumerate(one.values) if i not in rejected)
        return known


def _span(entry: Entry, value: bool) -> Span:
    one, node = entry
    if value or (one.is_list and isinstance(node, Scalar)):
        return Span(node.start, node.end)
    if isinstance(node, Block):
        return Span(one.start, one.name_end) if not one.is_list else Span(node.start, node.start + 1)
    return Span(one.start, node.end)

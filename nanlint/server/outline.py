"""A file at a glance: its layers, what can be folded, and shapes beside the tops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nanlint.report.graph import in_words
from nanlint.server.project import Project
from nanlint.text.source import Span
from nanlint.text.tree import Block, Document, Field, Scalar

_LAYERS = ("layer", "layers")


class Symbol(NamedTuple):
    """A layer of a net, or a field of a solver."""

    name: str
    detail: str
    span: Span
    title: Span
    layer: bool


class Hint(NamedTuple):
    """Words that are shown behind an offset."""

    offset: int
    text: str


def symbols(document: Document) -> list[Symbol]:
    """A layer each, with its type; of other fields on the outside the value."""
    found = []
    for field in document.root.fields:
        for value in field.values:
            whole = Span(field.start, field.end) if len(field.values) == 1 else Span(value.start, value.end)
            title = Span(field.start, field.name_end) if len(field.values) == 1 else Span(value.start, value.start + 1)
            if field.name in _LAYERS and isinstance(value, Block):
                name, kind = _string(value, "name"), _string(value, "type")
                found.append(Symbol(name or f"({kind or field.name})", kind, whole, title, True))
            else:
                detail = value.text if isinstance(value, Scalar) else ""
                found.append(Symbol(field.name, detail, whole, title, False))
    return found


def folds(document: Document) -> list[tuple[int, int]]:
    """The first and last offsets of blocks that stand on several lines, and of comments of several lines."""
    source = document.source
    found = [
        (block.start, block.end - 1)
        for block in _blocks(document.root)
        if source.position(block.start).line < source.position(max(block.start, block.end - 1)).line
    ]
    run: list[Span] = []
    for comment in document.comments:
        follows = run and source.position(run[-1].start).line + 1 == source.position(comment.span.start).line
        alone = not source.text[source.text.rfind("\n", 0, comment.span.start) + 1 : comment.span.start].strip()
        if follows and alone:
            run.append(comment.span)
            continue
        if len(run) > 1:
            found.append((run[0].start, run[-1].end))
        run = [comment.span] if alone else []
    if len(run) > 1:
        found.append((run[0].start, run[-1].end))
    return sorted(found)


def hints(project: Project, path: str) -> list[Hint]:
    """The shape of each top behind it; where phases differ, the shape of each."""
    shapes: dict[int, dict[str, None]] = {}
    nets = project.nets(path)
    for net in nets:
        for layer in net.layers:
            for top in layer.tops[: len(layer.param.top)]:
                place = top.made_at
                if place.source.path == path and top.shape is not None:
                    shown = shapes.setdefault(place.span.end, {})
                    shown[in_words(top.shape)] = None
    return [Hint(offset, " or ".join(words)) for offset, words in sorted(shapes.items())]


def _blocks(block: Block) -> Iterator[Block]:
    for field in block.fields:
        for value in field.values:
            if isinstance(value, Block):
                yield value
                yield from _blocks(value)


def _string(block: Block, name: str) -> str:
    found: Field | None = next((field for field in block.fields if field.name == name), None)
    value = found.values[0] if found is not None and found.values else None
    if not isinstance(value, Scalar):
        return ""
    return value.string.decode("utf-8", "backslashreplace") or value.text.strip("\"'")

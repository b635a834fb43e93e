"""What stands at an offset of a file: the blocks around it, the field, its value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nanlint.text.tree import Block, Document, Field, Scalar


class Step(NamedTuple):
    """One field on the way down, and which of the fields of its name in its block it is."""

    field: Field
    number: int


class Spot(NamedTuple):
    """The way from the file's root to an offset.

    `steps` lead through blocks; `field` is the last, where the offset lies in its name or value, else None.
    `value` is the scalar at the offset; `on_name`: the offset lies in the field's name.
    """

    steps: tuple[Step, ...]
    block: Block
    field: Field | None
    value: Scalar | None
    on_name: bool

    @property
    def route(self) -> str:
        """`layer[3].pooling_param[0].stride[0]`: the way with every index."""
        return ".".join(f"{step.field.read_as or step.field.name}[{step.number}]" for step in self.steps)


def spot(document: Document, offset: int) -> Spot:
    """What stands at an offset; the end of a word counts as in it, so that a caret behind it finds it."""
    block, steps = document.root, list[Step]()
    while True:
        step = next((one for one in _steps(block) if one.field.start <= offset <= one.field.end), None)
        if step is None:
            return Spot(tuple(steps), block, None, None, False)
        steps.append(step)
        field = step.field
        if offset <= field.name_end:
            return Spot(tuple(steps), block, field, None, True)
        inner = next((one for one in field.values if one.start <= offset <= one.end), None)
        if not isinstance(inner, Block):
            return Spot(tuple(steps), block, field, inner, False)
        closed = document.source.text[inner.end - 1 : inner.end] in ("}", ">")
        if offset == inner.start or (offset == inner.end and closed):
            return Spot(tuple(steps), block, field, None, False)
        block = inner
        if len(field.values) > 1:
            steps[-1] = Step(field, step.number + field.values.index(inner))


def _steps(block: Block) -> Iterator[Step]:
    """The fields of a block, each with its index among those of its name; a list counts once a value."""
    seen: dict[str, int] = {}
    for field in block.fields:
        name = field.read_as or field.name
        yield Step(field, seen.get(name, 0))
        seen[name] = seen.get(name, 0) + len(field.values) - len(field.rejected or ())

"""Remedies as edits: a field written, added or removed where the file has, or lacks, it."""

from __future__ import annotations

from nanlint.caffe.model import Layer, Net, Origin, Solver
from nanlint.findings import Applicability, Edit, Fix
from nanlint.schema.bound import Bound
from nanlint.text.edits import whole_line
from nanlint.text.source import Place, Span
from nanlint.text.tree import Block, Scalar

Owner = Layer | Net | Solver | Bound | Origin
SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE


def write(owner: Owner, route: str, value: object, applicability: Applicability = UNSAFE) -> Fix:
    """Give a field a value, spelt as prototxt has it; where the file lacks the field, it is added."""
    name = route.rpartition(".")[2].partition("[")[0]
    return Fix(f"write `{name}: {value}`", (written(owner, route, value),), applicability)


def remove(owner: Owner, route: str, applicability: Applicability = UNSAFE) -> Fix | None:
    """Take a field away, with its line where it stands alone; None where it is not written."""
    edit = removed(owner, route)
    name = route.rpartition(".")[2].partition("[")[0]
    return Fix(f"remove `{name}`", (edit,), applicability) if edit is not None else None


def written(owner: Owner, route: str, value: object) -> Edit:
    """The edit that gives a field a value."""
    bound, route = _bound(owner, route)
    node = bound.node(route)
    if isinstance(node, Scalar):
        return _at(bound, node.start, node.end, str(value))
    parts = route.split(".")
    for depth in range(len(parts) - 1, -1, -1):
        block = bound.node(".".join(parts[:depth])) if depth else bound.root
        if isinstance(block, Block):
            return added(bound, block, _nested(parts[depth:], value))
    raise AssertionError("a file has a root")


def renamed(owner: Owner, route: str, name: str) -> Edit:
    """The edit that gives a written field another name. Raises ValueError where it is not written."""
    bound, route = _bound(owner, route)
    field = bound.field(route)
    if field is None:
        raise ValueError(f"`{route}` is not written")
    return _at(bound, field.start, field.name_end, name)


def removed(owner: Owner, route: str) -> Edit | None:
    """The edit that takes a field away; None where it is not written, or is one value of a list."""
    bound, route = _bound(owner, route)
    field = bound.field(route)
    if field is None or len(field.values) != 1:
        return None
    return _at(bound, *whole_line(bound.source.text, field.start, field.end), "")


def added(bound: Bound, block: Block, text: str) -> Edit:
    """The edit that puts a field at the end of a block, on a line of its own where the block's others are."""
    whole = bound.source.text
    if not block.fields:
        inside = block.start + 1 if block is not bound.root else len(whole)
        return _at(bound, inside, inside, f" {text} " if block is not bound.root else f"{text}\n")
    last = block.fields[-1]
    line_end = whole.find("\n", last.end)
    line_end = len(whole) if line_end < 0 else line_end
    closes_later = block is bound.root or block.end > line_end
    if not closes_later:
        return _at(bound, last.end, last.end, f" {text}")
    end = line_end - 1 if whole[line_end - 1 : line_end] == "\r" else line_end
    begins = whole.rfind("\n", 0, last.start) + 1
    indent = whole[begins : last.start]
    if indent.strip():  # a field before it on its line
        indent = indent[: len(indent) - len(indent.lstrip())]
    return _at(bound, end, end, f"\n{indent}{text}")


def _nested(parts: list[str], value: object) -> str:
    """`transform_param { scale: 1 }`"""
    *blocks, name = (part.partition("[")[0] for part in parts)
    text = f"{name}: {value}"
    for block in reversed(blocks):
        text = f"{block} {{ {text} }}"
    return text


def _bound(owner: Owner, route: str) -> tuple[Bound, str]:
    if isinstance(owner, Bound):
        return owner, route
    if isinstance(owner, Origin):
        return owner.bound, owner.written(route)
    if isinstance(owner, Solver):
        return owner.bound, route
    origin = owner.origin or Origin(owner.bound, "") if isinstance(owner, Net) else owner.origin
    return origin.bound, origin.written(route)


def _at(bound: Bound, start: int, end: int, text: str) -> Edit:
    return Edit(Place(bound.source, Span(start, end)), text)

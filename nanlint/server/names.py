"""The names in a net that other places repeat: blobs, layers, shared parameters."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from nanlint.text.tree import Block, Document, Field, Scalar


class Kind(Enum):
    BLOB = "blob"
    LAYER = "layer"
    PARAM = "parameter"


class Name(NamedTuple):
    """One place where a name stands. `makes`: a top or an input, not a bottom. `layer`: the route of its layer."""

    kind: Kind
    text: str
    value: Scalar
    makes: bool
    layer: str


_LAYERS = ("layer", "layers")
_ROLES = {"top": (Kind.BLOB, True), "bottom": (Kind.BLOB, False), "name": (Kind.LAYER, True)}


@lru_cache(maxsize=8)
def names(document: Document) -> tuple[Name, ...]:
    """Every name of a net file, in the order written."""
    return tuple(_of_net(document.root))


def name_at(document: Document, offset: int) -> Name | None:
    """The name that stands at an offset, its quotes and the caret behind them included."""
    return next((one for one in names(document) if one.value.start <= offset <= one.value.end), None)


def alike(document: Document, name: Name) -> list[Name]:
    """Every place of the same name."""
    return [one for one in names(document) if (one.kind, one.text) == (name.kind, name.text)]


def _of_net(root: Block) -> Iterator[Name]:
    numbers = dict.fromkeys(_LAYERS, 0)
    for field in root.fields:
        if field.name == "input":
            for value in _strings(field):
                yield Name(Kind.BLOB, _text(value), value, True, "")
        if field.name not in _LAYERS:
            continue
        for block in field.values:
            if isinstance(block, Block):
                yield from _of_layer(block, f"{field.name}[{numbers[field.name]}]")
            numbers[field.name] += 1


def _of_layer(block: Block, route: str) -> Iterator[Name]:
    for field in block.fields:
        if field.name in _ROLES:
            kind, makes = _ROLES[field.name]
            for value in _strings(field):
                yield Name(kind, _text(value), value, makes, route)
        elif field.name == "layer":  # V0 keeps the layer's own fields in a block of their own
            for inner in field.values:
                if isinstance(inner, Block):
                    yield from _of_layer(inner, route)
        elif field.name == "param":
            yield from _of_params(field, route)


def _of_params(field: Field, route: str) -> Iterator[Name]:
    for value in field.values:
        if isinstance(value, Scalar):  # V1 shares by `param: "name"`
            yield Name(Kind.PARAM, _text(value), value, True, route)
            continue
        for inner in value.fields:
            if inner.name == "name":
                for name in _strings(inner):
                    yield Name(Kind.PARAM, _text(name), name, True, route)


def _strings(field: Field) -> Iterator[Scalar]:
    return (value for value in field.values if isinstance(value, Scalar))


def _text(value: Scalar) -> str:
    return value.string.decode("utf-8", "surrogateescape")

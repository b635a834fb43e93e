"""Which Caffe can read a file: what it uses that not every Caffe has, and who has all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from nanlint.caffe.layers import BVLC_TYPES
from nanlint.schema.bind import Bound
from nanlint.schema.forks import (
    FIRST_FORK_NUMBER,
    Forks,
    every_fork,
    forks_with_type,
    name_of,
    readers,
    type_readers,
    variants,
)
from nanlint.text.source import Place

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumValueDescriptor, FieldDescriptor
    from google.protobuf.message import Message

BVLC = "bvlc"


class Need(NamedTuple):
    """Something that a file uses and some Caffe lacks: where first, and who has it (BVLC's is `bvlc`).

    `field`: a Caffe without it cannot parse the file; else it cannot create the layer.
    """

    what: str
    place: Place
    readers: Forks
    field: bool = True


def every_caffe() -> Forks:
    """BVLC Caffe and all known forks."""
    return every_fork() | {BVLC}


@lru_cache(maxsize=16)
def needs(bound: Bound) -> tuple[Need, ...]:
    """What a file uses and some known Caffe lacks, in the order of the text."""
    found: dict[str, Need] = {}
    for key, what, route, who, field in _uses(bound):
        if key not in found and len(who) <= len(every_fork()):
            found[key] = Need(what, bound.place(route), who, field)
    return tuple(sorted(found.values(), key=lambda need: need.place.span))


@lru_cache(maxsize=16)
def fork_needs(bound: Bound) -> tuple[Need, ...]:
    """What a file uses and BVLC Caffe lacks; nothing where one Caffe is pinned. Cheap where there is none."""
    foreign = {layer.type for layer in _layers(bound.message)} - BVLC_TYPES
    if bound.dialect.pinned or not (bound.fork_uses or any(map(forks_with_type, foreign))):
        return ()
    return tuple(need for need in needs(bound) if BVLC not in need.readers)


def able(found: Iterable[Need]) -> Forks:
    """The Caffes that have everything that a file needs."""
    return every_caffe().intersection(*(need.readers for need in found))


def at_odds(found: tuple[Need, ...]) -> tuple[Need, Need] | None:
    """The first two needs that no known Caffe has together; None where some Caffe has any two of them."""
    for i, one in enumerate(found):
        for other in found[:i]:
            if not one.readers & other.readers:
                return other, one
    return None


_Use = tuple[str, str, str, Forks, bool]


def _uses(bound: Bound) -> Iterator[_Use]:
    """The name, words, route and readers of each field, enum value, repetition and layer type."""
    for use in bound.fork_uses:
        if use.place.route in bound.repeats:
            yield use.what, use.what, use.place.route, use.forks, True
    yield from _used(bound.message, "", set())
    for index, layer in enumerate(_layers(bound.message)):
        known = type_readers(layer.type)
        if not forks_with_type(layer.type):
            known |= {BVLC}
        yield f"type {layer.type}", f'`type: "{layer.type}"`', f"layer[{index}].type", known, False


def _used(message: Message, route: str, seen: set[str]) -> Iterator[_Use]:
    for field, value in message.ListFields():
        here = f"{route}.{field.name}" if route else field.name
        values = value if _is_list(value) else [value]
        name, who = _known(field)
        if name not in seen:
            seen.add(name)
            yield name, f"`{field.name}`", here, who, True
        if len(values) > 1 and "optional" in variants(field):
            repeating = who - variants(field)["optional"]
            yield name + "[]", f"several values of `{field.name}`", here, repeating, True
        nested, enum = field.message_type, field.enum_type
        if nested is None and enum is None:
            continue
        for index, one in enumerate(values):
            inner = f"{here}[{index}]" if values is value else here
            if nested is not None:
                yield from _used(one, inner, seen)
            elif enum is not None:
                chosen = enum.values_by_number[one]
                name_of_value, who = _known(chosen)
                yield name_of_value, f"`{field.name}: {chosen.name}`", inner, who, True


@cache
def _known(declared: FieldDescriptor | EnumValueDescriptor) -> tuple[str, Forks]:
    """The name of a field or an enum value, and who does not refuse it."""
    who = readers(declared)
    return name_of(declared), who | {BVLC} if declared.number < FIRST_FORK_NUMBER else who


def _is_list(value: object) -> bool:
    return not isinstance(value, (str, bytes, int, float)) and hasattr(value, "append")


def _layers(message: Message) -> Iterable[Any]:
    return getattr(message, "layer", ())

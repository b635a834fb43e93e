"""Which forks of Caffe have what: the tags of `proto/caffe.proto` and the layer types of the forks' sources.

All of it is read when first asked for, which the lint of a file that BVLC Caffe reads never does.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor

from nanlint.schema.descriptors import PACKAGE

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumValueDescriptor

    Declared = FieldDescriptor | EnumValueDescriptor

FIRST_FORK_NUMBER = 100000
"""From here on the schema numbers the fields, and the values of BVLC's enums, that only forks have."""

Forks = frozenset[str]
NONE: Forks = frozenset()
REPEATED = "repeated"


@cache
def every_fork() -> Forks:
    """The nicknames of all known forks."""
    from nanlint.schema.fork_names import REPOSITORIES

    return frozenset(REPOSITORIES)


def name_of(declared: Declared) -> str:
    """The name of a field or an enum value with what holds it: `PoolingParameter.stride`."""
    holder = declared.containing_type if isinstance(declared, FieldDescriptor) else declared.type
    assert holder is not None
    return f"{holder.full_name}.{declared.name}".removeprefix(PACKAGE + ".")


def forks_of(declared: Declared) -> Forks:
    """The forks that have a field or an enum value which BVLC Caffe lacks; none for what is BVLC's own."""
    return _split(_tags(declared).get("forks", ""))


def forks_without(declared: Declared) -> Forks:
    """The forks that know the message (or enum), but lack this field (or value) of BVLC Caffe."""
    return _split(_tags(declared).get("not_in", ""))


def readers(declared: Declared) -> Forks:
    """The known forks that do not refuse a field or enum value by its name."""
    return forks_of(declared) or every_fork() - forks_without(declared)


@cache
def variants(field: FieldDescriptor) -> dict[str, Forks]:
    """The other labels ("repeated", "optional") and scalar types ("bool") of a field, and whose they are."""
    found = {}
    for tag in _tags(field).get("also", ()):
        kind, _, forks = tag.partition(": ")
        found[kind] = _split(forks)
    return found


def forks_repeating(field: FieldDescriptor) -> Forks:
    """The forks that take several values for a field that takes one in BVLC Caffe."""
    return variants(field).get(REPEATED, NONE)


@cache
def forks_with_type(layer_type: str) -> Forks:
    """The forks that have a layer type which BVLC Caffe lacks; none for a type of BVLC's or of nobody's."""
    return _split(_layer_types().theirs.get(layer_type, ""))


@cache
def type_readers(layer_type: str) -> Forks:
    """The known forks that may have a layer type: they register it, or the sources list no types."""
    types = _layer_types()
    if layer_type in types.theirs:
        return _split(types.theirs[layer_type]) | _split(types.unlisted)
    return every_fork() - _split(types.lacking.get(layer_type, ""))


def in_words(forks: Forks, most: int = 4) -> str:
    """Forks by nickname, the best known first, and how many more there are: "ssd, nvidia and 12 more"."""
    from nanlint.schema.fork_names import REPOSITORIES

    names = [name for name in REPOSITORIES if name in forks]
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


class _LayerTypes(NamedTuple):
    """What REGISTER_LAYER_CLASS and REGISTER_LAYER_CREATOR say in the forks' sources.

    `theirs`: the forks that have a type which BVLC Caffe lacks. `lacking`: the forks that lack one of BVLC's.
    `unlisted`: forks whose sources are not to be had, so that they may have any type.
    """

    theirs: dict[str, str]
    lacking: dict[str, str]
    unlisted: str


@cache
def _layer_types() -> _LayerTypes:
    table = json.loads(Path(__file__).with_name("fork_layers.json").read_bytes())
    return _LayerTypes(table["theirs"], table["lacking"], table["unlisted"])


@cache
def _table() -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("caffe_tags.json").read_bytes())
    return table


def _tags(declared: Declared) -> dict[str, Any]:
    return _table().get(name_of(declared), {})


@cache
def _split(names: str) -> Forks:
    return frozenset(names.split())

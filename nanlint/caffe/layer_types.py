"""The names of layer types: those of BVLC Caffe 1.0, and what an unknown one may mean."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from nanlint.caffe.layers import BVLC_TYPES, OPTIONAL_TYPES
from nanlint.findings import Effect, Problem, Severity
from nanlint.text.tree import Block

if TYPE_CHECKING:
    from nanlint.caffe.model import Origin
    from nanlint.caffe.options import Options
    from nanlint.text.source import Place

def unknown_type(origin: Origin, name: str, type_name: str, options: Options) -> Problem | None:
    """What Caffe makes of a type that nanlint does not model; None for one that some Caffe is known to
    have."""
    where = origin.place("type")
    if options.lacks_type(type_name):
        return _lacking(where, name, type_name, options)
    if type_name in BVLC_TYPES:
        return None
    if type_name in OPTIONAL_TYPES:
        return _optional(origin, name, type_name) if options.pinned else None
    if not type_name:
        return None if _type_is_written(origin) else _no_type(where, name)
    if _in_forks(type_name, options):
        return None
    meant = _meant(type_name)
    certain = options.pinned or (meant is not None and _same_letters(meant, type_name))
    remedy = (
        f'did you mean `type: "{meant}"`?' if meant else "write one of the types that your Caffe registers"
    )
    does = (
        "BVLC Caffe knows no such layer and aborts"
        if certain
        else "neither BVLC Caffe nor a known fork has it"
    )
    return Problem(
        where,
        f'`type: "{type_name}"` of `{name}`: {does}; {remedy}',
        "unknown-layer-type",
        layer=name,
        severity=Severity.ERROR if certain else Severity.WARNING,
        effect=Effect.SETUP_FAILURE,
    )


def is_foreign(type_name: str) -> bool:
    """Whether a layer type shows that a net is written for a fork of Caffe, and not just a slip."""
    if not type_name or type_name in BVLC_TYPES or type_name in OPTIONAL_TYPES:
        return False
    meant = _meant(type_name)
    return meant is None or not _same_letters(meant, type_name)


def _in_forks(type_name: str, options: Options) -> bool:
    """Whether only forks of Caffe have a type, and the Caffe that runs the files may be one of them."""
    from nanlint.caffe.upgrade_v1 import fork_types
    from nanlint.schema.forks import forks_with_type

    v1 = fork_types().get(type_name)
    if v1 is not None:
        return options.dialect.has(v1)
    if options.dialect.any_type:
        return type_name not in BVLC_TYPES
    return bool(forks_with_type(type_name)) and options.dialect.has_type(type_name)


def _lacking(where: Place, name: str, type_name: str, options: Options) -> Problem:
    from nanlint.schema.forks import in_words, type_readers

    return Problem(
        where,
        f'`type: "{type_name}"` of `{name}` does not exist in `{options.dialect.name}`, whose layer factory '
        f"aborts on it; {in_words(type_readers(type_name))} have it",
        "unknown-layer-type",
        layer=name,
        severity=Severity.WARNING,
        effect=Effect.SETUP_FAILURE,
    )


def _no_type(where: Place, name: str) -> Problem:
    return Problem(
        where,
        f"`{name}` has no `type`, and Caffe aborts on the layer; write its type",
        "unknown-layer-type",
        layer=name,
        effect=Effect.SETUP_FAILURE,
    )


def _type_is_written(origin: Origin) -> bool:
    """Whether the text has a type that could not be read, which is said of the text."""
    block = origin.bound.node(origin.route)
    return isinstance(block, Block) and any(field.name == "type" and field.rejected for field in block.fields)


def _optional(origin: Origin, name: str, type_name: str) -> Problem:
    return Problem(
        origin.place("type"),
        f'`type: "{type_name}"` of `{name}` exists only in a Caffe built with {OPTIONAL_TYPES[type_name]}; '
        "any other aborts as it creates the layer",
        "unknown-layer-type",
        layer=name,
        severity=Severity.INFO,
        effect=Effect.SETUP_FAILURE,
    )


@cache
def _meant(type_name: str) -> str | None:
    from nanlint.schema.suggest import nearest

    known = BVLC_TYPES | set(OPTIONAL_TYPES)
    return next((name for name in known if _same_letters(name, type_name)), None) or next(
        iter(nearest(type_name, sorted(known))), None
    )


def _same_letters(one: str, other: str) -> bool:
    return _letters(one) == _letters(other)


def _letters(name: str) -> str:
    return name.replace("_", "").replace(" ", "").replace("-", "").lower()

"""Whether a file that parses badly, or names what no schema has, is a solver or a net at all.

A README, a source file or a list of passwords gives hundreds of syntax errors, of which none is worth saying, and
fixes that would spoil it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.schema.descriptors import descriptor
from nanlint.schema.suggest import suggest_field
from nanlint.text.source import Span
from nanlint.text.tree import Block, Document, SyntaxFault

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

_FAULTS = 3
"""Syntax errors, or unknown fields, from which on a file may be something else altogether."""

_LOOKED_AT = 20
_TYPES = ("NetParameter", "SolverParameter")


def resembles_none(document: Document, foreign: bool) -> SyntaxFault | None:
    """What to say of a file that is neither a solver nor a net, instead of everything that is wrong in it.

    A file that the call leads to is most likely meant for one; a `foreign` one, which another file names, has to look
    like one.
    """
    faults = len(document.faults)
    if faults and document.faults[0].kind == "not-a-prototxt":
        return None
    fields = document.root.fields
    if not fields and not faults:
        return None
    known, unknown = max((_top(document.root, name) for name in _TYPES), key=lambda counts: counts[0])
    if not foreign:
        strange = (unknown >= _FAULTS and unknown > known > 0) or (
            faults >= _FAULTS and faults + unknown > 2 * max(_within(document.root, name) for name in _TYPES)
        )
    else:
        strange = unknown >= known and faults + unknown > 0
        strange = strange or (faults >= _FAULTS and faults > max(_within(document.root, name) for name in _TYPES))
    if not strange:
        return None
    places = f"{faults} places of it do not parse" if faults else f"{unknown} of {known + unknown} fields are unknown"
    return SyntaxFault(
        Span(0, 0),
        f"this is neither a solver nor a net: {places}; name the prototxt that is meant",
        "not-a-prototxt",
    )


def without_content(document: Document, fault: SyntaxFault) -> Document:
    """The file as nothing but its one fault."""
    return Document(document.source, Block(0, len(document.source.text)), (fault,), ())


def misspelt(name: str) -> bool:
    """Whether a name that no schema has may be meant for a field of a solver or a net."""
    found = [suggest_field(descriptor(message_type), name) for message_type in _TYPES]
    return any(one.sure or len(one.names) > 1 for one in found)


def _top(root: Block, message_type: str) -> tuple[int, int]:
    """How many of a file's fields a message has, and how many neither it has nor any that comes near."""
    known_names = descriptor(message_type).fields_by_name
    names = [field.name for field in root.fields]
    strange = [name for name in names if not name.isascii() or name not in known_names]
    near = set(filter(misspelt, sorted(set(strange))[:_LOOKED_AT]))
    unknown = sum(name not in near for name in strange)
    return len(names) - unknown, unknown


def _within(root: Block, message_type: str) -> int:
    """How many fields, at any depth, stand where a message has them."""
    count = 0
    blocks: list[tuple[Block, Descriptor]] = [(root, descriptor(message_type))]
    while blocks:
        block, message = blocks.pop()
        for field in block.fields:
            known = message.fields_by_name.get(field.name) if field.name.isascii() else None
            if known is None:
                continue
            count += 1
            if known.message_type is not None:
                blocks += [(value, known.message_type) for value in field.values if isinstance(value, Block)]
    return count

"""What the schema says of an offset in a file: the message around it, and the field that stands there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nanlint.schema.descriptors import descriptor
from nanlint.schema.tables import table_of
from nanlint.text.lookup import Spot, spot

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from nanlint.text.tree import Document


class Described(NamedTuple):
    """A spot with its descriptors: `message` is None inside a field that the schema does not know.

    `route` is the way that findings spell: an index where the field is repeated.
    """

    spot: Spot
    message: Descriptor | None
    field: FieldDescriptor | None
    route: str


def described(document: Document, message_type: str, offset: int) -> Described:
    """The descriptors of what stands at an offset of a file whose root is of `message_type`."""
    found = spot(document, offset)
    message: Descriptor | None = descriptor(message_type)
    field: FieldDescriptor | None = None
    route: list[str] = []
    for number, step in enumerate(found.steps):
        known = table_of(message).fields.get(step.field.read_as or step.field.name) if message is not None else None
        name = step.field.read_as or step.field.name
        route.append(f"{name}[{step.number}]" if known is None or known.repeated else name)
        inside = number + 1 < len(found.steps) or found.field is None
        if inside:
            message = known.message if known is not None else None
        else:
            field = known.field if known is not None else None
    return Described(found, message, field, ".".join(route))


def layer_route(route: str) -> str | None:
    """The part of a route that leads to the layer: `layer[3]`; None outside of layers."""
    match = re.match(r"(?:\w+\.)*?layers?\[\d+\]", route)
    return match.group() if match else None

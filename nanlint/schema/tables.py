"""What binding needs of the schema, by name: made once a message, since descriptors are slow to ask."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from nanlint.schema.suggest import is_fork_field
from nanlint.schema.values import Convert, converter

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor


class Known(NamedTuple):
    """What binding needs of a field's descriptor."""

    name: str
    repeated: bool
    fork: bool
    convert: Convert | None
    message: Descriptor | None
    enum: EnumDescriptor | None
    field: FieldDescriptor


class Table(NamedTuple):
    """The fields of a message, by name."""

    type: Descriptor
    fields: dict[str, Known]
    required: tuple[str, ...]


@cache
def table_of(message: Descriptor) -> Table:
    fields = {}
    for field in message.fields:
        nested = field.message_type
        fields[field.name] = Known(
            field.name,
            _has_label(field, "repeated"),
            is_fork_field(field),
            None if nested is not None else converter(field),
            nested,
            field.enum_type,
            field,
        )
    required = tuple(field.name for field in message.fields if _has_label(field, "required"))
    return Table(message, fields, required)


_LABELS = {"required": 2, "repeated": 3}


def _has_label(field: FieldDescriptor, label: str) -> bool:
    """Protobuf 6 took `label` away from descriptors; before it, they have nothing else."""
    known = getattr(field, f"is_{label}", None)
    return bool(known) if known is not None else getattr(field, "label") == _LABELS[label]  # noqa: B009

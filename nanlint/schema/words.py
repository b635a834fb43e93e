"""What the schema says of a field, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.schema.docs import comment
from nanlint.schema.suggest import is_fork_field

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor


def of_field(field: FieldDescriptor) -> Iterator[str]:
    """Markdown, a paragraph each: name and type, the schema's words, the values of an enum."""
    holder = field.containing_type.name if field.containing_type is not None else ""
    yield f"**{field.name}** {_type(field)}"
    words = comment(f"{holder}.{field.name}")
    if words:
        yield words
    if field.enum_type is not None:
        yield "one of " + ", ".join(f"`{value.name}`" for value in field.enum_type.values)
    if is_fork_field(field):
        yield "only forks of Caffe have this field"


def _type(field: FieldDescriptor) -> str:
    named = field.message_type or field.enum_type
    kind = named.name if named is not None else _SCALARS.get(field.type, "")
    if not field.has_default_value:
        return f"`{kind}`"
    default = field.enum_type.values_by_number[field.default_value].name if field.enum_type else field.default_value
    shown = str(default).lower() if isinstance(default, bool) else default
    return f"`{kind}`, `{shown}` unless given"


_SCALARS = {1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 8: "bool", 9: "string", 13: "uint32"}

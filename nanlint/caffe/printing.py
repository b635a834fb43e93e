"""Messages as prototxt: what is set, in the order of given fields, two spaces a level."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.numbers.float32 import shortest
from nanlint.text.layout import INDENT

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message


def lines(message: Message, depth: int = 0) -> Iterator[str]:
    """The lines of a message's fields."""
    indent = INDENT * depth
    for field, value in message.ListFields():
        for one in value if field.is_repeated else (value,):
            if field.message_type is None:
                yield f"{indent}{field.name}: {scalar(field, one)}"
            else:
                inner = list(lines(one, depth + 1))
                yield f"{indent}{field.name} {{" if inner else f"{indent}{field.name} {{}}"
                yield from (*inner, f"{indent}}}") if inner else ()


def in_a_line(message: Message) -> str:
    """A message's fields on one line."""
    return " ".join(line.strip() for line in lines(message))


def scalar(field: FieldDescriptor, value: object) -> str:
    """A value as prototxt spells it."""
    if field.enum_type is not None and isinstance(value, int):
        return field.enum_type.values_by_number[value].name
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{shortest(value) if field.cpp_type == field.CPPTYPE_FLOAT else value!r}".removesuffix(".0")
    return quoted(value) if isinstance(value, (str, bytes)) else str(value)


def quoted(text: str | bytes) -> str:
    """A string in double quotes."""
    from google.protobuf import text_encoding

    written = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return f'"{text_encoding.CEscape(written, as_utf8=isinstance(text, str))}"'

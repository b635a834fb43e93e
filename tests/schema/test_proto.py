"""proto/caffe.proto, held against the table of BVLC Caffe 1.0's schema, both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from nanlint.schema import descriptors
from nanlint.schema.docs import comment
from nanlint.schema.forks import FIRST_FORK_NUMBER

Table = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def schema() -> FileDescriptorProto:
    return FileDescriptorProto.FromString(descriptors.packaged())


@pytest.fixture(scope="module")
def bvlc(shared: Path) -> Table:
    table: Table = json.loads((shared / "facts" / "schema_bvlc.json").read_text())
    return table


def own(numbered: Any) -> list[Any]:
    """What BVLC Caffe itself has of a message's fields or an enum's values."""
    return [one for one in numbered if one.number < FIRST_FORK_NUMBER]


def described(field: FieldDescriptorProto) -> dict[str, Any]:
    """A field as the table has it."""
    scalar = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    found: dict[str, Any] = {
        "number": field.number,
        "label": FieldDescriptorProto.Label.Name(field.label).removeprefix("LABEL_").lower(),
        "type": field.type_name.removeprefix(f".{descriptors.PACKAGE}.") or scalar,
    }
    if field.HasField("default_value"):
        found["default"] = field.default_value
    if field.options.packed:
        found["packed"] = True
    if field.options.deprecated:
        found["deprecated"] = True
    return found


def messages(schema: FileDescriptorProto) -> dict[str, DescriptorProto]:
    return {message.name: message for message in schema.message_type}


def enums(schema: FileDescriptorProto) -> dict[str, EnumDescriptorProto]:
    found = {enum.name: enum for enum in schema.enum_type}
    for message in schema.message_type:
        found |= {f"{message.name}.{enum.name}": enum for enum in message.enum_type}
    return found


def test_every_message_and_field_of_bvlc_is_in_the_schema_and_no_other(
    schema: FileDescriptorProto, bvlc: Table
) -> None:
    ours = {
        name: {field.name: described(field) for field in own(message.field)}
        for name, message in messages(schema).items()
    }
    assert {name: fields for name, fields in ours.items() if fields} == bvlc["messages"]


def test_every_enum_and_value_of_bvlc_is_in_the_schema_and_no_other(schema: FileDescriptorProto, bvlc: Table) -> None:
    ours = enums(schema)
    for name, values in bvlc["enums"].items():
        assert {value.name: value.number for value in own(ours[name].value)} == values
    holders = {name for name, enum in ours.items() if name.partition(".")[0] in bvlc["messages"]}
    only_forks = holders - set(bvlc["enums"])
    used = {described(field)["type"] for name in bvlc["messages"] for field in own(messages(schema)[name].field)}
    assert not only_forks & used


def test_every_declaration_of_bvlc_is_explained(bvlc: Table) -> None:
    names = {f"{message}.{field}" for message, fields in bvlc["messages"].items() for field in fields}
    names |= {f"{enum}.{value}" for enum, values in bvlc["enums"].items() for value in values}
    names |= set(bvlc["messages"]) | set(bvlc["enums"])
    assert [name for name in sorted(names) if not comment(name)] == []


def test_what_only_forks_have_does_not_touch_bvlcs_numbers(schema: FileDescriptorProto, bvlc: Table) -> None:
    for name, message in messages(schema).items():
        if name not in bvlc["messages"]:
            assert own(message.field) == []


def test_a_comment_is_one_line() -> None:
    assert "\n" not in comment("PoolingParameter.stride")
    assert comment("PoolingParameter.no_such_field") == ""

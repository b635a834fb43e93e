"""Build hook: compiles `proto/caffe.proto` into what the package carries."""

from __future__ import annotations

import json
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2
from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The path from a FileDescriptorProto to its parts, by field number (descriptor.proto).
MESSAGES, ENUMS, FIELDS, NESTED_MESSAGES, NESTED_ENUMS, VALUES = 4, 5, 2, 3, 4, 2


class SchemaBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Writes the compiled schema, its comments and its type stubs beside the package's modules."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        compile_schema(root / "proto", root / "nanlint" / "schema")


def compile_schema(source: Path, target: Path) -> None:
    """Compiles `caffe.proto` of the folder `source` into the folder `target`."""
    well_known = str(resources.files("grpc_tools") / "_proto")
    with tempfile.TemporaryDirectory() as scratch:
        compiled = Path(scratch, "caffe.desc")
        status = protoc.main(
            [
                "protoc",
                f"--proto_path={source}",
                f"--proto_path={well_known}",
                "--include_imports",
                "--include_source_info",
                f"--descriptor_set_out={compiled}",
                f"--pyi_out={target}",
                "caffe.proto",
            ]
        )
        if status != 0:
            raise RuntimeError(f"protoc refuses {source / 'caffe.proto'} (exit status {status})")
        files = descriptor_pb2.FileDescriptorSet.FromString(compiled.read_bytes())
    docs = comments(files.file[-1])
    for file in files.file:
        file.ClearField("source_code_info")
    target.joinpath("caffe.desc").write_bytes(files.SerializeToString(deterministic=True))
    text = json.dumps(docs, indent=0, sort_keys=True, ensure_ascii=False)
    target.joinpath("caffe_docs.json").write_text(text + "\n", encoding="utf-8")


def comments(file: descriptor_pb2.FileDescriptorProto) -> dict[str, str]:
    """What the schema says of each message, field, enum and enum value, by its name without the package."""
    names = named_paths(file)
    found = {}
    for location in file.source_code_info.location:
        text = location.leading_comments or location.trailing_comments
        name = names.get(tuple(location.path))
        if name and text:
            found[name] = " ".join(text.split())
    return found


def named_paths(file: descriptor_pb2.FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """The name of each declaration, by its path in the file's descriptor."""
    names: dict[tuple[int, ...], str] = {}

    def add_enum(enum: descriptor_pb2.EnumDescriptorProto, path: tuple[int, ...], scope: str) -> None:
        name = names[path] = scope + enum.name
        for i, value in enumerate(enum.value):
            names[(*path, VALUES, i)] = f"{name}.{value.name}"

    def add_message(message: descriptor_pb2.DescriptorProto, path: tuple[int, ...], scope: str) -> None:
        name = names[path] = scope + message.name
        for i, field in enumerate(message.field):
            names[(*path, FIELDS, i)] = f"{name}.{field.name}"
        for i, nested in enumerate(message.nested_type):
            add_message(nested, (*path, NESTED_MESSAGES, i), name + ".")
        for i, enum in enumerate(message.enum_type):
            add_enum(enum, (*path, NESTED_ENUMS, i), name + ".")

    for i, message in enumerate(file.message_type):
        add_message(message, (MESSAGES, i), "")
    for i, enum in enumerate(file.enum_type):
        add_enum(enum, (ENUMS, i), "")
    return names

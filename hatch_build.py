"""Build hook: compiles `proto/caffe.proto` into what the package carries.

`caffe.desc` is on the way to every first finding, so it holds names, numbers, types and defaults alone;
what is wanted later and seldom stands beside it: `caffe_tags.json` (which forks have what) and
`caffe_docs.json` (what the schema says of a field).
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The way from a FileDescriptorProto to its parts, by field number (descriptor.proto).
MESSAGES, ENUMS, FIELDS, NESTED_MESSAGES, NESTED_ENUMS, VALUES = 4, 5, 2, 3, 4, 2


class SchemaBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Writes the compiled schema, its tags, its comments and its type stubs beside the package's modules."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        compile_schema(root / "proto", root / "nanlint" / "schema")
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"][str(root / "examples" / "cases")] = "nanlint/examples/cases"


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
    stubs = target / "caffe_pb2.pyi"
    stubs.write_text(without_keywords(stubs.read_text(encoding="utf-8")), encoding="utf-8")
    file = files.file[-1]
    declarations = list(declared(file))
    write_json(target / "caffe_docs.json", comments(file, declarations))
    write_json(target / "caffe_tags.json", tags(files, declarations))
    lean = lean_set(file, declarations)
    target.joinpath("caffe.desc").write_bytes(lean.SerializeToString(deterministic=True))


class Declaration(NamedTuple):
    """A message, field, enum or enum value: its name without the package, its way from the file, itself."""

    name: str
    path: tuple[int, ...]
    node: Any


def declared(file: descriptor_pb2.FileDescriptorProto) -> Iterator[Declaration]:
    """Everything that a schema declares."""
    for i, message in enumerate(file.message_type):
        yield from _message(message, (MESSAGES, i), "")
    for i, enum in enumerate(file.enum_type):
        yield from _enum(enum, (ENUMS, i), "")


def _message(
    node: descriptor_pb2.DescriptorProto, path: tuple[int, ...], scope: str
) -> Iterator[Declaration]:
    name = scope + node.name
    yield Declaration(name, path, node)
    for i, field in enumerate(node.field):
        yield Declaration(f"{name}.{field.name}", (*path, FIELDS, i), field)
    for i, nested in enumerate(node.nested_type):
        yield from _message(nested, (*path, NESTED_MESSAGES, i), name + ".")
    for i, enum in enumerate(node.enum_type):
        yield from _enum(enum, (*path, NESTED_ENUMS, i), name + ".")


def _enum(
    node: descriptor_pb2.EnumDescriptorProto, path: tuple[int, ...], scope: str
) -> Iterator[Declaration]:
    name = scope + node.name
    yield Declaration(name, path, node)
    for i, value in enumerate(node.value):
        yield Declaration(f"{name}.{value.name}", (*path, VALUES, i), value)


def comments(
    file: descriptor_pb2.FileDescriptorProto, declarations: list[Declaration]
) -> dict[str, str]:
    """What the schema says of each declaration, by its name."""
    names = {one.path: one.name for one in declarations}
    found = {}
    for location in file.source_code_info.location:
        text = location.leading_comments or location.trailing_comments
        name = names.get(tuple(location.path))
        if name and text:
            found[name] = " ".join(text.split())
    return found


def tags(
    files: descriptor_pb2.FileDescriptorSet, declarations: list[Declaration]
) -> dict[str, dict[str, str | list[str]]]:
    """The schema's own options (`forks`, `not_in`, `also`) of each field and enum value that has any."""
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    found: dict[str, dict[str, str | list[str]]] = {}
    for name, _, node in declarations:
        if node.HasField("options") and not isinstance(node, descriptor_pb2.DescriptorProto):
            kind = pool.FindMessageTypeByName(node.options.DESCRIPTOR.full_name)
            options = message_factory.GetMessageClass(kind).FromString(node.options.SerializeToString())
            own = dict(_extensions(options))
            if own:
                found[name] = own
    return found


def _extensions(options: Message) -> Iterator[tuple[str, str | list[str]]]:
    for field, value in options.ListFields():
        if field.is_extension:
            yield field.name.removeprefix("value_"), value if isinstance(value, str) else list(value)


def lean_set(
    file: descriptor_pb2.FileDescriptorProto, declarations: list[Declaration]
) -> descriptor_pb2.FileDescriptorSet:
    """The schema alone, without its own options and so without the import that declares them."""
    for _, _, node in declarations:
        if isinstance(node, descriptor_pb2.FieldDescriptorProto | descriptor_pb2.EnumValueDescriptorProto):
            packed = isinstance(node, descriptor_pb2.FieldDescriptorProto) and node.options.packed
            node.ClearField("options")
            if packed:
                node.options.packed = True
    for part in ("source_code_info", "extension", "dependency"):
        file.ClearField(part)
    return descriptor_pb2.FileDescriptorSet(file=[file])


def without_keywords(stubs: str) -> str:
    """The type stubs without enum values that Python cannot name (`None`)."""
    return re.sub(r"^ *(None|True|False): .*\n", "", stubs, flags=re.MULTILINE)


def write_json(path: Path, table: dict[str, Any]) -> None:
    text = json.dumps(table, indent=0, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")

"""A fork's own `caffe.proto`: compiled at run time, and laid over nanlint's schema.

The rules keep every field that they read; what the file adds is added, and what it lacks is refused.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FieldDescriptorProto

from nanlint.schema import descriptors
from nanlint.schema.dialect import Dialect
from nanlint.schema.forks import name_of

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumValueDescriptor, FieldDescriptor

FIRST_ADDED_NUMBER = 200000
_REPEATED = FieldDescriptorProto.LABEL_REPEATED
_Scope: TypeAlias = "DescriptorProto | descriptor_pb2.FileDescriptorProto"


@dataclass(frozen=True)
class ProtoDialect(Dialect):
    """The Caffe of a `caffe.proto`: `names` has its fields and enum values, `repeated` the repeated ones."""

    any_type: ClassVar[bool] = True
    names: frozenset[str] = field(default=frozenset(), repr=False)
    repeated: frozenset[str] = field(default=frozenset(), repr=False)
    types: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def exact(self) -> bool:
        return True

    def has(self, declared: FieldDescriptor | EnumValueDescriptor) -> bool:
        return name_of(declared) in self.names

    def has_type(self, layer_type: str) -> bool:
        """A schema does not say which layer types the program has."""
        return True

    def repeats(self, declared: FieldDescriptor) -> bool:
        return name_of(declared) in self.repeated

    def other_types(self, declared: FieldDescriptor) -> tuple[str, ...]:
        own = self.types.get(name_of(declared))
        return (own,) if own else ()


def use_proto(path: str) -> ProtoDialect:
    """Take the schema of a `caffe.proto` for what is read from here on.

    Raises ValueError, in words for the user, if grpcio-tools is missing or protoc refuses the file.
    """
    theirs = _compiled(path)
    with_theirs = descriptor_pb2.FileDescriptorProto.FromString(descriptors.packaged())
    merge = _Merge(theirs, with_theirs)
    merge.run()
    descriptors.use(with_theirs.SerializeToString())
    return ProtoDialect(path, frozenset(merge.names), frozenset(merge.repeated), merge.types)


def _compiled(path: str) -> descriptor_pb2.FileDescriptorProto:
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"`{path}` is no file")
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "out.desc")
        call = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={file.parent}", file.name]
        done = subprocess.run(
            [*call, f"--descriptor_set_out={out}"], capture_output=True, text=True, check=False
        )
        if "No module named" in done.stderr:
            raise ValueError("a fork's schema is compiled with grpcio-tools: `pip install 'nanlint[proto]'`")
        if done.returncode or not out.is_file():
            raise ValueError(f"protoc refuses `{path}`: {done.stderr.strip().splitlines()[0]}")
        found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file[-1]
    if not any(message.name == "NetParameter" for message in found.message_type):
        raise ValueError(f"`{path}` declares no NetParameter")
    return found


class _Merge:
    """Lays the declarations of one schema over another."""

    def __init__(
        self, theirs: descriptor_pb2.FileDescriptorProto, ours: descriptor_pb2.FileDescriptorProto
    ) -> None:
        self.theirs, self.ours = theirs, ours
        self.package = f".{theirs.package}." if theirs.package else "."
        self.messages = dict(_messages(ours.message_type, ""))
        self.enums = dict(_enums(ours, ""))
        self.names: set[str] = set()
        self.repeated: set[str] = set()
        self.types: dict[str, str] = {}
        self.renamed = self._oldest_layout()
        self.shared: dict[str, set[str]] = {}

    def run(self) -> None:
        declared = list(_messages(self.theirs.message_type, ""))
        for name, message in declared:
            self._rename_types(name, message)
        for name, enum in _enums(self.theirs, ""):
            self._add_enum(self._ours(name), enum)
        for name, _ in declared:
            self._message(self._ours(name))
        for name, message in declared:
            for ours in (self._ours(name), *self.shared.get(self._ours(name), ())):
                self._add_fields(ours, message)

    def _oldest_layout(self) -> dict[str, str]:
        """Before `layer { }` there was `layers { }` alone, and its message had today's name."""
        net = next(message for message in self.theirs.message_type if message.name == "NetParameter")
        layers = {one.name: one.type_name.rpartition(".")[2] for one in net.field}.get("layers")
        if layers == "LayerParameter":
            return {"LayerParameter": "V1LayerParameter", "V1LayerParameter": "V0LayerParameter"}
        if layers == "LayerConnection":
            return {"LayerConnection": "V1LayerParameter", "LayerParameter": "V0LayerParameter"}
        return {}

    def _rename_types(self, name: str, message: DescriptorProto) -> None:
        """A message that they use where we use another is laid over ours; over both, if we know both."""
        ours = self.messages.get(self._ours(name))
        known = {one.name: one for one in ours.field} if ours else {}
        for one in message.field:
            mine = known.get(one.name)
            if mine is None or one.type != mine.type or one.type != FieldDescriptorProto.TYPE_MESSAGE:
                continue
            their_type, my_type = self._ours(self._plain(one.type_name)), mine.type_name.split(".", 2)[2]
            if their_type == my_type:
                continue
            if their_type in self.messages:
                self.shared.setdefault(their_type, set()).add(my_type)
            else:
                self.renamed.setdefault(their_type, my_type)

    def _plain(self, type_name: str) -> str:
        return type_name.removeprefix(self.package)

    def _ours(self, name: str) -> str:
        first, dot, rest = name.partition(".")
        return self.renamed.get(first, first) + dot + rest

    def _scope(self, name: str) -> _Scope:
        holder = name.rpartition(".")[0]
        return self._message(holder) if holder else self.ours

    def _message(self, name: str) -> DescriptorProto:
        if name not in self.messages:
            scope = self._scope(name)
            nested = scope.nested_type if isinstance(scope, DescriptorProto) else scope.message_type
            self.messages[name] = nested.add(name=name.rpartition(".")[2])
        return self.messages[name]

    def _add_enum(self, name: str, theirs: EnumDescriptorProto) -> None:
        scope = self._scope(name)
        if name not in self.enums:
            self.enums[name] = scope.enum_type.add(name=name.rpartition(".")[2])
        ours = self.enums[name]
        taken = {value.name for enum in scope.enum_type for value in enum.value}
        taken |= {one.name for one in scope.field} if isinstance(scope, DescriptorProto) else set()
        numbers = {value.number for value in ours.value}
        known = {value.name for value in ours.value}
        for value in theirs.value:
            if value.name not in taken:
                free = value.number not in numbers
                number = value.number if free else max(FIRST_ADDED_NUMBER, *numbers) + 1
                ours.value.add(name=value.name, number=number)
                numbers.add(number)
                known.add(value.name)
            if value.name in known:
                self.names.add(f"{name}.{value.name}")

    def _add_fields(self, name: str, theirs: DescriptorProto) -> None:
        ours = self._message(name)
        known = {one.name: one for one in ours.field}
        number = max([FIRST_ADDED_NUMBER - 1, *(one.number for one in ours.field)])
        for one in theirs.field:
            route = f"{name}.{one.name}"
            self.names.add(route)
            if one.label == _REPEATED:
                self.repeated.add(route)
            mine = known.get(one.name)
            if mine is not None:
                if one.type != mine.type:
                    self.types[route] = FieldDescriptorProto.Type.Name(one.type)[len("TYPE_") :].lower()
                continue
            number += 1
            added = ours.field.add(name=one.name, number=number, type=one.type, label=one.label)
            added.json_name = one.name
            if one.label == FieldDescriptorProto.LABEL_REQUIRED:
                added.label = FieldDescriptorProto.LABEL_OPTIONAL
            if one.HasField("default_value"):
                added.default_value = one.default_value
            if one.type_name:
                added.type_name = f".{descriptors.PACKAGE}.{self._ours(self._plain(one.type_name))}"


def _messages(messages: Iterable[DescriptorProto], scope: str) -> Iterator[tuple[str, DescriptorProto]]:
    for message in messages:
        yield scope + message.name, message
        yield from _messages(message.nested_type, f"{scope}{message.name}.")


def _enums(holder: _Scope, scope: str) -> Iterator[tuple[str, EnumDescriptorProto]]:
    for enum in holder.enum_type:
        yield scope + enum.name, enum
    nested = holder.nested_type if isinstance(holder, DescriptorProto) else holder.message_type
    for message in nested:
        yield from _enums(message, f"{scope}{message.name}.")

"""The compiled schema: descriptors and message classes, in a pool that is nanlint's alone.

A process may already hold pycaffe's own `caffe.proto` in protobuf's default pool; the two never meet.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor

    from nanlint.schema import caffe_pb2

PACKAGE = "caffe"


_in_use: list[bytes] = []


def packaged() -> bytes:
    """`proto/caffe.proto` as the package carries it: a serialized FileDescriptorProto."""
    return _first_file(Path(__file__).with_name("caffe.desc").read_bytes())


def use(schema: bytes | None) -> None:
    """Take another schema (a serialized FileDescriptorProto) from here on; None is the packaged one again.

    Messages and descriptors of before stay what they were, and do not mix with those that come.
    """
    wanted = [] if schema is None else [schema]
    if wanted != _in_use:
        _in_use[:] = wanted
        for cached in (pool, descriptor, enum, message_class, _kind_of_message_class):
            cached.cache_clear()


@cache
def pool() -> descriptor_pool.DescriptorPool:
    """The pool that holds the schema, and nothing else."""
    private = descriptor_pool.DescriptorPool()
    private.AddSerializedFile(_in_use[0] if _in_use else packaged())
    return private


@cache
def descriptor(name: str) -> Descriptor:
    """The descriptor of a message by its name in the schema: `NetParameter`. KeyError if there is none."""
    return pool().FindMessageTypeByName(f"{PACKAGE}.{name}")


@cache
def enum(name: str) -> EnumDescriptor:
    """The descriptor of an enum: `Phase`, `PoolingParameter.PoolMethod`. KeyError if there is none."""
    return pool().FindEnumTypeByName(f"{PACKAGE}.{name}")


@cache
def message_class(name: str) -> type[Message]:
    """The class of a message by its name in the schema: `NetParameter`. KeyError if there is none."""
    kind = _kind_of_message_class()
    if kind.__module__ != "google._upb._message":
        return message_factory.GetMessageClass(descriptor(name))
    made: type[Message] = kind(name, (Message,), {"DESCRIPTOR": descriptor(name), "__module__": None})
    return made


@cache
def _kind_of_message_class() -> type[type]:
    """The metaclass of message classes.

    protobuf's C implementation makes the classes of nested messages when they are first used, while
    `GetMessageClass` makes all of them at once: some 400, or twice the time that the schema takes to load.
    """
    return type(message_factory.GetMessageClass(descriptor("BlobShape")))


def new_net() -> caffe_pb2.NetParameter:
    """An empty NetParameter."""
    return cast("caffe_pb2.NetParameter", message_class("NetParameter")())


def new_solver() -> caffe_pb2.SolverParameter:
    """An empty SolverParameter."""
    return cast("caffe_pb2.SolverParameter", message_class("SolverParameter")())


def new_layer() -> caffe_pb2.LayerParameter:
    """An empty LayerParameter."""
    return cast("caffe_pb2.LayerParameter", message_class("LayerParameter")())


def _first_file(files: bytes) -> bytes:
    """The one FileDescriptorProto in a serialized FileDescriptorSet: field 1, its length, itself.

    Reading it so spares the import of `descriptor_pb2` on the way to a first finding.
    """
    at = 1
    length = shift = 0
    while True:
        byte = files[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return files[at : at + length]

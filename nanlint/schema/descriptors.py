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


@cache
def pool() -> descriptor_pool.DescriptorPool:
    """The pool that holds `proto/caffe.proto` and what it imports, and nothing else."""
    data = Path(__file__).with_name("caffe.desc").read_bytes()
    private = descriptor_pool.DescriptorPool()
    for file in _serialized_files(data):
        private.AddSerializedFile(file)
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


def _serialized_files(data: bytes) -> list[bytes]:
    """The FileDescriptorProtos of a serialized FileDescriptorSet, which is nothing but them.

    Each has the tag of field 1, length-delimited, and its length; reading them so spares the
    import of `descriptor_pb2` on the way to a first finding.
    """
    files = []
    at = 0
    while at < len(data):
        at += 1
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        files.append(data[at : at + length])
        at += length
    return files

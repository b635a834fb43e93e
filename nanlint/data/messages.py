"""The records of databases in protobuf's wire format: Datum, and the AnnotatedDatum of SSD's Caffe.

The numbers of their fields are those of the binary format; the schema of text files knows names alone.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_INT, _BYTES, _FLOAT, _BOOL, _MESSAGE = 5, 12, 2, 8, 11
_OPTIONAL, _REPEATED = 1, 3

_MESSAGES: dict[str, dict[str, tuple[int, int, bool, str]]] = {
    "Datum": {
        "channels": (1, _INT, False, ""),
        "height": (2, _INT, False, ""),
        "width": (3, _INT, False, ""),
        "data": (4, _BYTES, False, ""),
        "label": (5, _INT, False, ""),
        "float_data": (6, _FLOAT, True, ""),
        "encoded": (7, _BOOL, False, ""),
    },
    "AnnotatedDatum": {
        "datum": (1, _MESSAGE, False, "Datum"),
        "type": (2, _INT, False, ""),
        "annotation_group": (3, _MESSAGE, True, "AnnotationGroup"),
    },
    "AnnotationGroup": {
        "group_label": (1, _INT, False, ""),
        "annotation": (2, _MESSAGE, True, "Annotation"),
    },
    "Annotation": {"instance_id": (1, _INT, False, ""), "bbox": (2, _MESSAGE, False, "NormalizedBBox")},
    "NormalizedBBox": {
        "xmin": (1, _FLOAT, False, ""),
        "ymin": (2, _FLOAT, False, ""),
        "xmax": (3, _FLOAT, False, ""),
        "ymax": (4, _FLOAT, False, ""),
        "label": (5, _INT, False, ""),
        "difficult": (6, _BOOL, False, ""),
    },
}


@cache
def message(name: str) -> Any:
    """The class of `Datum` or `AnnotatedDatum`."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"records.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="records.proto", package="records", syntax="proto2")
    for name, fields in _MESSAGES.items():
        one = file.message_type.add(name=name)
        for field, (number, kind, repeated, of) in fields.items():
            label = _REPEATED if repeated else _OPTIONAL
            made = one.field.add(name=field, number=number, type=kind, label=label)
            if of:
                made.type_name = f".records.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool

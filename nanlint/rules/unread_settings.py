"""Settings that a layer or a filler does not read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.edits import UNSAFE, remove, renamed
from nanlint.findings import Effect, Fix, Problem
from nanlint.numbers.float32 import show
from nanlint.rules.registry import INFO, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import FillerParameter

_READ = {
    "constant": ("value",),
    "uniform": ("min", "max"),
    "gaussian": ("mean", "std", "sparse"),
    "positive_unitball": (),
    "xavier": ("variance_norm",),
    "msra": ("variance_norm",),
    "bilinear": (),
}
"""What each filler reads beside its type (filler.hpp)."""
_NUMBERS = ("value", "min", "max", "mean", "std")
_CHANGES_VALUES = ("scale", "mean_file", "mean_value", "crop_size")


@rule("FIL006", "unread-filler-setting", WARNING, effect=Effect.NONE)
def unread_filler_setting(layer: Layer) -> Iterator[Problem]:
    """A filler is given a number that its type does not read.

    **In Caffe** `constant` reads `value`, `uniform` `min` and `max`, `gaussian` `mean`, `std` and `sparse`; `xavier`,
    `msra` and `bilinear` take their scale from the blob's shape (filler.hpp). Other numbers have no effect: the
    `value: 0.01` of a gaussian leaves its `std` at 1.

    **Instead** write the number under the name that the type reads, or remove it.
    """
    for descriptor, block in layer.param.ListFields():
        if descriptor.message_type is None or descriptor.is_repeated:
            continue
        for inner, filler in block.ListFields():
            if not inner.is_repeated and inner.message_type and inner.message_type.name == "FillerParameter":
                yield from _unread(layer, f"{descriptor.name}.{inner.name}", filler)


def _unread(layer: Layer, route: str, filler: FillerParameter) -> Iterator[Problem]:
    read = _READ.get(filler.type)
    if read is None:
        return
    for name in _NUMBERS:
        if name in read or not filler.HasField(name):
            continue
        number = show(getattr(filler, name))
        meant = _meant(filler, name)
        remedy = f"write `{meant}: {number}`" if meant else f"remove it, or write another `type` than `{filler.type}`"
        idle = not meant and name in ("value", "mean", "min") and not getattr(filler, name)
        yield finding(
            layer.at(f"{route}.{name}"),
            f'`{name}: {number}` of {layer.called} has no effect: a `type: "{filler.type}"` filler does not read '
            f"`{name}`{_left(filler, meant)}; {remedy}",
            fix=_renamed(layer, route, name, meant, number) if meant else remove(layer, f"{route}.{name}"),
            layer=layer.name,
            phase=layer.net.phase,
            severity=INFO if idle or not meant else None,
        )


def _meant(filler: FillerParameter, name: str) -> str:
    """The setting under which the number was meant; "" where that is not plain."""
    if filler.type == "gaussian" and name == "value" and not filler.HasField("std") and filler.value > 0:
        return "std"
    if filler.type == "constant" and name == "mean" and not filler.HasField("value"):
        return "value"
    return ""


def _left(filler: FillerParameter, meant: str) -> str:
    return f", and `{meant}` stays {show(getattr(filler, meant))}" if meant else ""


def _renamed(layer: Layer, route: str, name: str, meant: str, number: str) -> Fix:
    return Fix(f"write `{meant}: {number}`", (renamed(layer, f"{route}.{name}", meant),), UNSAFE)


@rule("INP008", "unread-transform", WARNING, effect=Effect.NONE)
def unread_transform(layer: Layer) -> Iterator[Problem]:
    """A layer that does not transform its data has a `transform_param`.

    **In Caffe** Data, ImageData, WindowData and MemoryData subtract the mean, scale, crop and mirror
    (data_transformer.cpp). HDF5Data, Input, DummyData and all other layers do not read `transform_param`: the data
    come as they lie in the file, and nothing says so.

    **Instead** prepare the data when the file is written, or put a Power (`scale`, `shift`) behind the layer.
    """
    transform = layer.param.transform_param
    if not layer.param.HasField("transform_param") or layer.spec is None or layer.net.foreign:
        return
    if layer.facts.transforms or layer.type == "Python":
        return
    lost = [descriptor.name for descriptor, _ in transform.ListFields() if descriptor.name in _CHANGES_VALUES]
    yield finding(
        layer.at(f"transform_param.{lost[0]}" if lost else "transform_param"),
        f"{layer.called} ({layer.type}) does not read `transform_param`"
        + (f", so its `{lost[0]}` is not applied" if lost else "")
        + "; remove it, and transform the data before, or in a Power layer behind it",
        fix=remove(layer, "transform_param"),
        layer=layer.name,
        phase=layer.net.phase,
        severity=None if lost else INFO,
    )

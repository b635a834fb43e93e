"""The numbers in a layer's settings that make shapes, each with the values that it may have been meant to have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from nanlint.caffe.model import Blob, Layer

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

    from nanlint.schema.caffe_pb2 import LayerParameter

_OTHER_BLOCKS = ("param", "include", "exclude", "blobs", "loss_param", "propagate_down")
# numbers that make no shape
_NO_SIZES = frozenset({"rand_skip", "prefetch", "seed", "axis", "start_axis", "end_axis", "stable_prod_grad"})
_SIDES = (("_h", "_w"), ("height", "width"))
# what a layer takes when it is not written, and people forget to write
_FORGOTTEN = {"convolution_param": (("pad", 0), ("stride", 1)), "pooling_param": (("pad", 0), ("stride", 1))}
_LOSSES_OF_QUANTITIES = ("EuclideanLoss", "SigmoidCrossEntropyLoss", "SmoothL1Loss")
_SCALED = ("kernel_size", "stride", "pad")


LARGEST = 2**31 - 1
"""The largest size that Caffe computes with: it casts every size to a signed number of 32 bits."""


class Setting(NamedTuple):
    """One number of a layer, at one or more routes that are changed together.

    `key` is the same for the same field of other layers; `written`: False where the file leaves it out.
    """

    layer: Layer
    routes: tuple[str, ...]
    value: int
    key: str
    written: bool = True

    @property
    def name(self) -> str:
        """The field's own name."""
        return self.key.rpartition(".")[2]


class Change(NamedTuple):
    """New values for settings of one layer, by route; or another type for it."""

    layer: Layer
    setting: Setting
    value: int
    values: tuple[tuple[str, int], ...]
    new_type: str = ""


def settings(layer: Layer) -> Iterator[Setting]:
    """The written sizes of a layer, those of height and width that are alike as one; then those it leaves out."""
    for descriptor, value in layer.param.ListFields():
        if descriptor.message_type is not None and descriptor.name not in _OTHER_BLOCKS:
            if descriptor.is_repeated:
                continue
            yield from _of_block(layer, value, descriptor.name)
            for name, default in _FORGOTTEN.get(descriptor.name, ()):
                if not _has(value, name):
                    route = f"{descriptor.name}.{name}"
                    yield Setting(layer, (route,), default, route, written=False)


def _has(block: Message, name: str) -> bool:
    written = {descriptor.name for descriptor, _ in block.ListFields()}
    return not written.isdisjoint({name, f"{name}_h", f"{name}_w"})


def _of_block(layer: Layer, block: Message, path: str) -> Iterator[Setting]:
    found: dict[str, tuple[tuple[str, ...], int]] = {}
    for descriptor, value in block.ListFields():
        route = f"{path}.{descriptor.name}"
        if descriptor.message_type is not None:
            if descriptor.name.endswith("filler"):
                continue
            for index, inner in enumerate(value if descriptor.is_repeated else [value]):
                yield from _of_block(layer, inner, f"{route}[{index}]" if descriptor.is_repeated else route)
        elif _is_size(descriptor):
            if not descriptor.is_repeated:
                found[descriptor.name] = ((route,), value)
            elif len(set(value)) == 1 and len(value) > 1:
                found[descriptor.name] = (tuple(f"{route}[{i}]" for i in range(len(value))), value[0])
            else:
                for index, one in enumerate(value):
                    yield Setting(layer, (f"{route}[{index}]",), one, route)
    yield from _joined(layer, found, path)


def _joined(layer: Layer, found: dict[str, tuple[tuple[str, ...], int]], path: str) -> Iterator[Setting]:
    """Height and width of one value as one setting."""
    done: set[str] = set()
    for name, (routes, value) in found.items():
        for tall, wide in _SIDES:
            other = name[: -len(tall)] + wide if name.endswith(tall) else ""
            if other in found and found[other][1] == value:
                yield Setting(layer, (*routes, *found[other][0]), value, f"{path}.{name}")
                done |= {name, other}
    for name, (routes, value) in found.items():
        if name not in done:
            yield Setting(layer, routes, value, f"{path}.{name}")


def _is_size(descriptor: FieldDescriptor) -> bool:
    whole = descriptor.cpp_type in (
        descriptor.CPPTYPE_INT32,
        descriptor.CPPTYPE_UINT32,
        descriptor.CPPTYPE_INT64,
        descriptor.CPPTYPE_UINT64,
    )
    return whole and descriptor.name not in _NO_SIZES


def with_values(layer: Layer, values: Iterable[tuple[str, int]]) -> LayerParameter:
    """The layer's settings with numbers replaced, by route."""
    param = type(layer.param)()
    param.CopyFrom(layer.param)
    for route, value in values:
        block: Message = param
        *path, last = route.split(".")
        for part in path:
            name, _, index = part.partition("[")
            block = getattr(block, name)
            if index:
                block = block[int(index[:-1])]  # type: ignore[index]
        name, _, index = last.partition("[")
        if index:
            getattr(block, name)[int(index[:-1])] = value
        elif block.DESCRIPTOR.fields_by_name[name].is_repeated:
            del getattr(block, name)[:]
            getattr(block, name).append(value)
        else:
            setattr(block, name, value)
    return param


def enlarged(layer: Layer) -> Iterator[Change]:
    """Other factors for a Deconvolution: kernel, stride and padding together."""
    found = {one.name: one for one in settings(layer) if one.name in _SCALED}
    stride, kernel = found.get("stride"), found.get("kernel_size")
    if layer.type != "Deconvolution" or stride is None or kernel is None or stride.value < 2:
        return
    pad = found.get("pad")
    for factor in (2, 4, 8, 16, 32, 64):
        if factor == stride.value:
            continue
        exact = kernel.value * factor % stride.value == 0
        size = kernel.value * factor // stride.value if exact else 2 * factor - factor % 2
        if size > LARGEST:
            return
        values = [(route, factor) for route in stride.routes] + [(route, size) for route in kernel.routes]
        if pad is not None and pad.value:
            values += [(route, pad.value * factor // stride.value) for route in pad.routes]
        yield Change(layer, stride, factor, tuple(values))


def other_losses(layer: Layer) -> Iterator[Change]:
    """The loss for class numbers where a loss for quantities, or for one number a class, is given some."""
    labels = layer.bottoms[1] if len(layer.bottoms) > 1 else None
    if layer.type not in _LOSSES_OF_QUANTITIES or labels is None or not _are_classes(labels):
        return
    yield Change(layer, Setting(layer, ("type",), 0, "type"), 0, (), "SoftmaxWithLoss")


def _are_classes(labels: Blob) -> bool:
    """Whether a blob is the label of an image, one whole number each (Data, ImageData, MemoryData)."""
    return labels.producer.facts.labels_on_top and labels.top_index == 1

"""What a node says of its layers, in few words, and what kind of node it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nanlint.caffe.model import Layer
from nanlint.report.graph import in_words

if TYPE_CHECKING:
    from google.protobuf.message import Message

_SHORT = {"Convolution": "Conv", "BatchNorm": "BN", "InnerProduct": "FC", "Deconvolution": "Deconv"}
"""Names that everyone shortens so."""
_SIZES = ("num_output", "pool", "operation")


def title(layers: Sequence[Layer]) -> str:
    """The name of the layer that begins a node."""
    return layers[0].name or f"({layers[0].type})"


def types(layers: Sequence[Layer]) -> str:
    """The types in their order, and of the first what decides about its shape: `Conv 3x3/2 64+BN+ReLU`."""
    names = [_SHORT.get(layer.type, layer.type) for layer in layers]
    head = " ".join(word for word in (names[0], decides(layers[0])) if word)
    return "+".join([head, *names[1:]])


def shape(layers: Sequence[Layer]) -> str:
    """The shape of what a node makes last."""
    tops = layers[-1].tops
    return in_words(tops[0].shape) if tops else ""


def kind(layers: Sequence[Layer]) -> str:
    """`source`, `loss`, `weights`, `join`, `shape` (it makes another shape), or `plain`."""
    first = layers[0]
    if not first.bottoms:
        return "source"
    if any(any(layer.loss_weights) or (layer.spec is not None and layer.spec.is_loss) for layer in layers):
        return "loss"
    if any(param.param.shape is None or len(param.param.shape) > 1 for param in first.params):
        return "weights"
    if len(first.bottoms) > 1:
        return "join"
    return "shape" if first.tops and first.tops[0].shape != first.bottoms[0].shape else "plain"


def decides(layer: Layer) -> str:
    """Kernel, stride, dilation, outputs, and the choice of a layer, as far as they are written."""
    for field, value in layer.param.ListFields():
        if field.name.endswith("_param") and field.message_type is not None and not field.is_repeated:
            words = _of_message(value)
            if words:
                return words
    return ""


def _of_message(param: Message) -> str:
    words = []
    kernel = _extent(param, "kernel_size", "kernel_h", "kernel_w")
    stride = _extent(param, "stride", "stride_h", "stride_w")
    if kernel:
        words.append(kernel if stride in ("", "1x1") else f"{kernel}/{_side(stride)}")
    dilation = _extent(param, "dilation")
    if dilation:
        words.append(f"d{_side(dilation)}")
    for name in _SIZES:
        field = param.DESCRIPTOR.fields_by_name.get(name)
        if field is None or field.is_repeated or not param.HasField(name):
            continue
        value = getattr(param, name)
        words.append(str(value) if field.enum_type is None else field.enum_type.values_by_number[value].name)
    return " ".join(words)


def _extent(param: Message, name: str, *sides: str) -> str:
    """`3x3` of a size that is written once, for each axis, or by `_h` and `_w`; empty where it is not written."""
    fields = param.DESCRIPTOR.fields_by_name
    if sides and all(side in fields for side in sides) and any(param.HasField(side) for side in sides):
        return "x".join(str(getattr(param, side)) for side in sides)
    field = fields.get(name)
    if field is None:
        return ""
    if not field.is_repeated:
        return f"{getattr(param, name)}x{getattr(param, name)}" if param.HasField(name) else ""
    sizes = list(getattr(param, name))
    return "x".join(map(str, sizes * 2 if len(sizes) == 1 else sizes))


def _side(extent: str) -> str:
    """`2` of `2x2`; a size that differs from axis to axis as it is."""
    sides = set(extent.split("x"))
    return sides.pop() if len(sides) == 1 else extent

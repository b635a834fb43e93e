"""Softmax, and the conditions that SoftmaxWithLoss and InfogainLoss take over from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import TOP, Blobs, LayerSetup, LayerType, Reads
from nanlint.caffe.layers.sizes import axis_of, needs_elements
from nanlint.caffe.model import count

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import LayerParameter

SWAPPED = "swap the bottoms: the prediction comes first, the label second"


class Softmax(LayerType):
    """The shape of the bottom (softmax_layer.cpp)."""

    def backward_reads(self, param: LayerParameter) -> Reads:
        return TOP

    def setup(self, layer: LayerSetup) -> Blobs:
        class_axis(layer, layer.param.softmax_param.axis, "softmax_param.axis")
        return Blobs((layer.bottoms[0].shape,))

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True


def class_axis(layer: LayerSetup, axis: int, route: str) -> int | None:
    """The axis of the classes, which must have elements; None if the bottom is unknown."""
    shape = layer.bottoms[0].shape
    other = layer.bottoms[1].shape if len(layer.bottoms) > 1 else None
    swapped = shape is not None and other is not None and len(shape) < len(other)
    at = axis_of(layer, 0, axis, route, SWAPPED if swapped else "")
    if at is None or shape is None:
        return None
    needs_elements(layer, shape[at], route, "the class axis")
    return at


def needs_scores(layer: LayerSetup) -> None:
    """Refusal of empty scores under the softmax of a loss, which writes its loss weight into the result."""
    needs_elements(layer, count(layer.bottoms[0].shape), "bottom[0]", "the softmax of the scores")

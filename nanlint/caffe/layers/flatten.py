"""Flatten: neighbouring axes as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import NOTHING, Blobs, InPlace, LayerSetup, LayerType, Reads
from nanlint.caffe.layers.sizes import axis_of, reshaped
from nanlint.caffe.model import count
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter


class Flatten(LayerType):
    """Top: axes `axis` to `end_axis` as one; with axis = end_axis + 1, an axis of 1 put between
    (flatten_layer.cpp).
    """

    rearranges = True
    in_place = InPlace.REFUSED
    keeps_symmetry = True

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.flatten_param
        shape = layer.bottoms[0].shape
        start = axis_of(layer, 0, param.axis, "flatten_param.axis")
        end = axis_of(layer, 0, param.end_axis, "flatten_param.end_axis")
        if shape is None or start is None or end is None:
            return Blobs((None,))
        if start > end + 1:
            raise layer.refuse(
                "conflicting-fields",
                "flatten_param.axis",
                f"`axis: {param.axis}` of `{layer.name}` comes after `end_axis: {param.end_axis}`, and Caffe "
                "aborts; write them in order",
                related=layer.origins(0),
            )
        top = (*shape[:start], count(shape, start, end + 1), *shape[end + 1 :])
        return Blobs((reshaped(layer, top, "flatten_param", f"the top of `{layer.name}`"),))

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].sized(top.count) for top in step.layer.tops]

    def gradients(self, step: Step) -> list[Value]:
        return [step.grads[0].sized(step.bottoms[0].count)]

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING

    def shares_memory(self, layer: Layer) -> bool:
        return True

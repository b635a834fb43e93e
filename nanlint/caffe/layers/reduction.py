"""Reduction: the sum, mean or norm of the axes from one on."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType
from nanlint.caffe.layers.sizes import axis_of, needs_elements
from nanlint.caffe.model import count

SUM, MEAN = 1, 4


class Reduction(LayerType):
    """Top: the axes before `axis`; axis 0 leaves a scalar without axes (reduction_layer.cpp)."""

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.reduction_param
        shape = layer.bottoms[0].shape
        axis = axis_of(layer, 0, param.axis, "reduction_param.axis")
        if shape is None or axis is None:
            return Blobs((() if param.axis == 0 else None,))
        if param.operation in (SUM, MEAN):
            needs_elements(layer, count(shape, axis), "reduction_param.axis", "the sum")
        return Blobs((shape[:axis],))

"""MVN: each map, or image, to mean 0 and variance 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import BOTH, NOTHING, Blobs, InPlace, LayerSetup, LayerType, Reads
from nanlint.caffe.layers.sizes import legacy_shape, needs_elements
from nanlint.caffe.model import count

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import LayerParameter


class MVN(LayerType):
    """Always 4 axes, missing ones as 1 (mvn_layer.cpp)."""

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTH if param.mvn_param.normalize_variance else NOTHING

    def setup(self, layer: LayerSetup) -> Blobs:
        sizes = legacy_shape(layer, 0)
        if sizes is None:
            return Blobs(((None,) * 4,))
        start = 1 if layer.param.mvn_param.across_channels else 2
        needs_elements(layer, count(sizes, start), "bottom[0]", "what is normalised together")
        return Blobs((sizes,))

    def written_in_place(self, param: LayerParameter) -> InPlace:
        return InPlace.WRONG_GRADIENT if param.mvn_param.normalize_variance else InPlace.RIGHT

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

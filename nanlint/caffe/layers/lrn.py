"""LRN: local response normalisation across channels, or within each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import BOTH, BOTTOM, Blobs, InPlace, LayerSetup, LayerType, Reads
from nanlint.caffe.layers.sizes import int32, needs_four_axes

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import LayerParameter

WITHIN_CHANNEL = 1


class LRN(LayerType):
    """The shape of the bottom, of 4 axes (lrn_layer.cpp)."""

    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM if param.lrn_param.norm_region == WITHIN_CHANNEL else BOTH

    def setup(self, layer: LayerSetup) -> Blobs:
        size = int32(layer.param.lrn_param.local_size)
        if size <= 0 or size % 2 == 0:
            raise layer.refuse(
                "value-out-of-range",
                "lrn_param.local_size",
                f"`local_size: {layer.param.lrn_param.local_size}` of `{layer.name}` is not odd and above 0, "
                "and Caffe aborts; write an odd size",
            )
        needs_four_axes(layer)
        return Blobs((layer.bottoms[0].shape,))

    def written_in_place(self, param: LayerParameter) -> InPlace:
        within = param.lrn_param.norm_region == WITHIN_CHANNEL
        return InPlace.WRONG_GRADIENT if within else InPlace.WRONG_OUTPUT

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

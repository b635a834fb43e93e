"""Eltwise: sum, product or maximum of blobs of one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import BOTH, BOTTOM, NOTHING, Blobs, InPlace, LayerSetup, LayerType, Reads, at_least
from nanlint.caffe.layers.sizes import needs_same_shape

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import LayerParameter

PROD = 0


class Eltwise(LayerType):
    """The shape of the bottoms, which must all be equal (eltwise_layer.cpp)."""

    bottoms = at_least(2)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.eltwise_param
        coefficients, bottoms = len(param.coeff), len(layer.bottoms)
        if coefficients and coefficients != bottoms:
            raise layer.refuse(
                "conflicting-fields",
                "eltwise_param.coeff[0]",
                f"`{layer.name}` has {coefficients} `coeff` for {bottoms} bottoms, and Caffe aborts; write "
                "one for each, or none",
            )
        if coefficients and param.operation == PROD:
            raise layer.refuse(
                "conflicting-fields",
                "eltwise_param.coeff[0]",
                f"`{layer.name}` has `coeff` with `operation: PROD`, and Caffe aborts; leave the coefficients out",
            )
        at = [i for i, bottom in enumerate(layer.bottoms) if bottom.shape is not None]
        for other in at[1:]:
            needs_same_shape(layer, at[0], other)
        known = [bottom.shape for bottom in layer.bottoms if bottom.shape is not None]
        if not known:
            return Blobs((None,))
        top = tuple(next((size for size in sizes if size is not None), None) for sizes in zip(*known, strict=True))
        return Blobs((top,))

    def backward_reads(self, param: LayerParameter) -> Reads:
        """PROD: the other bottoms, or, where `stable_prod_grad` is false, top / bottom (eltwise_layer.cpp)."""
        if param.eltwise_param.operation != PROD:
            return NOTHING
        return BOTTOM if param.eltwise_param.stable_prod_grad else BOTH

    def written_in_place(self, param: LayerParameter) -> InPlace:
        """SUM and MAX clear the top, and with it bottom 0, before they read it."""
        return InPlace.WRONG_GRADIENT if param.eltwise_param.operation == PROD else InPlace.WRONG_OUTPUT

"""Im2col: the patches of a convolution, as channels."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType
from nanlint.caffe.layers.convolve import PARAM, convolved, geometry
from nanlint.caffe.layers.sizes import axis_of, reshaped
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step


class Im2col(LayerType):
    """Top: channels times the kernel's elements, then the convolved spatial axes (im2col_layer.cpp)."""

    trusts_size = True

    def setup(self, layer: LayerSetup) -> Blobs:
        shape = layer.bottoms[0].shape
        axis = axis_of(layer, 0, layer.param.convolution_param.axis, f"{PARAM}.axis")
        if shape is None or axis is None:
            return Blobs((None,))
        if axis + 1 == len(shape):
            raise layer.refuse(
                "axis-out-of-range",
                f"{PARAM}.axis",
                f"`{layer.name}` needs a spatial axis after axis {axis}, the last of {layer.bottom(0)}, and "
                "Caffe aborts; write an earlier `axis`",
                related=layer.origins(0),
            )
        spatial = geometry(layer, len(shape) - axis - 1)
        channels = shape[axis]
        patches = None if channels is None else channels * prod(spatial.kernel)
        top = (*shape[:axis], patches, *convolved(layer, shape[axis + 1 :], spatial))
        return Blobs((reshaped(layer, top, PARAM, f"the top of `{layer.name}`"),))

    def values(self, step: Step) -> list[Value]:
        x = step.bottoms[0]
        return [Value(min(x.low, 0.0), max(x.high, 0.0), x.nan, x.known, step.top_count())]

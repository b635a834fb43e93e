"""Normalisation of forks: Normalize (ParseNet, SSD), BN (PSPNet, SegNet)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType, Param, Shape, between
from nanlint.caffe.layers.sizes import legacy_shape
from nanlint.numbers.moments import Moment

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import BNParameter

# fields by which a `bn_param` tells which fork it is written for
FOUR_BLOBS = ("slope_filler", "bias_filler", "frozen", "momentum", "eps")
TWO_BLOBS = ("scale_filler", "shift_filler", "bn_mode")


class Normalize(LayerType):
    """The shape of the bottom, scaled to length 1 across channels; a scale each, or one
    (normalize_layer.cpp). Some forks give the lengths as a second top.
    """

    changes_values = True
    keeps_maps = True
    tops = between(1, 2)

    def setup(self, layer: LayerSetup) -> Blobs:
        name = "normalize_param" if layer.param.HasField("normalize_param") else "norm_param"
        param = getattr(layer.param, name)
        shape = layer.bottoms[0].shape
        tops = (shape, *(None,) * (len(layer.top_names) - 1))
        if param.HasField("normalize_type") or param.bp_norm or param.fix_gradient:
            return Blobs(tops)
        channels = None if shape is None or len(shape) < 2 else shape[1]
        scale: Shape = () if param.channel_shared else (channels,)
        filler = param.scale_filler if param.HasField("scale_filler") else None
        return Blobs(tops, (Param(scale, filler, f"{name}.scale_filler", 1.0),))

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment | None:
        shape = layer.bottoms[0].shape
        channels = shape[1] if shape and len(shape) > 1 else None
        return Moment(-math.log(channels), bottoms[0].common, bottoms[0].mean) if channels else None


class BN(LayerType):
    """The shape of the bottom; blobs of 1 x C x 1 x 1: scale and shift, in PSPNet's Caffe also mean and
    variance.
    """

    keeps_statistics = True
    normalises = True
    keeps_maps = True
    tops = between(1, 3)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.bn_param
        shape = layer.bottoms[0].shape
        sizes = legacy_shape(layer, 0)
        each: Shape = (1, sizes[1] if sizes else None, 1, 1)
        tops = (shape, *(each,) * (len(layer.top_names) - 1))
        return Blobs(tops, _blobs(layer, param, each))


def _blobs(layer: LayerSetup, param: BNParameter, each: Shape) -> tuple[Param, ...]:
    """The parameter blobs of the fork that the fields, or the number of `param` blocks, tell."""
    specs = len(layer.param.param)
    if any(param.HasField(field) for field in TWO_BLOBS) and specs <= 2:
        return (
            Param(each, param.scale_filler, "bn_param.scale_filler"),
            Param(each, param.shift_filler, "bn_param.shift_filler"),
        )
    if any(param.HasField(field) for field in FOUR_BLOBS) or specs == 4:
        return (
            Param(each, param.slope_filler, "bn_param.slope_filler"),
            Param(each, param.bias_filler, "bn_param.bias_filler"),
            Param(each),
            Param(each),
        )
    return (Param(each),) * max(2, specs)

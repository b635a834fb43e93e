"""Tile: a blob repeated along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType
from nanlint.caffe.layers.sizes import axis_of, reshaped
from nanlint.numbers.draws import anything
from nanlint.numbers.values import NAN, Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step

PARAM = "tile_param"


class Tile(LayerType):
    """Top: the size along `axis` times `tiles` (tile_layer.cpp)."""

    trusts_size = True
    rearranges = True

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.tile_param
        shape = layer.bottoms[0].shape
        axis = axis_of(layer, 0, param.axis, f"{PARAM}.axis")
        if not param.HasField("tiles"):
            raise layer.refuse(
                "missing-field",
                PARAM,
                f"`{layer.name}` has no `tiles`, and Caffe aborts; write how often to repeat",
            )
        if param.tiles <= 0:
            raise layer.refuse(
                "value-out-of-range",
                f"{PARAM}.tiles",
                f"`tiles: {param.tiles}` of `{layer.name}` is not above 0, and Caffe aborts; write at least 1",
            )
        if shape is None or axis is None:
            return Blobs((None,))
        size = shape[axis]
        top = (*shape[:axis], None if size is None else size * param.tiles, *shape[axis + 1 :])
        return Blobs((reshaped(layer, top, f"{PARAM}.tiles", f"the top of `{layer.name}`"),))

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].sized(step.top_count())]

    def gradients(self, step: Step) -> list[Value]:
        nan = any(grad.surely_nan for grad in step.grads)
        got = anything(step.bottoms[0].count)
        return [got.but(nan=nan, found=(NAN,) if nan else ())]

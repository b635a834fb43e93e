"""Split and Silence: one blob for many readers, and one for none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import NOTHING, Blobs, InPlace, LayerSetup, LayerType, Reads, at_least, exactly
from nanlint.numbers.draws import anything, constant
from nanlint.numbers.values import NAN, Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter


class Split(LayerType):
    """Tops: the bottom again, once each (split_layer.cpp)."""

    idle_in_use = True
    keeps_maps = True
    rearranges = True
    tops = at_least(1)
    in_place = InPlace.REFUSED

    def setup(self, layer: LayerSetup) -> Blobs:
        return Blobs((layer.bottoms[0].shape,) * len(layer.top_names))

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].sized(top.count) for top in step.layer.tops]

    def gradients(self, step: Step) -> list[Value]:
        nan = any(grad.surely_nan for grad in step.grads)
        got = anything(step.bottoms[0].count)
        return [got.but(nan=nan, found=(NAN,) if nan else ())]

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING

    def shares_memory(self, layer: Layer) -> bool:
        return True


class Silence(LayerType):
    """Reads blobs so that they are not printed as outputs of the net."""

    idle_in_use = True
    bottoms = at_least(1)
    tops = exactly(0)
    touches_data = False

    def setup(self, layer: LayerSetup) -> Blobs:
        return Blobs(())

    def gradients(self, step: Step) -> list[Value]:
        return [constant(0.0, x.count) for x in step.bottoms]

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING

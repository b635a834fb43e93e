"""Split and Silence: one blob for many readers, and one for none."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, InPlace, LayerSetup, LayerType, at_least, exactly


class Split(LayerType):
    """Tops: the bottom again, once each (split_layer.cpp)."""

    tops = at_least(1)
    in_place = InPlace.REFUSED

    def setup(self, layer: LayerSetup) -> Blobs:
        return Blobs((layer.bottoms[0].shape,) * len(layer.top_names))


class Silence(LayerType):
    """Reads blobs so that they are not printed as outputs of the net."""

    bottoms = at_least(1)
    tops = exactly(0)
    touches_data = False

    def setup(self, layer: LayerSetup) -> Blobs:
        return Blobs(())

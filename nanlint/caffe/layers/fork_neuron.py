"""Element by element, in forks."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType
from nanlint.caffe.layers.neuron import Neuron


class SpatialDropout(Neuron):
    """Dropout of whole channels."""

    idle_in_use = True


class CReLU(LayerType):
    """max(x, 0) beside max(-x, 0): twice the channels; other forks compute it in other ways."""

    keeps_maps = True

    def setup(self, layer: LayerSetup) -> Blobs:
        shape = layer.bottoms[0].shape
        return Blobs((None if shape is None else (None,) * len(shape),))

"""ReLU: max(x, 0) + slope * min(x, 0), element by element."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType


class ReLU(LayerType):
    """Same shape as the bottom (NeuronLayer::Reshape, neuron_layer.cpp)."""

    def setup(self, layer: LayerSetup) -> Blobs:
        return Blobs((layer.bottoms[0].shape,))

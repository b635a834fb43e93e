"""Data: images and labels out of LevelDB or LMDB."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, between, exactly
from nanlint.caffe.layers.source_layers import (
    ImageSource,
    batch,
    channels,
    check_prefetch,
    check_source,
    check_transform,
    resized,
    with_given,
)


class Data(ImageSource):
    """Tops: batch x channels x height x width, cropped to `crop_size`; labels (data_layer.cpp)."""

    labels_on_top = True
    transforms = True
    source_block = "data_param"
    bottoms = exactly(0)
    tops = between(1, 2)
    touches_data = False

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.data_param
        check_source(layer, "data_param", param.source)
        check_transform(layer)
        size = batch(layer, "data_param", param.batch_size, param.HasField("batch_size"))
        check_prefetch(layer)
        height, width = resized(layer)
        return Blobs(with_given(layer, (size, channels(layer), height, width), (size,)))

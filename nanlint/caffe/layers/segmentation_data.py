"""ImageSegData (DeepLab, PSPNet): images with a label image each."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, Shape, between
from nanlint.caffe.layers.source_layers import ImageSource, resized, with_given

COLOR_CHANNELS, GRAY_CHANNELS = 3, 1
PIXEL_LABELS = 2
"""`label_type: PIXEL`."""


class ImageSegData(ImageSource):
    """Tops: images, label images of the same size, and the sizes before padding (image_seg_data_layer.cpp)."""

    bottoms = between(0, 0)
    tops = between(1, 3)
    touches_data = False

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.image_data_param
        batch = param.batch_size or None
        height, width = resized(layer)
        labels: Shape = (batch, 1, height, width) if param.label_type == PIXEL_LABELS else None
        images: Shape = (batch, COLOR_CHANNELS if param.is_color else GRAY_CHANNELS, height, width)
        return Blobs(with_given(layer, *(images, labels, (batch, 1, 1, 2))[: len(layer.top_names)]))

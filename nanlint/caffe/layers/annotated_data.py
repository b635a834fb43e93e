"""Sources of forks: AnnotatedData (SSD) and VideoData."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType, Shape, at_least, exactly
from nanlint.caffe.layers.source_layers import channels, resized, with_given

BOX_LABEL = 8
YOLO_BOXES, YOLO_LABEL = 300, 5


class AnnotatedData(LayerType):
    """Tops: images, and a row of 8 for each box of the batch (annotated_data_layer.cpp)."""

    bottoms = exactly(0)
    tops = at_least(1)
    touches_data = False

    def setup(self, layer: LayerSetup) -> Blobs:
        batch = layer.param.data_param.batch_size or None
        height, width = resized(layer)
        labels: Shape = None
        if layer.param.annotated_data_param.yolo_data_type == 1:
            labels = (batch, 1, YOLO_BOXES, YOLO_LABEL)
        elif layer.param.annotated_data_param.HasField("anno_type"):
            labels = (1, 1, None, BOX_LABEL)
        more: tuple[Shape, ...] = (None,) * (len(layer.top_names) - 2)
        images = (batch, channels(layer), height, width)
        return Blobs(with_given(layer, *(images, labels, *more)[: len(layer.top_names)]))


class VideoData(LayerType):
    """Tops: frames, and labels; forks disagree on how many axes frames have."""

    bottoms = exactly(0)
    tops = at_least(1)
    touches_data = False

    def setup(self, layer: LayerSetup) -> Blobs:
        return Blobs(with_given(layer, *(None,) * len(layer.top_names)))

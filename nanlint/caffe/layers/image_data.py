"""ImageData and WindowData: images out of files, whole or in windows; they exist where Caffe is built with
OpenCV.
"""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, exactly
from nanlint.caffe.layers.source_layers import (
    ImageSource,
    batch,
    channels,
    check_prefetch,
    check_source,
    check_transform,
    with_given,
)

COLOR_CHANNELS, GRAY_CHANNELS = 3, 1


class ImageData(ImageSource):
    """Tops: batch x channels x height x width, resized and cropped; labels (image_data_layer.cpp)."""

    labels_on_top = True
    transforms = True
    source_block = "image_data_param"
    bottoms = exactly(0)
    tops = exactly(2)
    touches_data = False

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.image_data_param
        check_transform(layer)
        height, width = param.new_height, param.new_width
        if (height == 0) != (width == 0):
            missing = "new_height" if height == 0 else "new_width"
            raise layer.refuse(
                "new-size-half-set",
                "image_data_param.new_width" if height == 0 else "image_data_param.new_height",
                f"`{layer.name}` has `new_height: {height}` and `new_width: {width}`, and Caffe aborts "
                f"unless both or none are above 0; write `{missing}` too",
            )
        check_source(layer, "image_data_param", param.source)
        crop = layer.param.transform_param.crop_size
        if crop and height and crop > min(height, width):
            raise layer.refuse(
                "conflicting-fields",
                "transform_param.crop_size",
                f"`crop_size: {crop}` of `{layer.name}` exceeds the {height} x {width} that its images are "
                "resized to, and Caffe aborts; write a smaller crop",
            )
        size = batch(layer, "image_data_param", param.batch_size, True)
        check_prefetch(layer)
        shape = (
            size,
            COLOR_CHANNELS if param.is_color else GRAY_CHANNELS,
            crop or height or None,
            crop or width or None,
        )
        return Blobs(with_given(layer, shape, (size,)))


class WindowData(ImageSource):
    """Tops: batch x channels x crop x crop; labels (window_data_layer.cpp)."""

    transforms = True
    bottoms = exactly(0)
    tops = exactly(2)
    touches_data = False

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.window_data_param
        check_transform(layer)
        check_source(layer, "window_data_param", param.source)
        crop = layer.param.transform_param.crop_size
        if not crop:
            raise layer.refuse(
                "missing-field",
                "transform_param.crop_size",
                f"`{layer.name}` has no `crop_size` in its `transform_param`, and Caffe aborts; "
                "write the size that windows are warped to",
            )
        size = batch(layer, "window_data_param", param.batch_size, param.HasField("batch_size"))
        check_prefetch(layer)
        return Blobs(with_given(layer, (size, channels(layer), crop, crop), (size,)))

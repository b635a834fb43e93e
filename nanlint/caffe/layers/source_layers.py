"""What the layers that read data have in common (base_data_layer.cpp, data_transformer.cpp).

What a database or file holds is not known from the prototxt: sizes are taken from the settings and
from what the user gives (`--input`), and are unknown otherwise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Dim, LayerSetup, LayerType, Shape
from nanlint.caffe.layers.sizes import int32
from nanlint.findings import Effect, Severity
from nanlint.numbers import moments
from nanlint.numbers.draws import constant, unknown
from nanlint.numbers.float32 import f32
from nanlint.numbers.moments import Moment, Moments
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Blob, Layer
    from nanlint.schema.caffe_pb2 import TransformationParameter

BYTE_MEAN = 117.0
"""The mean of the bytes of natural images (ImageNet: 104, 117, 123 by channel)."""
BYTE_STD = 70.0


def check_transform(layer: LayerSetup) -> None:
    """Refusal where both a mean file and mean values are written (DataTransformer's constructor)."""
    param = layer.param.transform_param
    if param.HasField("mean_file") and param.mean_value:
        raise layer.refuse(
            "conflicting-fields",
            "transform_param.mean_value[0]",
            f"`{layer.name}` has both `mean_file` and `mean_value`, and Caffe aborts; write one of the two",
        )
    if param.force_color and param.force_gray:
        layer.report(
            "conflicting-fields",
            "transform_param.force_gray",
            f"`{layer.name}` has both `force_color` and `force_gray`, and Caffe aborts if its images are "
            "encoded; write one of the two",
            severity=Severity.WARNING,
        )


def channels(layer: LayerSetup) -> Dim:
    """The channels, as several mean values tell them."""
    values = len(layer.param.transform_param.mean_value)
    return values if values > 1 else None


def resized(layer: LayerSetup) -> tuple[Dim, Dim]:
    """Height and width after the transformation: cropped, in SSD's Caffe also resized."""
    param = layer.param.transform_param
    if param.crop_size:
        return param.crop_size, param.crop_size
    if param.crop_h and param.crop_w:
        return param.crop_h, param.crop_w
    sizes = {(one.height, one.width) for one in param.resize_param if one.height and one.width}
    return sizes.pop() if len(sizes) == 1 else (None, None)


def batch(layer: LayerSetup, block: str, size: int, written: bool) -> int:
    """The batch size. Raises Refusal unless it is above 0."""
    if int32(size) > 0:
        return int32(size)
    raise layer.refuse(
        "value-out-of-range" if written else "missing-field",
        f"{block}.batch_size",
        f"`{layer.name}` has {f'`batch_size: {size}`' if written else 'no `batch_size`'}, and Caffe aborts "
        "on the empty batch; write at least 1",
    )


def check_source(layer: LayerSetup, block: str, source: str, what: str = "source") -> None:
    """Refusal where no file is named."""
    if not source:
        raise layer.refuse(
            "missing-field",
            f"{block}.{what}",
            f"`{layer.name}` names no `{what}`, and Caffe aborts because it cannot open it; write the path",
        )


def check_prefetch(layer: LayerSetup) -> None:
    """Report a queue of no batches: the first forward pass waits for ever (BasePrefetchingDataLayer)."""
    if layer.param.data_param.prefetch == 0:
        layer.report(
            "value-out-of-range",
            "data_param.prefetch",
            f"`prefetch: 0` of `{layer.name}` leaves no batch to fill, and training waits for ever at the "
            "first one; write at least 1",
            effect=Effect.NO_LEARNING,
        )


def with_given(layer: LayerSetup, *shapes: Shape) -> tuple[Shape, ...]:
    """The tops' shapes, each as the user gives it where the files leave something open."""
    return tuple(
        layer.given[name] if name in layer.given and (shape is None or None in shape) else shape
        for name, shape in zip(layer.top_names, shapes, strict=False)
    )


class ImageSource(LayerType):
    """What the layers have in common whose first top is images and whose second is labels."""

    holds_pixels = True

    def values(self, step: Step) -> list[Value]:
        """Bytes through the transformation; labels are whole numbers of any size."""
        layer = step.layer
        tops = []
        if layer.tops:
            tops.append(transformed(layer.param.transform_param, layer.tops[0]))
        tops += [unknown(blob.count, integer=True) for blob in layer.tops[1:]]
        return tops

    def moments(self, layer: Layer, bottoms: Moments) -> Moments:
        return [pixels(layer), *([None] * (len(layer.tops) - 1))] if layer.tops else []


def transformed(transform: TransformationParameter, blob: Blob) -> Value:
    """(byte - mean) * scale (data_transformer.cpp, Transform); a database can hold more than bytes."""
    low, high = 0.0, 255.0
    if transform.mean_file:
        low = -255.0
    elif transform.mean_value:
        low, high = low - max(transform.mean_value), high - min(transform.mean_value)
    scale = transform.scale
    if scale != scale:
        return constant(math.nan, blob.count)
    ends = (f32(low * scale) if low else 0.0, f32(high * scale) if high else 0.0)
    return Value(min(ends), max(ends), known=False, count=blob.count)


def transformation(layer: Layer) -> TransformationParameter:
    """The transformation of a data layer; forks of old also read it inside the layer's own block (s2vt)."""
    param = layer.param
    if not param.HasField("transform_param"):
        for block in (param.data_param, param.image_data_param):
            if block.HasField("transform_param"):
                return block.transform_param
    return param.transform_param


def pixels(layer: Layer) -> Moment:
    """Bytes, less the mean, times the scale (data_transformer.cpp)."""
    transform = transformation(layer)
    if transform.mean_file:
        mean = 0.0
    elif transform.mean_value:
        mean = BYTE_MEAN - sum(transform.mean_value) / len(transform.mean_value)
    else:
        mean = BYTE_MEAN
    return moments.from_mean(mean * transform.scale, (BYTE_STD * transform.scale) ** 2)

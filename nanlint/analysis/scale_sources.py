"""Where scale comes from: fillers, and the layers that bring data in."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from nanlint.caffe.model import Layer, LearnedParam, Shape, count
from nanlint.numbers.moments import Moment, Weights, from_mean, logarithm

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import FillerParameter

BYTE_MEAN = 117.0
"""The mean of the bytes of natural images (ImageNet: 104, 117, 123 by channel)."""
BYTE_STD = 70.0
COLOURS = 3
"""Channels of an image whose file is not at hand."""
PIXELS = ("Data", "ImageData", "WindowData")


def filled(filler: FillerParameter | None, shape: Shape, default: float = 0.0) -> Weights | None:
    """The second moment of a blob after its filler (filler.hpp); None where it is unknown."""
    if filler is None:
        return Weights(2 * logarithm(abs(default)), 1.0)
    if filler.type == "constant":
        return Weights(2 * logarithm(abs(filler.value)), 1.0)
    if filler.type == "uniform":
        return _weights((filler.min + filler.max) / 2, (filler.max - filler.min) ** 2 / 12)
    if filler.type == "gaussian":
        weights = _weights(filler.mean, filler.std**2)
        if filler.sparse < 0:
            return weights
        rows = shape[0] if shape else None
        return None if not rows else Weights(weights.log + logarithm(filler.sparse / rows), weights.mean)
    fan = filler_fan(filler, shape)
    if fan is None or fan <= 0:
        return None
    if filler.type == "xavier":
        return Weights(-log(fan))
    if filler.type == "msra":
        return Weights(log(2 / fan))
    if filler.type == "positive_unitball":
        return Weights(log(4 / 3) - 2 * log(fan), 0.75)
    return None


def filler_fan(filler: FillerParameter, shape: Shape) -> float | None:
    """The n of xavier and msra: count / shape[0], count / shape[1], or their mean (filler.hpp)."""
    total = count(shape)
    if not shape or not total or not shape[0]:
        return None
    fan_in = total / shape[0]
    fan_out = total / shape[1] if len(shape) > 1 and shape[1] else float(total)
    if filler.variance_norm == filler.AVERAGE:
        return (fan_in + fan_out) / 2
    return fan_out if filler.variance_norm == filler.FAN_OUT else fan_in


def known_shape(learned: LearnedParam) -> Shape:
    """The shape of a learned blob, with three colours where it reads pixels whose channels are not known."""
    shape = learned.param.shape
    if shape is None or len(shape) != 4 or shape[1] is not None:
        return shape
    layer = learned.layer
    if layer.bottoms and layer.bottoms[0].producer.type in PIXELS:
        return (shape[0], COLOURS, *shape[2:])
    return shape


def data_moments(layer: Layer) -> list[Moment | None]:
    """The moment of each top of a layer without bottoms; labels and data of unknown scale are None."""
    if layer.type == "DummyData":
        return [_dummy(layer, index) for index in range(len(layer.tops))]
    if layer.type in PIXELS and layer.tops:
        return [pixels(layer), *([None] * (len(layer.tops) - 1))]
    return [None] * len(layer.tops)


def pixels(layer: Layer) -> Moment:
    """Bytes, less the mean, times the scale (data_transformer.cpp)."""
    transform = layer.param.transform_param
    if transform.mean_file:
        mean = 0.0
    elif transform.mean_value:
        mean = BYTE_MEAN - sum(transform.mean_value) / len(transform.mean_value)
    else:
        mean = BYTE_MEAN
    return from_mean(mean * transform.scale, (BYTE_STD * transform.scale) ** 2)


def _dummy(layer: Layer, index: int) -> Moment | None:
    fillers = layer.param.dummy_data_param.data_filler
    if not fillers:
        return Moment(float("-inf"), 1.0, 1.0)
    filler = fillers[index if len(fillers) > 1 and index < len(fillers) else 0]
    weights = filled(filler, layer.tops[index].shape)
    return None if weights is None else Moment(weights.log, weights.mean, weights.mean)


def _weights(mean: float, variance: float) -> Weights:
    moment = from_mean(mean, variance)
    return Weights(moment.log, moment.mean)

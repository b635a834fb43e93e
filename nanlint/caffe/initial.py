"""What learned blobs hold at the first iteration, as ranges and as second moments: fillers, and blobs in the file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.model import count
from nanlint.numbers import moments
from nanlint.numbers.draws import between, constant, gaussian, numbers, uniform, unknown
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.moments import Weights
from nanlint.numbers.values import Part, Value

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, LearnedParam, Shape
    from nanlint.schema.caffe_pb2 import FillerParameter, LayerParameter


COLOURS = 3
"""Channels of an image whose file is not at hand."""


def initial_value(learned: LearnedParam) -> Value:
    """A parameter blob at the first iteration: its owner's, if it is shared."""
    source = learned.owner or learned
    number = count(source.param.shape)
    given = written(source.layer.param, source.index, number)
    if given is not None:
        return given
    if source.param.filler is None:
        return constant(source.param.default, number)
    # a sum over many weights needs their spread alone
    return filled(source.param.filler, source.param.shape, split=not learned.layer.facts.multiplies)


def filled(filler: FillerParameter, shape: Shape, *, split: bool = True) -> Value:
    """What a filler writes (filler.hpp), without parts unless `split`; unknown where it aborts."""
    number = count(shape)
    if filler.type == "constant":
        return constant(filler.value, number)
    if filler.type == "uniform":
        return (
            uniform(filler.min, min(filler.max, FLOAT_MAX), number, split=split)
            if filler.min <= filler.max
            else unknown(number)
        )
    if filler.type == "gaussian":
        if filler.std != filler.std or filler.std <= 0:
            return unknown(number)
        drawn = gaussian(filler.mean, filler.std, number, split=split)
        return drawn if filler.sparse < 0 else _thinned(drawn, filler.sparse, shape)
    if filler.type in ("xavier", "msra"):
        fan = filler_fan(filler, shape)
        if not fan:
            return unknown(number)
        if filler.type == "xavier":
            reach = f32(math.sqrt(3.0 / fan))
            return uniform(-reach, reach, number, split=split)
        return gaussian(0.0, math.sqrt(2.0 / fan), number, split=split)
    if filler.type in ("positive_unitball", "bilinear"):
        return between(0.0, 1.0, number)
    return unknown(number)


def _thinned(drawn: Value, kept: int, shape: Shape) -> Value:
    rows = shape[0] if shape else None
    if not rows or kept == 0:
        return constant(0.0, drawn.count) if kept == 0 else drawn.bounds(drawn.count)
    if not drawn.parts:
        return drawn.bounds(drawn.count)
    share = min(1.0, kept / rows)
    parts = (Part(0.0, 0.0, 1 - share), *(p._replace(chance=p.chance * share) for p in drawn.parts))
    return drawn.but(parts=parts, basis=object(), square=None)


def written(param: LayerParameter, index: int, number: int | None) -> Value | None:
    """What a `blobs { }` entry of the file holds for a layer's parameter; None where there is none."""
    if index >= len(param.blobs):
        return unknown(number) if param.blobs else None
    proto = param.blobs[index]
    values = list(proto.double_data) or list(proto.data)
    return numbers(values, number) if values else unknown(number)


def initial_moment(layer: Layer, index: int = 0) -> Weights | None:
    """The second moment of one learned blob of a layer; None where it is unknown."""
    if index >= len(layer.params):
        return None
    learned = layer.params[index].owner or layer.params[index]
    return filled_moment(learned.param.filler, known_shape(learned), learned.param.default)


def filled_moment(filler: FillerParameter | None, shape: Shape, default: float = 0.0) -> Weights | None:
    """The second moment of a blob after its filler (filler.hpp); None where it is unknown."""
    if filler is None:
        return Weights(2 * moments.logarithm(abs(default)), 1.0)
    if filler.type == "constant":
        return Weights(2 * moments.logarithm(abs(filler.value)), 1.0)
    if filler.type == "uniform":
        return _drawn((filler.min + filler.max) / 2, (filler.max - filler.min) ** 2 / 12)
    if filler.type == "gaussian":
        weights = _drawn(filler.mean, filler.std**2)
        if filler.sparse < 0:
            return weights
        rows = shape[0] if shape else None
        return None if not rows else Weights(weights.log + moments.logarithm(filler.sparse / rows), weights.mean)
    fan = filler_fan(filler, shape)
    if fan is None or fan <= 0:
        return None
    if filler.type == "xavier":
        return Weights(-math.log(fan))
    if filler.type == "msra":
        return Weights(math.log(2 / fan))
    if filler.type == "positive_unitball":
        return Weights(math.log(4 / 3) - 2 * math.log(fan), 0.75)
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
    if layer.bottoms and layer.bottoms[0].producer.facts.holds_pixels:
        return (shape[0], COLOURS, *shape[2:])
    return shape


def _drawn(mean: float, variance: float) -> Weights:
    moment = moments.from_mean(mean, variance)
    return Weights(moment.log, moment.mean)

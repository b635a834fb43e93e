"""Where numbers come from: fillers, blobs written in the file, DummyData, data layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.model import Shape, count
from nanlint.caffe.transfer import Step, forward, size
from nanlint.numbers.draws import between, constant, gaussian, numbers, uniform, unknown
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.values import Part, Value

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, LearnedParam
    from nanlint.schema.caffe_pb2 import FillerParameter, LayerParameter, TransformationParameter

AVERAGE, FAN_OUT = 2, 1
SUMMING = ("InnerProduct", "Convolution", "Deconvolution")


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
        fan = _fan(filler, shape, number)
        if not fan:
            return unknown(number)
        if filler.type == "xavier":
            reach = f32(math.sqrt(3.0 / fan))
            return uniform(-reach, reach, number, split=split)
        return gaussian(0.0, math.sqrt(2.0 / fan), number, split=split)
    if filler.type in ("positive_unitball", "bilinear"):
        return between(0.0, 1.0, number)
    return unknown(number)


def _fan(filler: FillerParameter, shape: Shape, number: int | None) -> float | None:
    if not shape or not number or not shape[0]:
        return None
    fan_in = number / shape[0]
    fan_out = number / shape[1] if len(shape) > 1 and shape[1] else float(number)
    if filler.variance_norm == AVERAGE:
        return (fan_in + fan_out) / 2
    return fan_out if filler.variance_norm == FAN_OUT else fan_in


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


def weights_of(learned: LearnedParam) -> Value:
    """A parameter blob at the first iteration: its owner's, if it is shared."""
    source = learned.owner or learned
    number = count(source.param.shape)
    given = written(source.layer.param, source.index, number)
    if given is not None:
        return given
    if source.param.filler is None:
        return constant(source.param.default, number)
    # a sum over many weights needs their spread alone
    return filled(source.param.filler, source.param.shape, split=learned.layer.type not in SUMMING)


@forward("DummyData")
def dummy_data(step: Step) -> list[Value]:
    """Each top by its filler: one serves all tops, none is constant 0 (dummy_data_layer.cpp, LayerSetUp)."""
    fillers = step.layer.param.dummy_data_param.data_filler
    tops = []
    for index, blob in enumerate(step.layer.tops):
        if not fillers:
            tops.append(constant(0.0, size(blob)))
        elif len(fillers) == 1 or index < len(fillers):
            tops.append(filled(fillers[index if len(fillers) > 1 else 0], blob.shape))
        else:
            tops.append(unknown(size(blob)))
    return tops


@forward("Parameter")
def parameter(step: Step) -> list[Value]:
    """Zeros until it is learned (parameter_layer.hpp)."""
    return [step.weights[0] if step.weights else constant(0.0, step.top_count())]


@forward("Data", "ImageData", "WindowData")
def bytes_of_images(step: Step) -> list[Value]:
    """Bytes through the transformation; labels are whole numbers of any size."""
    layer = step.layer
    tops = []
    if layer.tops:
        tops.append(transformed(layer.param.transform_param, layer.tops[0]))
    tops += [unknown(size(blob), integer=True) for blob in layer.tops[1:]]
    return tops


def transformed(transform: TransformationParameter, blob: Blob) -> Value:
    """(byte - mean) * scale (data_transformer.cpp, Transform); a database can hold more than bytes."""
    low, high = 0.0, 255.0
    if transform.mean_file:
        low = -255.0
    elif transform.mean_value:
        low, high = low - max(transform.mean_value), high - min(transform.mean_value)
    scale = transform.scale
    if scale != scale:
        return constant(math.nan, size(blob))
    ends = (f32(low * scale) if low else 0.0, f32(high * scale) if high else 0.0)
    return Value(min(ends), max(ends), known=False, count=size(blob))

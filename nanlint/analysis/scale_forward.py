"""How each layer type carries the second moment of its bottoms to its tops, at initialisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, log
from typing import TypeAlias

from nanlint.analysis.scale_sources import data_moments, filled, known_shape
from nanlint.caffe.model import TRAIN, Layer, count
from nanlint.numbers import moments
from nanlint.numbers.moments import Moment, Weights, exponential, log_sum

Moments: TypeAlias = "Sequence[Moment | None]"
Transfer: TypeAlias = "Callable[[Layer, list[Moment]], Moment | None]"

SAME = (
    *("Crop", "Flatten", "ImageInterp", "Interp", "Permute", "ROIPooling", "Reshape", "Reverse"),
    *("ShuffleChannel", "Slice", "Split", "Tile", "Transpose", "Upsample"),
)


def forward(layer: Layer, bottoms: Moments) -> Moments:
    """The moment of each top; None where it is unknown."""
    if not bottoms:
        return data_moments(layer)
    transfer = FORWARD.get(layer.type)
    wanted = bottoms[: ARITY.get(layer.type, len(bottoms))]
    known = [moment for moment in wanted if moment is not None]
    top = transfer(layer, known) if transfer and len(known) == len(wanted) else None
    if top is not None and top.log != top.log:
        top = None
    return [top] * len(layer.tops)


def weights_of(layer: Layer, index: int = 0) -> Weights | None:
    """What fills one learned blob of a layer."""
    if index >= len(layer.params):
        return None
    learned = layer.params[index].owner or layer.params[index]
    return filled(learned.param.filler, known_shape(learned), learned.param.default)


def fan_in(layer: Layer) -> float | None:
    """How many products one element of the top of a linear layer sums up."""
    shape = known_shape(layer.params[0]) if layer.params else None
    if shape is None:
        return None
    if layer.type == "Deconvolution":
        return _deconvolution_fan(layer, shape[0], count(shape, 2))
    if layer.type == "InnerProduct" and layer.param.inner_product_param.transpose:
        return count(shape, 0, len(shape) - 1)
    return count(shape, 1)


def strides(layer: Layer) -> int:
    """The product of the strides over the two spatial axes."""
    param = layer.param.convolution_param
    if param.stride_h or param.stride_w:
        return max(1, param.stride_h) * max(1, param.stride_w)
    written = list(param.stride)
    if not written:
        return 1
    return max(1, written[0]) * max(1, written[-1]) if len(written) <= 2 else 1


def _deconvolution_fan(layer: Layer, channels: int | None, window: int | None) -> float | None:
    if channels is None or window is None:
        return None
    return channels / max(1, layer.param.convolution_param.group) * window / strides(layer)


def _linear(layer: Layer, bottoms: list[Moment]) -> Moment | None:
    weights, fan = weights_of(layer), fan_in(layer)
    if layer.params and layer.params[0].param.filler is not None:
        filler = layer.params[0].param.filler
        if filler.type == "bilinear":
            return bottoms[0]
        if fan is None and filler.type in ("xavier", "msra"):
            return bottoms[0].scaled(log(2) if filler.type == "msra" else 0.0)._replace(mean=0.0)
    if weights is None or fan is None:
        return None
    return _plus_bias(layer, 1, moments.linear(bottoms[0], weights, fan))


def _plus_bias(layer: Layer, index: int, moment: Moment) -> Moment:
    bias = weights_of(layer, index)
    if bias is None or bias.log == -inf:
        return moment
    return moments.add(moment, Moment(bias.log, 1.0, bias.mean))


def _relu(layer: Layer, bottoms: list[Moment]) -> Moment:
    return moments.rectified(bottoms[0], layer.param.relu_param.negative_slope)


def _prelu(layer: Layer, bottoms: list[Moment]) -> Moment:
    weights = weights_of(layer)
    return moments.rectified(bottoms[0], exponential(weights.log / 2) if weights else 0.25)


def _elu(layer: Layer, bottoms: list[Moment]) -> Moment:
    """Close to the identity below 1, to ReLU with a floor of alpha above."""
    moment = bottoms[0]
    slope = layer.param.elu_param.alpha / (1 + min(1e6, moment.rms))
    return moments.rectified(moment, slope)


def _sigmoid(layer: Layer, bottoms: list[Moment]) -> Moment:
    swing = moments.saturating(bottoms[0], 0.25, 1 / 16)
    square = log_sum(log(0.25), swing.log)
    mean = exponential(log(0.25) - square)
    return Moment(square, mean + (1 - mean) * swing.common, mean)


def _tanh(layer: Layer, bottoms: list[Moment]) -> Moment:
    return moments.saturating(bottoms[0], 1.0, 1.0)


def _absolute(layer: Layer, bottoms: list[Moment]) -> Moment:
    mean = max(bottoms[0].mean, 2 / 3.1416)
    return Moment(bottoms[0].log, max(mean, bottoms[0].common), mean)


def _power(layer: Layer, bottoms: list[Moment]) -> Moment | None:
    param = layer.param.power_param
    if param.power != 1:
        return Moment(0.0, 1.0, 1.0) if param.power == 0 else None
    scaled = bottoms[0].scaled(2 * moments.logarithm(abs(param.scale)))
    shift = Moment(2 * moments.logarithm(abs(param.shift)), 1.0, 1.0)
    return moments.add(scaled, shift) if param.shift else scaled


def _dropout(layer: Layer, bottoms: list[Moment]) -> Moment:
    kept = 1 - layer.param.dropout_param.dropout_ratio
    if layer.phase != TRAIN or not 0 < kept < 1:
        return bottoms[0]
    return Moment(bottoms[0].log - log(kept), bottoms[0].common * kept, bottoms[0].mean * kept)


def _lrn(layer: Layer, bottoms: list[Moment]) -> Moment | None:
    param = layer.param.lrn_param
    base = log_sum(moments.logarithm(param.k), moments.logarithm(param.alpha) + bottoms[0].log)
    return bottoms[0].scaled(-2 * param.beta * base) if base > -inf else None


def batch_norm_log_gain(layer: Layer, bottom: Moment) -> float:
    """ln of the factor on the variance: 1 / (v + eps); 1 / eps while stored statistics are still 0."""
    param = layer.param.batch_norm_param
    eps = moments.logarithm(param.eps)
    stored = param.use_global_stats if param.HasField("use_global_stats") else layer.phase != TRAIN
    return -eps if stored else -log_sum(moments.spread(bottom), eps)


def _batch_norm(layer: Layer, bottoms: list[Moment]) -> Moment:
    param = layer.param.batch_norm_param
    if param.use_global_stats if param.HasField("use_global_stats") else layer.phase != TRAIN:
        return bottoms[0].scaled(batch_norm_log_gain(layer, bottoms[0]))
    return Moment(moments.over_eps(moments.spread(bottoms[0]), param.eps))


def _scale(layer: Layer, bottoms: list[Moment]) -> Moment | None:
    if len(bottoms) > 1:
        return _product(bottoms)
    weights = weights_of(layer)
    if weights is None:
        return None
    scaled = bottoms[0].scaled(weights.log)._replace(mean=bottoms[0].mean * weights.mean)
    return _plus_bias(layer, 1, scaled)


def _bias(layer: Layer, bottoms: list[Moment]) -> Moment:
    return moments.add(*bottoms) if len(bottoms) > 1 else _plus_bias(layer, 0, bottoms[0])


def _product(bottoms: list[Moment]) -> Moment:
    common = mean = 1.0
    for moment in bottoms:
        common, mean = common * moment.common, mean * moment.mean
    return Moment(sum(moment.log for moment in bottoms), common, mean)


def _eltwise(layer: Layer, bottoms: list[Moment]) -> Moment | None:
    param = layer.param.eltwise_param
    if param.operation == param.PROD:
        return _product(bottoms)
    if param.operation == param.MAX:
        return max(bottoms)
    weights = list(param.coeff) or [1.0] * len(bottoms)
    if len(weights) != len(bottoms):
        return None
    return moments.add(
        *(moment.scaled(2 * moments.logarithm(abs(w))) for moment, w in zip(bottoms, weights, strict=True))
    )


def _concat(layer: Layer, bottoms: list[Moment]) -> Moment | None:
    """The mean of the bottoms, by how many elements each has."""
    sizes = [count(blob.shape, 1) for blob in layer.bottoms]
    known = [size or 0 for size in sizes]
    if 0 in known:
        channels = [blob.shape[1] if blob.shape and len(blob.shape) > 1 else None for blob in layer.bottoms]
        known = [size or 0 for size in channels]
    parts = [1 / len(known)] * len(known) if 0 in known else [size / sum(known) for size in known]
    square = log_sum(*(moment.log + log(part) for moment, part in zip(bottoms, parts, strict=True)))
    if square == -inf:
        return moments.ZERO
    shares = [part * exponential(moment.log - square) for moment, part in zip(bottoms, parts, strict=True)]
    return Moment(
        square,
        min(1.0, sum(moment.common * s for moment, s in zip(bottoms, shares, strict=True))),
        min(1.0, sum(moment.mean * s for moment, s in zip(bottoms, shares, strict=True))),
    )


def pooling_window(layer: Layer) -> int | None:
    """How many elements a pooling window covers; None if it is global over an unknown map."""
    param = layer.param.pooling_param
    if param.global_pooling:
        return count(layer.bottoms[0].shape, 2)
    return (param.kernel_h or param.kernel_size) * (param.kernel_w or param.kernel_size) or 1


def is_average(layer: Layer) -> bool:
    param = layer.param.pooling_param
    return param.pool == param.AVE


def _pooling(layer: Layer, bottoms: list[Moment]) -> Moment:
    """AVE averages away what neighbours do not share; MAX of k multiplies E[x^2] by about 1 + ln(k) / 4."""
    window = pooling_window(layer) or 49
    moment = bottoms[0]
    if not is_average(layer):
        return moment.scaled(log(1 + log(window) / 4))
    kept = moment.common + (1 - moment.common) / window
    if kept <= 0 or moment.log == -inf:
        return moment
    return Moment(moment.log + log(kept), min(1.0, moment.common / kept), min(1.0, moment.mean / kept))


def _softmax(layer: Layer, bottoms: list[Moment]) -> Moment | None:
    shape, axis = layer.bottoms[0].shape, layer.param.softmax_param.axis
    if shape is None or not -len(shape) <= axis < len(shape) or not shape[axis]:
        return None
    classes = shape[axis] or 1
    flat = moments.exponential(-max(0.0, bottoms[0].rms))
    square = log_sum(-2 * log(classes), log(max(1e-9, 1 - flat)) - log(classes))
    mean = exponential(-2 * log(classes) - square)
    return Moment(square, max(mean, bottoms[0].common * mean), mean)


def _unit(layer: Layer, bottoms: list[Moment]) -> Moment:
    return moments.ZERO if bottoms[0].log == -inf else Moment(0.0)


def _normalised(layer: Layer, bottoms: list[Moment]) -> Moment | None:
    shape = layer.bottoms[0].shape
    channels = shape[1] if shape and len(shape) > 1 else None
    return Moment(-log(channels), bottoms[0].common, bottoms[0].mean) if channels else None


def _bnll(layer: Layer, bottoms: list[Moment]) -> Moment:
    half = moments.rectified(bottoms[0])
    return moments.add(half, Moment(2 * log(log(2)), 1.0, 1.0)) if half.rms < 10 else half


def _embed(layer: Layer, bottoms: list[Moment]) -> Moment | None:
    weights = weights_of(layer)
    return Moment(weights.log, weights.mean, weights.mean) if weights else None


def _reduction(layer: Layer, bottoms: list[Moment]) -> Moment | None:
    param = layer.param.reduction_param
    shape, axis = layer.bottoms[0].shape, param.axis
    if shape is None or not -len(shape) <= axis < len(shape):
        return None
    elements = count(shape, axis % len(shape))
    if not elements or param.operation not in (param.SUM, param.MEAN):
        return None
    top = moments.linear(bottoms[0], Weights(2 * moments.logarithm(abs(param.coeff)), 1.0), elements)
    return top.scaled(-2 * log(elements)) if param.operation == param.MEAN else top


def _identity(layer: Layer, bottoms: list[Moment]) -> Moment:
    return bottoms[0]


ARITY = {"Crop": 1, "ROIPooling": 1, "Reshape": 1, "Interp": 1, "Upsample": 1, "ImageInterp": 1}

FORWARD: dict[str, Transfer] = {
    **dict.fromkeys(SAME, _identity),
    "AbsVal": _absolute,
    "BNLL": _bnll,
    "BatchNorm": _batch_norm,
    "Bias": _bias,
    "Concat": _concat,
    "Convolution": _linear,
    "ConvolutionDepthwise": _linear,
    "Deconvolution": _linear,
    "DepthwiseConvolution": _linear,
    "Dropout": _dropout,
    "ELU": _elu,
    "Eltwise": _eltwise,
    "Embed": _embed,
    "InnerProduct": _linear,
    "LRN": _lrn,
    "MVN": _unit,
    "Normalize": _normalised,
    "PReLU": _prelu,
    "Pooling": _pooling,
    "Power": _power,
    "ReLU": _relu,
    "ReLU6": _relu,
    "Reduction": _reduction,
    "Scale": _scale,
    "Sigmoid": _sigmoid,
    "Softmax": _softmax,
    "TanH": _tanh,
}

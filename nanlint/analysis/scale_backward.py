"""How each layer type carries a gradient from its tops back to its bottoms, at initialisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, log
from typing import NamedTuple, TypeAlias

from nanlint.analysis.scale_forward import (
    ARITY,
    SAME,
    batch_norm_log_gain,
    fan_in,
    is_average,
    pooling_window,
    weights_of,
)
from nanlint.caffe.model import TRAIN, Layer, count
from nanlint.numbers import moments
from nanlint.numbers.moments import Moment, exponential, log_sum, logarithm


class Gradient(NamedTuple):
    """The gradient of one loss at a blob, for a unit gradient at the prediction of each sample.

    `log`: ln of its squared norm over the elements of one sample. `common`: the share that samples
    have in common, `flat` the share that the positions of a map have in common.
    """

    log: float
    common: float = 0.0
    flat: float = 0.0


Bottoms: TypeAlias = "Sequence[Moment | None]"
Back: TypeAlias = "Callable[[Layer, Bottoms, Gradient], Gradient | None]"


def backward(layer: Layer, bottoms: Bottoms, top: Gradient) -> Sequence[Gradient | None]:
    """The gradient at each bottom; None where it is unknown."""
    if layer.type == "Concat":
        return _concat(layer, top)
    if layer.type == "Eltwise":
        return _eltwise(layer, bottoms, top)
    if layer.type == "Scale" and len(bottoms) == 2:
        return [_times(top, bottoms[1]), _times(top, bottoms[0])]
    carry = BACKWARD.get(layer.type)
    known = carry(layer, bottoms, top) if carry else None
    used = ARITY.get(layer.type, len(bottoms))
    return [known if index < used else Gradient(-inf) for index in range(len(bottoms))]


def total(gradients: Sequence[Gradient]) -> Gradient:
    """The sum of gradients that have nothing to do with each other."""
    square = log_sum(*(gradient.log for gradient in gradients))
    if square == -inf or len(gradients) == 1:
        return gradients[0]
    parts = [exponential(gradient.log - square) for gradient in gradients]
    return Gradient(
        square,
        sum(part * gradient.common for part, gradient in zip(parts, gradients, strict=True)),
        sum(part * gradient.flat for part, gradient in zip(parts, gradients, strict=True)),
    )


def _linear(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    """Of a unit of squared norm at the top, fan_in * E[w^2] arrive at the bottom."""
    weights, fan = weights_of(layer), fan_in(layer)
    filler = layer.params[0].param.filler if layer.params else None
    if filler is not None and filler.type == "bilinear":
        return top
    if filler is not None and fan is None and filler.type in ("xavier", "msra"):
        return top._replace(log=top.log + (log(2) if filler.type == "msra" else 0.0))
    if weights is None or not fan:
        return None
    flat = 0.0 if layer.type == "InnerProduct" else top.flat
    return Gradient(top.log + log(fan) + weights.log, top.common, flat)


def _gate(gradient: Gradient, bottom: Moment | None, slope: float = 0.0) -> Gradient | None:
    if bottom is None:
        return None
    open_share = moments.active_share(bottom)
    passed = open_share + slope * slope * (1 - open_share)
    agree = moments.same_sign(bottom.common)
    mixed = (agree * open_share + slope * slope * agree * (1 - open_share)) / passed if passed > 0 else 0.0
    return Gradient(gradient.log + logarithm(passed), gradient.common * mixed, gradient.flat * mixed)


def _relu(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    return _gate(top, bottoms[0], layer.param.relu_param.negative_slope)


def _prelu(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    weights = weights_of(layer)
    return _gate(top, bottoms[0], exponential(weights.log / 2) if weights else 0.25)


def _elu(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    if bottoms[0] is None:
        return None
    return _gate(top, bottoms[0], layer.param.elu_param.alpha / (1 + min(1e6, bottoms[0].rms)))


def _sigmoid(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    return _squashed(top, bottoms[0], -log(16), 0.5)


def _tanh(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    return _squashed(top, bottoms[0], 0.0, 2.0)


def _squashed(top: Gradient, bottom: Moment | None, at_zero: float, bend: float) -> Gradient | None:
    """E[f'(x)^2] falls with the root of E[x^2] once x saturates."""
    if bottom is None:
        return None
    return top._replace(log=top.log + at_zero - log_sum(0.0, log(bend) + bottom.log) / 2)


def _power(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    param = layer.param.power_param
    if param.power == 0:
        return Gradient(-inf)
    return top._replace(log=top.log + 2 * logarithm(abs(param.scale))) if param.power == 1 else None


def _dropout(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    kept = 1 - layer.param.dropout_param.dropout_ratio
    if layer.phase != TRAIN or not 0 < kept < 1:
        return top
    return Gradient(top.log - log(kept), top.common * kept, top.flat * kept)


def _lrn(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    if bottoms[0] is None:
        return None
    param = layer.param.lrn_param
    base = log_sum(logarithm(param.k), logarithm(param.alpha) + bottoms[0].log)
    return top._replace(log=top.log - 2 * param.beta * base) if base > -inf else None


def _batch_norm(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    """The factor of the forward pass; what all samples and positions have in common is taken out."""
    if bottoms[0] is None:
        return None
    gain = batch_norm_log_gain(layer, bottoms[0])
    if moments.spread(bottoms[0]) == -inf and gain == -logarithm(layer.param.batch_norm_param.eps):
        return Gradient(-inf)
    return Gradient(top.log + gain, 0.0, 0.0) if gain < inf else None


def _scale(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    weights = weights_of(layer)
    return top._replace(log=top.log + weights.log) if weights else None


def _pooling(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    """MAX hands a gradient to one element, AVE a share to each of the window."""
    if not is_average(layer):
        return top
    window = pooling_window(layer)
    if window is None:
        return None
    param = layer.param.pooling_param
    if param.global_pooling:
        return Gradient(top.log - log(window), top.common, 1.0)
    stride = (param.stride_h or param.stride) * (param.stride_w or param.stride) or 1
    overlap = max(1.0, window / stride)
    flat = 1.0 if count(layer.tops[0].shape, 2) == 1 else top.flat
    return Gradient(top.log - log(window) + log(1 + top.flat * (overlap - 1)), top.common, flat)


def _softmax(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    shape, axis = layer.bottoms[0].shape, layer.param.softmax_param.axis
    if shape is None or not -len(shape) <= axis < len(shape) or not shape[axis]:
        return None
    return top._replace(log=top.log - 2 * log(shape[axis] or 1))


def _reduction(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    param = layer.param.reduction_param
    shape, axis = layer.bottoms[0].shape, param.axis
    if shape is None or not -len(shape) <= axis < len(shape):
        return None
    elements = count(shape, axis % len(shape))
    if not elements or param.operation not in (param.SUM, param.MEAN):
        return None
    per_element = 2 * logarithm(abs(param.coeff)) + log(elements)
    if param.operation == param.MEAN:
        per_element -= 2 * log(elements)
    return Gradient(top.log + per_element, top.common, 1.0)


def _normalised(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    if bottoms[0] is None or bottoms[0].log == -inf:
        return None
    return Gradient(top.log - bottoms[0].log, top.common, 0.0)


def _identity(layer: Layer, bottoms: Bottoms, top: Gradient) -> Gradient:
    return top


def _times(top: Gradient, other: Moment | None) -> Gradient | None:
    if other is None:
        return None
    return Gradient(top.log + other.log, top.common * other.common, top.flat * other.mean)


def _concat(layer: Layer, top: Gradient) -> list[Gradient | None]:
    sizes = [count(blob.shape, 1) or 0 for blob in layer.bottoms]
    if 0 in sizes:
        sizes = [(blob.shape[1] or 0) if blob.shape and len(blob.shape) > 1 else 0 for blob in layer.bottoms]
    if 0 in sizes:
        sizes = [1] * len(sizes)
    return [top._replace(log=top.log + log(size / sum(sizes))) for size in sizes]


def _eltwise(layer: Layer, bottoms: Bottoms, top: Gradient) -> list[Gradient | None]:
    param = layer.param.eltwise_param
    if param.operation == param.MAX:
        return [top._replace(log=top.log - log(len(bottoms)))] * len(bottoms)
    if param.operation == param.PROD:
        return [_factor(index, bottoms, top) for index in range(len(bottoms))]
    weights = list(param.coeff) or [1.0] * len(bottoms)
    if len(weights) != len(bottoms):
        return [None] * len(bottoms)
    return [top._replace(log=top.log + 2 * logarithm(abs(weight))) for weight in weights]


def _factor(index: int, bottoms: Bottoms, top: Gradient) -> Gradient | None:
    carried: Gradient | None = top
    for other, moment in enumerate(bottoms):
        if other != index and carried is not None:
            carried = _times(carried, moment)
    return carried


BACKWARD: dict[str, Back] = {
    **dict.fromkeys(SAME, _identity),
    "AbsVal": _identity,
    "BNLL": _relu,
    "BatchNorm": _batch_norm,
    "Bias": _identity,
    "Convolution": _linear,
    "ConvolutionDepthwise": _linear,
    "Deconvolution": _linear,
    "DepthwiseConvolution": _linear,
    "Dropout": _dropout,
    "ELU": _elu,
    "InnerProduct": _linear,
    "LRN": _lrn,
    "MVN": _normalised,
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

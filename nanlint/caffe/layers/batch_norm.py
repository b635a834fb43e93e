"""BatchNorm: each channel shifted and scaled to mean 0 and variance 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import NOTHING, Blobs, Dim, LayerSetup, LayerType, Param, Reads, Shape
from nanlint.caffe.layers.sizes import has_fork_fields, needs_elements, size_of
from nanlint.caffe.layers.weights import unchecked_inline
from nanlint.caffe.model import TEST, count
from nanlint.numbers import moments
from nanlint.numbers.combining import all_nan, combine, perhaps_nan
from nanlint.numbers.draws import anything, constant, unknown
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import NEVER, Image, Interval, plus, quotient, raised, times
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import TINY, Value
from nanlint.numbers.variance import exact_mean, least_variance, mean_square, varies

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter


class BatchNorm(LayerType):
    """The shape of the bottom, of at least 2 axes; blobs: mean, variance, their common factor
    (batch_norm_layer.cpp).
    """

    changes_values = True
    finite = ("batch_norm_param.eps",)
    finite_remedy = "leave `eps` out"
    keeps_statistics = True
    normalises = True
    eps_block = "batch_norm_param"
    keeps_maps = True

    def setup(self, layer: LayerSetup) -> Blobs:
        shape = layer.bottoms[0].shape
        if shape is not None and len(shape) == 1:
            raise layer.refuse(
                "axis-out-of-range",
                "bottom[0]",
                f"`{layer.name}` reads axis 1 of {layer.bottom(0)}, which has only 1 axis, and Caffe aborts; "
                "put a `Reshape` layer before it",
                related=layer.origins(0),
            )
        channels = size_of(layer, 0, 1)
        blobs: tuple[Shape, ...] = ((channels,), (channels,), (1,))
        if has_fork_fields(layer.param.batch_norm_param):
            return Blobs((shape,), _with_scale(channels, len(layer.param.param)))
        if layer.param.blobs:
            params = unchecked_inline(layer, blobs)
        else:
            needs_elements(layer, channels, "bottom[0]", "the running mean")
            params = tuple(Param(blob) for blob in blobs)
        _check_specs(layer)
        if shape is not None:
            _check_elements(layer, shape)
        return Blobs((shape,), params)

    def values(self, step: Step) -> list[Value]:
        x, eps = step.bottoms[0], f32(step.layer.param.batch_norm_param.eps)
        if x.low != x.low or x.surely_nan:
            return [all_nan(x)]
        if global_statistics(step.layer):
            return [_with_stored(step, x, eps)]
        if x.may_be_bad:
            return [all_nan(x)] if x.surely_infinite else [perhaps_nan(x)]
        return [_with_own(x, eps, region(step))]

    def gradients(self, step: Step) -> list[Value]:
        grad, x, eps = step.grads[0], step.bottoms[0], f32(step.layer.param.batch_norm_param.eps)
        if grad.low != grad.low or grad.surely_nan or step.tops[0].surely_nan:
            return [all_nan(unknown(x.count))]
        if global_statistics(step.layer):
            statistics = stored(step)
            if statistics is None:
                return [anything(x.count)]
            root = statistics[1].map(lambda low, high: plus((low, high), (eps, eps))).map(_root)
            return [combine(grad, root, quotient)]
        if grad.surely_infinite:
            return [all_nan(unknown(x.count))]
        return [anything(x.count)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        param = layer.param.batch_norm_param
        if global_statistics(layer):
            return bottoms[0].scaled(_log_gain(layer, bottoms[0]))
        return Moment(moments.over_eps(moments.spread(bottoms[0]), param.eps))

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        """The factor of the forward pass; what all samples and positions have in common is taken out."""
        if bottoms[0] is None:
            return None
        gain = _log_gain(layer, bottoms[0])
        if moments.spread(bottoms[0]) == -math.inf and gain == -moments.logarithm(layer.param.batch_norm_param.eps):
            return Gradient(-math.inf)
        return Gradient(top.log + gain, 0.0, 0.0) if gain < math.inf else None

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING


def _with_scale(channels: Dim, specs: int) -> tuple[Param, ...]:
    """The blobs where a fork's layer has its scale and bias too: 5 in NVIDIA's Caffe, 3 to 5 in others."""
    statistics = (Param((channels,)), Param((channels,)), Param((1,)))
    return (*statistics, *(Param((channels,)),) * max(2, specs - 3))


def _check_specs(layer: LayerSetup) -> None:
    """The statistics are no weights: a written `param` must have lr_mult 0."""
    for i, spec in enumerate(layer.param.param[:3]):
        if spec.lr_mult != 0:
            said = f"`lr_mult: {spec.lr_mult:g}`" if spec.HasField("lr_mult") else "no `lr_mult`, which counts as 1,"
            raise layer.refuse(
                "value-out-of-range",
                f"param[{i}].lr_mult",
                f"`param` {i} of `{layer.name}` has {said} and Caffe aborts, because the statistics are not "
                "learned; "
                "write `param { lr_mult: 0 }` three times, or leave them out",
            )


def _check_elements(layer: LayerSetup, shape: tuple[int | None, ...]) -> None:
    number, channels = shape[:2]
    if number == 0:
        raise layer.refuse(
            "division-by-zero",
            "bottom[0]",
            f"`{layer.name}` divides by the batch size of {layer.bottom(0)}, which is 0: Caffe dies of "
            "SIGFPE; give it a batch",
            related=layer.origins(0),
        )
    if number and channels:
        needs_elements(layer, count(shape, 2), "bottom[0]", "the map of one channel")


def global_statistics(layer: Layer) -> bool:
    """Whether a BatchNorm uses its stored mean and variance (BatchNormLayer::LayerSetUp)."""
    param = layer.param.batch_norm_param
    return param.use_global_stats if param.HasField("use_global_stats") else layer.phase == TEST


def region(step: Step) -> int | None:
    """How many elements share one mean and variance; None if unknown."""
    shape = step.layer.bottoms[0].shape
    if step.bottoms[0].count is None or not shape or None in shape:
        return None
    return step.bottoms[0].count // shape[1] if len(shape) > 1 and shape[1] else None


def stored(step: Step) -> tuple[Value, Value] | None:
    """Mean and variance as BatchNorm reads them: blobs 0 and 1 divided by blob 2, or 0 where that is 0."""
    if step.moved or len(step.weights) < 3:
        return None
    total = step.weights[2].constant
    if total is None:
        return None
    factor = 0.0 if total == 0 else f32(1 / total)

    def scale(low: float, high: float) -> Image:
        if factor == 0 or factor != factor:
            return 0.0, 0.0, NEVER
        return times((low, high), (factor, factor))

    return step.weights[0].map(scale, of_nan=(0.0, 0.0) if not factor else None), step.weights[1].map(
        scale, of_nan=(0.0, 0.0) if not factor else None
    )


def _root(low: float, high: float) -> Image:
    return raised(0.5)(low, high)


def _with_stored(step: Step, x: Value, eps: float) -> Value:
    statistics = stored(step)
    if statistics is None:
        return anything(x.count)
    mean, variance = statistics
    centred = combine(x, mean.map(lambda low, high: (-high, -low, NEVER)), plus)
    root = variance.map(lambda low, high: plus((low, high), (eps, eps))).map(_root)
    if mean.surely_nan or root.surely_nan:
        return all_nan(x)
    return combine(centred, root, quotient)


def _with_own(x: Value, eps: float, elements: int | None) -> Value:
    """(x - mean) / sqrt(variance + eps), mean and variance of the batch."""
    if elements == 1 or (x.constant is not None and exact_mean(x.constant, elements)):
        return _flat(x, eps)
    if x.equal or x.constant is not None:
        return _nearly_flat(x, eps)
    if eps != eps:
        return all_nan(x)
    reach = math.sqrt(elements) if elements else FLOAT_MAX
    if x.high - x.low > 1e18:
        # the variance overflows, or nothing is known of it
        return Value(-reach, reach, eps <= 0, x.known, x.count)
    if x.known and mean_square(x)[1] + eps < 0:
        return all_nan(x)
    if eps < 0 and not least_variance(x, elements) + eps > 0:
        return Value(-FLOAT_MAX, FLOAT_MAX, True, x.known, x.count)
    if eps != 0:
        return _centred(x, eps, reach, elements)
    if varies(x, elements):
        return Value(-reach, reach, False, True, x.count, found=((-reach, -TINY), (TINY, reach)))
    return Value(-reach, reach, True, x.known, x.count)


def _centred(x: Value, eps: float, reach: float, elements: int | None) -> Value:
    """The mean of the tops is 0, so that there are elements on both sides of it, but for rounding."""
    if not x.known:
        return Value(f32(-reach), f32(reach), known=False, count=x.count)
    variance = least_variance(x, elements)
    if eps < 0:
        reach *= math.sqrt(variance / (variance + eps))
    limit = f32(min(reach, (x.high - x.low) / math.sqrt(variance + eps)))
    noise = max(abs(x.low), abs(x.high)) * 1e-5 / math.sqrt(variance + eps)
    found: tuple[Interval, ...] = ((-limit, noise), (-noise, limit)) if noise < limit else ()
    if varies(x, elements):
        # mean square q and |y| <= reach: the positive ones alone average q / 2 reach
        least = max(TINY, min(1.0, variance / (variance + eps)) / (2 * reach))
        found = ((-limit, -least), (least, limit))
    return Value(-limit, limit, False, True, x.count, found=found)


def _flat(x: Value, eps: float) -> Value:
    """One number throughout: 0 / sqrt(eps)."""
    if eps > 0:
        return constant(0.0, x.count)
    return constant(math.nan, x.count)


def _nearly_flat(x: Value, eps: float) -> Value:
    """Equal numbers whose mean is rounded: the tops are equal too, small against sqrt(eps)."""
    number = max(abs(x.low), abs(x.high))
    noise = number * 1e-5 + TINY
    if eps != eps or noise * noise + eps < 0:
        return constant(math.nan, x.count)
    if eps <= 0:
        return Value(-1.0, 1.0, True, x.known, x.count)
    limit = min(1.0, noise / math.sqrt(eps))
    return Value(f32(-limit), f32(limit), known=x.known, count=x.count)


def _log_gain(layer: Layer, bottom: Moment) -> float:
    """ln of the factor on the variance: 1 / (v + eps); 1 / eps while stored statistics are still 0."""
    param = layer.param.batch_norm_param
    eps = moments.logarithm(param.eps)
    return -eps if global_statistics(layer) else -moments.log_sum(moments.spread(bottom), eps)

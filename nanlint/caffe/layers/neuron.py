"""Layers that work element by element: one bottom, one top, the same shape (neuron_layer.cpp)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import BOTTOM, NOTHING, TOP, Blobs, InPlace, LayerSetup, LayerType, Reads
from nanlint.caffe.model import TRAIN
from nanlint.findings import Effect
from nanlint.numbers import moments
from nanlint.numbers.combining import combine
from nanlint.numbers.draws import constant
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import (
    NEVER,
    NOWHERE_FINITE,
    Image,
    exponentials,
    increasing,
    magnitude,
    plus,
    spanned,
    times,
)
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import Part, Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter


class Neuron(LayerType):
    """The shape of the bottom."""

    keeps_maps = True

    def setup(self, layer: LayerSetup) -> Blobs:
        self.check(layer)
        return Blobs((layer.bottoms[0].shape,))

    def check(self, layer: LayerSetup) -> None:
        """The type's own conditions. Raises Refusal."""


class AbsVal(Neuron):
    """|x|; refuses to work in place (absval_layer.cpp)."""

    changes_values = True
    in_place = InPlace.REFUSED
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].map(magnitude)]

    def gradients(self, step: Step) -> list[Value]:
        return [combine(step.grads[0], step.bottoms[0].map(_sign, of_nan=(0.0, 0.0)), times)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        mean = max(bottoms[0].mean, 2 / 3.1416)
        return Moment(bottoms[0].log, max(mean, bottoms[0].common), mean)

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient:
        return top


class BNLL(Neuron):
    """ln(1 + e^x)."""

    changes_values = True
    gradient_from_memory = True
    in_place = InPlace.WRONG_GRADIENT
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].map(increasing(_bnll))]

    def gradients(self, step: Step) -> list[Value]:
        """gradient * e / (e + 1), from left to right: the product can overflow (bnll_layer.cpp)."""
        powers = step.bottoms[0].map(_capped_exponential)
        raised_grad = combine(step.grads[0], powers, times)
        return [combine(raised_grad, powers.map(_one_over_one_more), times)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        half = moments.rectified(bottoms[0])
        return moments.add(half, Moment(2 * math.log(math.log(2)), 1.0, 1.0)) if half.rms < 10 else half

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        return gate(top, bottoms[0])


class Clip(Neuron):
    """max(min, min(x, max)); the schema requires both numbers."""

    finite = ("clip_param.min", "clip_param.max")
    finite_remedy = "write two finite numbers"
    in_place = InPlace.WRONG_GRADIENT

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM

    def values(self, step: Step) -> list[Value]:
        """max(min, std::min(x, max)) as std::max and std::min treat NaN (clip_layer.cpp)."""
        low, high = f32(step.layer.param.clip_param.min), f32(step.layer.param.clip_param.max)

        def at(x: float) -> float:
            least = high if high < x else x
            return least if low < least else low

        return [step.bottoms[0].map(lambda a, b: spanned([at(a), at(b)]), of_nan=(low, low))]

    def gradients(self, step: Step) -> list[Value]:
        low, high = f32(step.layer.param.clip_param.min), f32(step.layer.param.clip_param.max)

        def passes(a: float, b: float) -> Image:
            if low <= a and b <= high:
                return 1.0, 1.0, NEVER
            return (0.0, 0.0, NEVER) if not (a <= high and b >= low) else (0.0, 1.0, NEVER)

        return [combine(step.grads[0], step.bottoms[0].map(passes, of_nan=(0.0, 0.0)), times)]


class Dropout(Neuron):
    """In TRAIN, zeroes elements with probability `dropout_ratio`; in TEST, a copy (dropout_layer.cpp)."""

    idle_in_use = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING

    def check(self, layer: LayerSetup) -> None:
        ratio = layer.param.dropout_param.dropout_ratio
        if layer.phase == TRAIN and not 0 <= 1 - ratio <= 1:
            layer.report(
                "value-out-of-range",
                "dropout_param.dropout_ratio",
                f"`dropout_ratio: {ratio:g}` of `{layer.name}` is no probability: the net is built, and "
                "Caffe aborts in the first forward pass; write a ratio from 0 to below 1",
                effect=Effect.RUN_FAILURE,
            )

    def values(self, step: Step) -> list[Value]:
        ratio = f32(step.layer.param.dropout_param.dropout_ratio)
        if step.layer.phase != TRAIN or not 0 <= ratio <= 1:
            return [step.bottoms[0]]
        return [_kept(ratio, step.bottoms[0])]

    def gradients(self, step: Step) -> list[Value]:
        ratio = f32(step.layer.param.dropout_param.dropout_ratio)
        if step.layer.phase != TRAIN or not 0 <= ratio <= 1:
            return [step.grads[0]]
        return [_kept(ratio, step.grads[0])]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        kept = 1 - layer.param.dropout_param.dropout_ratio
        if layer.phase != TRAIN or not 0 < kept < 1:
            return bottoms[0]
        return Moment(bottoms[0].log - math.log(kept), bottoms[0].common * kept, bottoms[0].mean * kept)

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        kept = 1 - layer.param.dropout_param.dropout_ratio
        if layer.phase != TRAIN or not 0 < kept < 1:
            return top
        return Gradient(top.log - math.log(kept), top.common * kept, top.flat * kept)


class Sigmoid(Neuron):
    """1 / (1 + e^-x)."""

    changes_values = True
    engine_block = "sigmoid_param"
    gradient_from_memory = True
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return TOP

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].map(increasing(sigmoid))]

    def gradients(self, step: Step) -> list[Value]:
        return [combine(step.grads[0], step.tops[0].map(_sigmoid_slope), times)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        swing = moments.saturating(bottoms[0], 0.25, 1 / 16)
        square = moments.log_sum(math.log(0.25), swing.log)
        mean = moments.exponential(math.log(0.25) - square)
        return Moment(square, mean + (1 - mean) * swing.common, mean)

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        return squashed(top, bottoms[0], -math.log(16), 0.5)


class TanH(Neuron):
    """The hyperbolic tangent."""

    changes_values = True
    engine_block = "tanh_param"
    gradient_from_memory = True
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return TOP

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].map(increasing(_tanh))]

    def gradients(self, step: Step) -> list[Value]:
        return [combine(step.grads[0], step.tops[0].map(_tanh_slope), times)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        return moments.saturating(bottoms[0], 1.0, 1.0)

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        return squashed(top, bottoms[0], 0.0, 2.0)


class Threshold(Neuron):
    """1 above the threshold, 0 elsewhere; it has no backward pass (threshold_layer.hpp)."""

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        level = f32(step.layer.param.threshold_param.threshold)
        above = increasing(lambda x: float(x > level))
        return [step.bottoms[0].map(above, of_nan=(0.0, 0.0), integer=True)]


def sigmoid(x: float) -> float:
    return f32(0.5 * math.tanh(0.5 * x) + 0.5)


def _bnll(x: float) -> float:
    return f32(x + math.log(1 + math.exp(-x))) if x > 0 else f32(math.log(1 + math.exp(x)))


def _tanh(x: float) -> float:
    return f32(math.tanh(x))


def _sigmoid_slope(low: float, high: float) -> Image:
    return times((low, high), plus((1.0, 1.0), (-high, -low))[:2]) if low == low else NOWHERE_FINITE


def _tanh_slope(low: float, high: float) -> Image:
    if low != low:
        return NOWHERE_FINITE
    smallest, largest, _ = magnitude(low, high)
    return f32(1 - largest * largest), f32(1 - smallest * smallest), NEVER


def _capped_exponential(low: float, high: float) -> Image:
    """exp(min(x, 50)), kBNLL_THRESHOLD."""
    return exponentials(min(low, 50.0), min(high, 50.0)) if low == low else NOWHERE_FINITE


def _one_over_one_more(low: float, high: float) -> Image:
    return (f32(1 / (high + 1)), f32(1 / (low + 1)), NEVER) if low == low else NOWHERE_FINITE


def _sign(low: float, high: float) -> Image:
    if low != low:
        return 0.0, 0.0, NEVER
    return float((low > 0) - (low < 0)), float((high > 0) - (high < 0)), NEVER


def _kept(ratio: float, value: Value) -> Value:
    """x * mask * scale (dropout_layer.cpp): 0 with the chance `ratio`, but 0 * NaN and 0 * inf are NaN."""
    scale = f32(1 / f32(1 - ratio)) if f32(1 - ratio) else math.inf
    kept = value.map(lambda low, high: times((low, high), (scale, scale)))
    if math.isinf(scale):
        # every element is dropped: 0 * inf
        return constant(math.nan, value.count)
    if ratio == 0:
        return kept
    dropped = value.map(lambda low, high: times((low, high), (0.0, 0.0)))
    parts = [
        Part(part.low, part.high, part.chance * share)
        for whole, share in ((kept, 1 - ratio), (dropped, ratio))
        for part in whole.parts
    ]
    number = value.number
    if not parts and value.known and value.finite and value.count:
        # masks are independent whatever the elements are
        parts, number = [Part(0.0, 0.0, ratio), Part(kept.low, kept.high, 1 - ratio)], value.count
    if value.equal and value.count:
        number = value.count
    low, high = (min(kept.low, 0.0), max(kept.high, 0.0)) if kept.low == kept.low else (math.nan, math.nan)
    nan = kept.nan or dropped.nan
    found = ((math.nan, math.nan),) if value.surely_nan else ()
    return Value(low, high, nan, value.known, value.count, number, tuple(parts), found, basis=object(), square=None)


def squashed(top: Gradient, bottom: Moment | None, at_zero: float, bend: float) -> Gradient | None:
    """E[f'(x)^2] falls with the root of E[x^2] once x saturates."""
    if bottom is None:
        return None
    return top._replace(log=top.log + at_zero - moments.log_sum(0.0, math.log(bend) + bottom.log) / 2)


def gate(gradient: Gradient, bottom: Moment | None, slope: float = 0.0) -> Gradient | None:
    """A gradient through max(x, 0) + slope min(x, 0)."""
    if bottom is None:
        return None
    open_share = moments.active_share(bottom)
    passed = open_share + slope * slope * (1 - open_share)
    agree = moments.same_sign(bottom.common)
    mixed = (agree * open_share + slope * slope * agree * (1 - open_share)) / passed if passed > 0 else 0.0
    return Gradient(gradient.log + moments.logarithm(passed), gradient.common * mixed, gradient.flat * mixed)

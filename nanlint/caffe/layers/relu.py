"""ReLU and its kin: the identity above 0, something small below."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import BOTH, BOTTOM, TOP, InPlace, Reads
from nanlint.caffe.layers.neuron import Neuron, gate, sigmoid
from nanlint.numbers import moments
from nanlint.numbers.combining import combine, with_nan_of
from nanlint.numbers.draws import constant
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import (
    EVERYWHERE,
    NOWHERE_FINITE,
    SOMEWHERE,
    Image,
    Map,
    exponential,
    increasing,
    plus,
    rectified,
    scaled,
    spanned,
    then,
    times,
)
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter


class ReLU(Neuron):
    """max(x, 0) + slope min(x, 0)."""

    changes_values = True
    finite = ("relu_param.negative_slope",)
    finite_remedy = "write a small number such as 0.1"
    engine_block = "relu_param"
    gradient_from_memory = True
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM

    def written_in_place(self, param: LayerParameter) -> InPlace:
        return InPlace.WRONG_GRADIENT if param.relu_param.negative_slope < 0 else InPlace.RIGHT

    def values(self, step: Step) -> list[Value]:
        return leaky(step, constant(step.layer.param.relu_param.negative_slope))

    def gradients(self, step: Step) -> list[Value]:
        return leaky_gradient(step, constant(step.layer.param.relu_param.negative_slope))

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        return moments.rectified(bottoms[0], layer.param.relu_param.negative_slope)

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        return gate(top, bottoms[0], layer.param.relu_param.negative_slope)


class ReLU6(Neuron):
    """min(max(x, 0), 6)."""

    changes_values = True
    keeps_symmetry = True

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        return moments.rectified(bottoms[0])

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        return gate(top, bottoms[0])


class ELU(Neuron):
    """x above 0, alpha (e^x - 1) below."""

    changes_values = True
    finite = ("elu_param.alpha",)
    finite_remedy = "write `alpha: 1`"
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTH

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].map(_elu(f32(step.layer.param.elu_param.alpha)))]

    def gradients(self, step: Step) -> list[Value]:
        alpha, top = f32(step.layer.param.elu_param.alpha), _elu(f32(step.layer.param.elu_param.alpha))

        def slope(low: float, high: float) -> Image:
            """(x > 0) + (alpha + y)(x <= 0)."""
            below, above, nan = top(low, high)
            if nan == EVERYWHERE or below == math.inf:
                # (alpha + inf) * 0
                return NOWHERE_FINITE
            nan = SOMEWHERE if above == math.inf else nan
            inner = plus((below, above), (alpha, alpha))
            ends = ([inner[0], inner[1]] if not low > 0 else []) + ([1.0] if high > 0 else [])
            return spanned(ends, max(nan, inner[2]))

        return [combine(step.grads[0], step.bottoms[0].map(slope), times)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        """Close to the identity below 1, to ReLU with a floor of alpha above."""
        moment = bottoms[0]
        slope = layer.param.elu_param.alpha / (1 + min(1e6, moment.rms))
        return moments.rectified(moment, slope)

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        if bottoms[0] is None:
            return None
        return gate(top, bottoms[0], layer.param.elu_param.alpha / (1 + min(1e6, bottoms[0].rms)))


class Swish(Neuron):
    """x sigmoid(beta x)."""

    changes_values = True
    finite = ("swish_param.beta",)
    finite_remedy = "write `beta: 1`"
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        """The top, and the sigmoid that it has kept (swish_layer.cpp, Backward_cpu)."""
        return TOP

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].map(_swish(f32(step.layer.param.swish_param.beta)))]

    def gradients(self, step: Step) -> list[Value]:
        beta = f32(step.layer.param.swish_param.beta)
        gate, top = then(scaled(beta), increasing(sigmoid)), _swish(beta)

        def slope(low: float, high: float) -> Image:
            """beta y + s (1 - beta y), of which all but beta y is computed in double (swish_layer.cpp)."""
            s, y = gate(low, high), top(low, high)
            if s[2] == EVERYWHERE or y[2] == EVERYWHERE:
                return NOWHERE_FINITE
            product = times((beta, beta), y[:2])
            if product[2] == EVERYWHERE or (math.isinf(beta) and (low > 0 or high < 0)):
                return NOWHERE_FINITE
            ends = [f32(part + share * (1 - part)) for part in product[:2] for share in s[:2]]
            if low < high and all(end != end for end in ends):
                return -math.inf, math.inf, SOMEWHERE
            return spanned(ends, max(s[2], y[2], product[2]))

        return [combine(step.grads[0], step.bottoms[0].map(slope), times)]


def leaky(step: Step, slopes: Value) -> list[Value]:
    """max(x, 0) + slope min(x, 0), for slopes that a value holds."""
    top = step.bottoms[0].map(_over_slopes(rectified, slopes))
    return [with_nan_of(slopes, top)]


def leaky_gradient(step: Step, slopes: Value) -> list[Value]:
    """The gradient of the same."""
    slope = step.bottoms[0].map(_over_slopes(_kinked_slope, slopes), of_nan=(0.0, 1.0))
    return [combine(step.grads[0], slope, times)]


def _kinked_slope(slope: float) -> Map:
    """(x > 0) + slope (x <= 0); an infinite slope times 0 is NaN."""

    def image(low: float, high: float) -> Image:
        if slope != slope:
            return NOWHERE_FINITE
        above = math.nan if math.isinf(slope) else 1.0
        ends = ([slope] if not low > 0 else []) + ([above] if high > 0 else [])
        return spanned(ends)

    return image


def _over_slopes(make: object, slopes: Value) -> Map:
    """The hull of a map over the slopes it may have."""
    builder = make
    first, last = builder(slopes.low), builder(slopes.high)  # type: ignore[operator]
    if slopes.constant is not None or slopes.low != slopes.low:
        return first  # type: ignore[no-any-return]

    def image(low: float, high: float) -> Image:
        one, other = first(low, high), last(low, high)
        return spanned([one[0], one[1], other[0], other[1]], max(one[2], other[2]) and SOMEWHERE)

    return image


def _elu(alpha: float) -> Map:
    def at(x: float) -> float:
        return f32(max(x, 0.0) + f32(alpha * f32(exponential(min(x, 0.0)) - 1)))

    def image(low: float, high: float) -> Image:
        if low != low:
            return NOWHERE_FINITE
        ends = [at(low), at(high)] + ([at(0.0)] if low < 0 < high else [])
        return spanned(ends)

    return image


def _swish(beta: float) -> Map:
    gate = then(scaled(beta), increasing(sigmoid))

    def image(low: float, high: float) -> Image:
        if low != low:
            return NOWHERE_FINITE
        start, end, nan = gate(low, high)
        left, right, met = times((low, high), (start, end))
        return left, right, max(nan, met)

    return image

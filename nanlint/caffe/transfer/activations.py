"""Sigmoid, TanH, BNLL, AbsVal, ReLU, PReLU, ELU and Swish: functions, and the slopes Caffe computes."""

from __future__ import annotations

import math

from nanlint.caffe.transfer import Step, backward, forward
from nanlint.numbers.combining import combine
from nanlint.numbers.draws import constant
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import (
    EVERYWHERE,
    NEVER,
    NOWHERE_FINITE,
    SOMEWHERE,
    Image,
    Map,
    exponential,
    exponentials,
    increasing,
    magnitude,
    plus,
    rectified,
    scaled,
    spanned,
    then,
    times,
)
from nanlint.numbers.values import Value


def _sigmoid(x: float) -> float:
    return f32(0.5 * math.tanh(0.5 * x) + 0.5)


def _bnll(x: float) -> float:
    return f32(x + math.log(1 + math.exp(-x))) if x > 0 else f32(math.log(1 + math.exp(x)))


def _tanh(x: float) -> float:
    return f32(math.tanh(x))


_SATURATING: dict[str, Map] = {
    "Sigmoid": increasing(_sigmoid),
    "TanH": increasing(_tanh),
    "BNLL": increasing(_bnll),
    "AbsVal": magnitude,
}


@forward("Sigmoid", "TanH", "BNLL", "AbsVal")
def saturating(step: Step) -> list[Value]:
    return [step.bottoms[0].map(_SATURATING[step.layer.type])]


def _sigmoid_slope(low: float, high: float) -> Image:
    return times((low, high), plus((1.0, 1.0), (-high, -low))[:2]) if low == low else NOWHERE_FINITE


def _tanh_slope(low: float, high: float) -> Image:
    if low != low:
        return NOWHERE_FINITE
    smallest, largest, _ = magnitude(low, high)
    return f32(1 - largest * largest), f32(1 - smallest * smallest), NEVER


@backward("Sigmoid")
def sigmoid_gradient(step: Step) -> list[Value]:
    return [combine(step.grads[0], step.tops[0].map(_sigmoid_slope), times)]


@backward("TanH")
def tanh_gradient(step: Step) -> list[Value]:
    return [combine(step.grads[0], step.tops[0].map(_tanh_slope), times)]


def _capped_exponential(low: float, high: float) -> Image:
    """exp(min(x, 50)), kBNLL_THRESHOLD."""
    return exponentials(min(low, 50.0), min(high, 50.0)) if low == low else NOWHERE_FINITE


def _one_over_one_more(low: float, high: float) -> Image:
    return (f32(1 / (high + 1)), f32(1 / (low + 1)), NEVER) if low == low else NOWHERE_FINITE


@backward("BNLL")
def bnll_gradient(step: Step) -> list[Value]:
    """gradient * e / (e + 1), from left to right: the product can overflow (bnll_layer.cpp)."""
    powers = step.bottoms[0].map(_capped_exponential)
    raised_grad = combine(step.grads[0], powers, times)
    return [combine(raised_grad, powers.map(_one_over_one_more), times)]


def _sign(low: float, high: float) -> Image:
    if low != low:
        return 0.0, 0.0, NEVER
    return float((low > 0) - (low < 0)), float((high > 0) - (high < 0)), NEVER


@backward("AbsVal")
def absolute_gradient(step: Step) -> list[Value]:
    return [combine(step.grads[0], step.bottoms[0].map(_sign, of_nan=(0.0, 0.0)), times)]


# --- ReLU, PReLU, ELU, Swish ---


def _kinked_slope(slope: float) -> Map:
    """(x > 0) + slope (x <= 0); an infinite slope times 0 is NaN."""

    def image(low: float, high: float) -> Image:
        if slope != slope:
            return NOWHERE_FINITE
        above = math.nan if math.isinf(slope) else 1.0
        ends = ([slope] if not low > 0 else []) + ([above] if high > 0 else [])
        return spanned(ends)

    return image


def _slopes(step: Step) -> Value:
    """The slopes below 0: a number for ReLU, a learned one for PReLU."""
    if step.layer.type == "ReLU":
        return constant(step.layer.param.relu_param.negative_slope)
    return step.weights[0] if step.weights else constant(0.25)


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


@forward("ReLU", "PReLU")
def relu(step: Step) -> list[Value]:
    slopes = _slopes(step)
    top = step.bottoms[0].map(_over_slopes(rectified, slopes))
    return [with_nan_of(slopes, top)]


def with_nan_of(weights: Value, top: Value) -> Value:
    """A NaN among per-channel weights makes all elements of its channel NaN."""
    return top.but(nan=True, found=(*top.found, (math.nan, math.nan))) if weights.surely_nan else top


@backward("ReLU", "PReLU")
def relu_gradient(step: Step) -> list[Value]:
    slope = step.bottoms[0].map(_over_slopes(_kinked_slope, _slopes(step)), of_nan=(0.0, 1.0))
    return [combine(step.grads[0], slope, times)]


def _elu(alpha: float) -> Map:
    def at(x: float) -> float:
        return f32(max(x, 0.0) + f32(alpha * f32(exponential(min(x, 0.0)) - 1)))

    def image(low: float, high: float) -> Image:
        if low != low:
            return NOWHERE_FINITE
        ends = [at(low), at(high)] + ([at(0.0)] if low < 0 < high else [])
        return spanned(ends)

    return image


@forward("ELU")
def elu(step: Step) -> list[Value]:
    return [step.bottoms[0].map(_elu(f32(step.layer.param.elu_param.alpha)))]


@backward("ELU")
def elu_gradient(step: Step) -> list[Value]:
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


def _swish(beta: float) -> Map:
    gate = then(scaled(beta), increasing(_sigmoid))

    def image(low: float, high: float) -> Image:
        if low != low:
            return NOWHERE_FINITE
        start, end, nan = gate(low, high)
        left, right, met = times((low, high), (start, end))
        return left, right, max(nan, met)

    return image


@forward("Swish")
def swish(step: Step) -> list[Value]:
    return [step.bottoms[0].map(_swish(f32(step.layer.param.swish_param.beta)))]


@backward("Swish")
def swish_gradient(step: Step) -> list[Value]:
    beta = f32(step.layer.param.swish_param.beta)
    gate, top = then(scaled(beta), increasing(_sigmoid)), _swish(beta)

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

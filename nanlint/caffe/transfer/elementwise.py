"""Layers that work element by element: their functions, and the derivatives that Caffe computes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.float32 import f32
from nanlint.caffe.intervals import (
    EVERYWHERE,
    NEVER,
    NOWHERE_FINITE,
    SOMEWHERE,
    Image,
    Map,
    exponential,
    exponentials,
    increasing,
    logarithm,
    logs,
    magnitude,
    plus,
    quotient,
    raised,
    rectified,
    scaled,
    shifted,
    spanned,
    then,
    times,
)
from nanlint.caffe.model import TRAIN
from nanlint.caffe.transfer import Step, backward, forward
from nanlint.caffe.values import Part, Value, combine, constant

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import ExpParameter, LogParameter, PowerParameter


# --- Power: (shift + scale x)^power, power_layer.cpp ---


def power_argument(param: PowerParameter) -> Map:
    """shift + scale x, as Caffe computes it."""
    scale, shift = f32(param.scale), f32(param.shift)
    steps = ([scaled(scale)] if scale != 1 else []) + ([shifted(shift)] if shift != 0 else [])
    return then(*steps)


def power_map(param: PowerParameter) -> Map:
    exponent, slope = f32(param.power), f32(f32(param.power) * f32(param.scale))
    if slope == 0:
        level = 1.0 if exponent == 0 else raised(exponent)(f32(param.shift), f32(param.shift))
        image: Image = (level, level, NEVER) if isinstance(level, float) else level
        return lambda low, high: image
    if exponent == 1:
        return power_argument(param)
    return then(power_argument(param), raised(exponent))


def power_slope(param: PowerParameter) -> Map:
    """What PowerLayer::Backward_cpu multiplies the gradient with: top / bottom where no formula spares it."""
    exponent, scale, shift = f32(param.power), f32(param.scale), f32(param.shift)
    slope = f32(exponent * scale)
    if slope == 0:
        return lambda low, high: (0.0, 0.0, NEVER)
    if exponent == 1 or slope != slope:
        return lambda low, high: spanned([slope])
    if exponent == 2:
        return then(scaled(f32(slope * scale)), shifted(f32(slope * shift)))
    argument, top = power_argument(param), power_map(param)
    last = scaled(exponent if shift == 0 else slope)

    def image(low: float, high: float) -> Image:
        start, end, met = argument(low, high) if shift != 0 else (low, high, NEVER)
        above, below, nan = top(low, high)
        if nan == EVERYWHERE or met == EVERYWHERE:
            return NOWHERE_FINITE
        first, second, zero = quotient((above, below), (start, end))
        if zero == EVERYWHERE:
            return NOWHERE_FINITE
        left, right, _ = last(first, second)
        return left, right, max(nan, met, zero)

    return image


@forward("Power")
def power(step: Step) -> list[Value]:
    return [step.bottoms[0].map(power_map(step.layer.param.power_param))]


@backward("Power")
def power_gradient(step: Step) -> list[Value]:
    return [_or_overwritten(step, power_slope(step.layer.param.power_param))]


def _or_overwritten(step: Step, slope: Map) -> Value:
    """The gradient through a layer whose in-place backward writes its slope over the gradient before use."""
    if step.in_place():
        local = step.tops[0].map(slope)
        return combine(local, local, times)
    return combine(step.grads[0], step.bottoms[0].map(slope), times)


# --- Exp: exp(ln(base) scale x) * base^shift, exp_layer.cpp ---


def exp_factors(param: ExpParameter) -> tuple[float, float]:
    """ln(base) * scale, and base^shift, which multiplies the exponential (ExpLayer::LayerSetUp)."""
    base, scale, shift = f32(param.base), f32(param.scale), f32(param.shift)
    log_base = 1.0 if base == -1 else logarithm(base)
    if shift == 0:
        outer = 1.0
    elif base == -1:
        outer = exponential(shift)
    else:
        outer = raised(shift)(base, base)[0] if base > 0 else math.nan
    return f32(log_base * scale), outer


def exp_map(param: ExpParameter) -> Map:
    inner, outer = exp_factors(param)
    steps = [scaled(inner)] if inner != 1 else []
    return then(*steps, exponentials, *([scaled(outer)] if outer != 1 else []))


@forward("Exp")
def exp(step: Step) -> list[Value]:
    return [step.bottoms[0].map(exp_map(step.layer.param.exp_param))]


@backward("Exp")
def exp_gradient(step: Step) -> list[Value]:
    inner, _ = exp_factors(step.layer.param.exp_param)
    grad = combine(step.grads[0], step.tops[0], times)
    return [grad.map(scaled(inner)) if inner != 1 else grad]


# --- Log: ln(shift + scale x) / ln(base), log_layer.cpp ---


def log_argument(param: LogParameter) -> Map:
    scale, shift = f32(param.scale), f32(param.shift)
    return then(*([scaled(scale)] if scale != 1 else []), *([shifted(shift)] if shift != 0 else []))


def log_factor(param: LogParameter) -> float:
    """1 / ln(base)."""
    base = f32(param.base)
    if base == -1:
        return 1.0
    below = logarithm(base)
    return f32(1 / below) if below else math.inf


def log_map(param: LogParameter) -> Map:
    factor = log_factor(param)
    return then(log_argument(param), logs, *([scaled(factor)] if factor != 1 else []))


@forward("Log")
def log(step: Step) -> list[Value]:
    return [step.bottoms[0].map(log_map(step.layer.param.log_param))]


@backward("Log")
def log_gradient(step: Step) -> list[Value]:
    param = step.layer.param.log_param
    slope = then(log_argument(param), raised(-1.0), scaled(f32(f32(param.scale) * log_factor(param))))
    return [_or_overwritten(step, slope)]


# --- functions that saturate ---


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


def _logistic_slope(low: float, high: float) -> Image:
    """e / (e + 1) with e = exp(min(x, 50))."""
    if low != low:
        return NOWHERE_FINITE
    first, second = (math.exp(min(x, 50.0)) for x in (low, high))
    return f32(first / (first + 1)), f32(second / (second + 1)), NEVER


@backward("BNLL")
def bnll_gradient(step: Step) -> list[Value]:
    return [combine(step.grads[0], step.bottoms[0].map(_logistic_slope), times)]


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
    return [_with_nan_of(slopes, top)]


def _with_nan_of(weights: Value, top: Value) -> Value:
    """A NaN among per-channel weights makes all elements of its channel NaN."""
    return top.but(nan=True, found=(*top.found, (math.nan, math.nan))) if weights.surely_nan else top


@backward("ReLU", "PReLU")
def relu_gradient(step: Step) -> list[Value]:
    data = step.tops[0] if step.in_place() else step.bottoms[0]
    slope = data.map(_over_slopes(_kinked_slope, _slopes(step)), of_nan=(0.0, 1.0))
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
        if nan == EVERYWHERE:
            return NOWHERE_FINITE
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
        """beta y + s (1 - beta y)."""
        s, y = gate(low, high), top(low, high)
        if s[2] == EVERYWHERE or y[2] == EVERYWHERE:
            return NOWHERE_FINITE
        part = times((beta, beta), y[:2])
        rest = times(s[:2], plus((1.0, 1.0), (-part[1], -part[0]))[:2])
        both = plus(part[:2], rest[:2])
        nan = max(s[2], y[2], part[2], rest[2], both[2])
        whole = EVERYWHERE in (part[2], rest[2], both[2]) or (math.isinf(beta) and (low > 0 or high < 0))
        return NOWHERE_FINITE if whole else (both[0], both[1], nan)

    return [combine(step.grads[0], step.bottoms[0].map(slope), times)]


# --- Threshold, Clip, Dropout ---


@forward("Threshold")
def threshold(step: Step) -> list[Value]:
    level = f32(step.layer.param.threshold_param.threshold)
    above = increasing(lambda x: float(x > level))
    return [step.bottoms[0].map(above, of_nan=(0.0, 0.0), integer=True)]


@forward("Clip")
def clip(step: Step) -> list[Value]:
    """max(min, std::min(x, max)) as std::max and std::min treat NaN (clip_layer.cpp)."""
    low, high = f32(step.layer.param.clip_param.min), f32(step.layer.param.clip_param.max)

    def at(x: float) -> float:
        least = high if high < x else x
        return least if low < least else low

    return [step.bottoms[0].map(lambda a, b: spanned([at(a), at(b)]), of_nan=(low, low))]


@backward("Clip")
def clip_gradient(step: Step) -> list[Value]:
    low, high = f32(step.layer.param.clip_param.min), f32(step.layer.param.clip_param.max)

    def passes(a: float, b: float) -> Image:
        if low <= a and b <= high:
            return 1.0, 1.0, NEVER
        return (0.0, 0.0, NEVER) if not (a <= high and b >= low) else (0.0, 1.0, NEVER)

    return [combine(step.grads[0], step.bottoms[0].map(passes, of_nan=(0.0, 0.0)), times)]


def _kept(ratio: float, value: Value) -> Value:
    """x * mask * scale: zeros with the chance `ratio`, but 0 * NaN and 0 * inf are NaN (dropout_layer.cpp)."""
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
    return Value(
        low, high, nan, value.known, value.count, number, tuple(parts), found, basis=object(), square=None
    )


@forward("Dropout")
def dropout(step: Step) -> list[Value]:
    ratio = f32(step.layer.param.dropout_param.dropout_ratio)
    if step.layer.phase != TRAIN or not 0 <= ratio <= 1:
        return [step.bottoms[0]]
    return [_kept(ratio, step.bottoms[0])]


@backward("Dropout")
def dropout_gradient(step: Step) -> list[Value]:
    ratio = f32(step.layer.param.dropout_param.dropout_ratio)
    if step.layer.phase != TRAIN or not 0 <= ratio <= 1:
        return [step.grads[0]]
    return [_kept(ratio, step.grads[0])]


# --- Scale, Bias ---


def _second(step: Step) -> Value | None:
    """The factor or summand: the second bottom, or the first parameter."""
    if len(step.bottoms) > 1:
        return step.bottoms[1]
    return step.weights[0] if step.weights else None


def _by_channel(x: tuple[float, float], factor: tuple[float, float]) -> Image:
    """x * factor through BLAS scal, which writes zeros where the factor is 0 or NaN (OpenBLAS 0.3.21)."""
    if factor[0] == 0 == factor[1] or factor[0] != factor[0]:
        return 0.0, 0.0, NEVER
    return times(x, factor)


@forward("Scale")
def scale(step: Step) -> list[Value]:
    factor = _second(step)
    if factor is None:
        return []
    top = combine(step.bottoms[0], factor, _by_channel)
    own = 0 if len(step.bottoms) > 1 else 1
    if step.layer.param.scale_param.bias_term and len(step.weights) > own:
        top = _with_nan_of(step.weights[own], combine(top, step.weights[own], plus))
    return [top.but(count=step.top_count())]


@backward("Scale")
def scale_gradient(step: Step) -> list[Value]:
    factor = _second(step)
    if factor is None:
        return []
    grads = [combine(step.grads[0], factor, _by_channel).but(count=step.bottoms[0].count)]
    if len(step.bottoms) > 1:
        grads.append(step.bottoms[1].map(lambda low, high: (-math.inf, math.inf, NEVER)).but(known=False))
    return grads


@forward("Bias")
def bias(step: Step) -> list[Value]:
    summand = _second(step)
    if summand is None:
        return []
    top = _with_nan_of(summand, combine(step.bottoms[0], summand, plus))
    return [top.but(count=step.top_count())]


@backward("Bias")
def bias_gradient(step: Step) -> list[Value]:
    return [step.grads[0].but(count=step.bottoms[0].count)]

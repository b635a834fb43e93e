"""Layers that work element by element: their functions, and the derivatives that Caffe computes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.transfer import Step, backward, forward
from nanlint.numbers.combining import combine
from nanlint.numbers.draws import constant
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import (
    EVERYWHERE,
    NEVER,
    NOWHERE_FINITE,
    Image,
    Map,
    exponential,
    exponentials,
    logarithm,
    logs,
    quotient,
    raised,
    scaled,
    shifted,
    spanned,
    then,
    times,
)
from nanlint.numbers.values import Value

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


def power_slope(param: PowerParameter, in_place: bool = False) -> Map:
    """What PowerLayer::Backward_cpu multiplies the gradient with: top / bottom where no formula spares it.

    In place, the bottom is the top.
    """
    exponent, scale, shift = f32(param.power), f32(param.scale), f32(param.shift)
    slope = f32(exponent * scale)
    if slope == 0:
        return lambda low, high: (0.0, 0.0, NEVER)
    if exponent == 1 or slope != slope:
        return lambda low, high: spanned([slope])
    if exponent == 2:
        return then(scaled(f32(slope * scale)), shifted(f32(slope * shift)))
    argument, top = power_argument(param), power_map(param) if not in_place else then()
    last = scaled(exponent if shift == 0 else slope)

    def image(low: float, high: float) -> Image:
        start, end, met = argument(low, high) if shift != 0 else (low, high, NEVER)
        above, below, nan = top(low, high)
        if nan == EVERYWHERE or met == EVERYWHERE:
            return NOWHERE_FINITE
        first, second, zero = quotient((above, below), (start, end))
        if in_place and shift == 0 and zero == NEVER and not start <= 0 <= end:
            first = second = 1.0
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
    param = step.layer.param.power_param
    if f32(f32(param.power) * f32(param.scale)) == 0:
        return [constant(0.0, step.bottoms[0].count)]
    return [_or_overwritten(step, power_slope(param, step.in_place()))]


def _or_overwritten(step: Step, slope: Map) -> Value:
    """The gradient through a layer whose in-place backward writes its slope over the gradient before use."""
    if step.in_place():
        local = step.bottoms[0].map(slope)
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

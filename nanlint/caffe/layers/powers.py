"""Power, Exp and Log: functions of shift + scale x, and the derivatives that Caffe computes."""

from __future__ import annotations

import math
from math import inf
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import BOTH, BOTTOM, NOTHING, TOP, InPlace, LayerSetup, Reads
from nanlint.caffe.layers.neuron import Neuron
from nanlint.numbers import moments
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
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import ExpParameter, LayerParameter, LogParameter, PowerParameter


NATURAL_BASE = -1


class Power(Neuron):
    """(shift + scale x)^power."""

    changes_values = True
    finite = ("power_param.power", "power_param.scale", "power_param.shift")
    gradient_from_memory = True
    in_place = InPlace.WRONG_GRADIENT
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        """y / (shift + scale x), unless the slope is a constant, or a line (power_layer.cpp, Backward_cpu)."""
        power = param.power_param
        if f32(power.power * power.scale) == 0 or power.power == 1:
            return NOTHING
        return BOTTOM if power.power == 2 else BOTH

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return param.power_param.power != 1

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].map(power_map(step.layer.param.power_param))]

    def gradients(self, step: Step) -> list[Value]:
        param = step.layer.param.power_param
        if f32(f32(param.power) * f32(param.scale)) == 0:
            return [constant(0.0, step.bottoms[0].count)]
        return [_or_overwritten(step, power_slope(param, step.in_place()))]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment | None:
        param = layer.param.power_param
        if param.power != 1:
            return Moment(0.0, 1.0, 1.0) if param.power == 0 else None
        scaled = bottoms[0].scaled(2 * moments.logarithm(abs(param.scale)))
        shift = Moment(2 * moments.logarithm(abs(param.shift)), 1.0, 1.0)
        return moments.add(scaled, shift) if param.shift else scaled

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        param = layer.param.power_param
        if param.power == 0:
            return Gradient(-math.inf)
        return top._replace(log=top.log + 2 * moments.logarithm(abs(param.scale))) if param.power == 1 else None


class Exp(Neuron):
    """base^(shift + scale x)."""

    changes_values = True
    finite = ("exp_param.scale", "exp_param.shift")
    gradient_from_memory = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return TOP

    def check(self, layer: LayerSetup) -> None:
        check_base(layer, layer.param.exp_param, "exp_param")

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].map(exp_map(step.layer.param.exp_param))]

    def gradients(self, step: Step) -> list[Value]:
        inner, _ = exp_factors(step.layer.param.exp_param)
        grad = combine(step.grads[0], step.tops[0], times)
        return [grad.map(scaled(inner)) if inner != 1 else grad]


class Log(Neuron):
    """log_base(shift + scale x); the base must not be 1 either."""

    changes_values = True
    finite = ("log_param.scale", "log_param.shift")
    gradient_from_memory = True
    in_place = InPlace.WRONG_GRADIENT

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM

    def check(self, layer: LayerSetup) -> None:
        param = layer.param.log_param
        check_base(layer, param, "log_param")
        if param.base == 1:
            raise layer.refuse(
                "value-out-of-range",
                "log_param.base",
                f"the `base` of `{layer.name}` reads as 1, whose logarithm is 0, and Caffe aborts on 1/0; "
                "write another base, or leave it out for the natural logarithm",
            )

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].map(log_map(step.layer.param.log_param))]

    def gradients(self, step: Step) -> list[Value]:
        param = step.layer.param.log_param
        slope = then(log_argument(param), raised(-1.0), scaled(f32(f32(param.scale) * log_factor(param))))
        return [_or_overwritten(step, slope)]


def check_base(layer: LayerSetup, param: ExpParameter | LogParameter, block: str) -> None:
    """The base of Exp and Log: -1 (the default) for e, else above 0, finite (exp_layer.cpp)."""
    if param.base != NATURAL_BASE and not 0 < param.base < inf:
        raise layer.refuse(
            "value-out-of-range",
            f"{block}.base",
            f"`base: {param.base:g}` of `{layer.name}` is not above 0 and finite, and Caffe aborts; "
            "write such a base, or leave it out for e",
        )


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


def _or_overwritten(step: Step, slope: Map) -> Value:
    """The gradient through a layer whose in-place backward writes its slope over the gradient before use."""
    if step.in_place():
        local = step.bottoms[0].map(slope)
        return combine(local, local, times)
    return combine(step.grads[0], step.bottoms[0].map(slope), times)


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

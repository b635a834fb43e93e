"""Eltwise and Reduction."""

from __future__ import annotations

import math

from nanlint.caffe.transfer import Step, backward, forward
from nanlint.numbers.combining import ROUNDING, combine, farthest, highest, repeated_sum, total
from nanlint.numbers.draws import anything, constant
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import NEVER, Interval, magnitude, plus, quotient, raised, scaled, times
from nanlint.numbers.values import NAN, Value

PROD, SUM, MAX = 0, 1, 2


@forward("Eltwise")
def eltwise(step: Step) -> list[Value]:
    """SUM skips coefficients of 0; in place, SUM and MAX lose bottom 0 (eltwise_layer.cpp)."""
    param = step.layer.param.eltwise_param
    inputs = list(step.bottoms)
    if param.operation == PROD:
        top = inputs[0]
        for other in inputs[1:]:
            top = combine(top, other, times)
        return [top]
    if param.operation == SUM:
        coefficients = list(param.coeff) or [1.0] * len(inputs)
        if step.in_place():
            inputs[0] = constant(0.0, inputs[0].count)
        top = constant(0.0, step.top_count())
        for coefficient, value in zip(coefficients, inputs, strict=False):
            if coefficient != 0:
                term = combine(value, constant(f32(coefficient), value.count), times)
                top = term if top.constant == 0 and value.finite else combine(top, term, plus)
        return [top]
    return [_largest(inputs, step)]


def _largest(inputs: list[Value], step: Step) -> Value:
    """Element by element maximum; NaN of bottom 1 is taken, of the others dropped."""
    low = max((v.low for v in inputs if v.low == v.low), default=-FLOAT_MAX)
    high = max((v.high for v in inputs if v.high == v.high), default=-FLOAT_MAX)
    if step.in_place():
        return Value(-FLOAT_MAX, high, known=False, count=step.top_count())
    found = [NAN] if inputs[1].surely_nan and len(inputs) == 2 else []
    nan = any(value.nan or value.low != value.low for value in inputs)
    if nan:
        low = min(v.low for v in inputs if v.low == v.low) if any(v.low == v.low for v in inputs) else -FLOAT_MAX
    reached = max(highest(value) for value in inputs)
    if reached > -math.inf and reached <= high and not nan:
        found.append((reached, high))
    return Value(low, high, nan, all(v.known for v in inputs), step.top_count(), found=tuple(found))


@backward("Eltwise")
def eltwise_gradient(step: Step) -> list[Value]:
    param = step.layer.param.eltwise_param
    grad = step.grads[0]
    if param.operation == SUM:
        coefficients = list(param.coeff) or [1.0] * len(step.bottoms)
        return [grad if c == 1 else grad.map(scaled(f32(c))) for c in coefficients]
    if param.operation == MAX:
        passed = Value(min(grad.low, 0.0), max(grad.high, 0.0), grad.nan, grad.known, grad.count)
        return [passed for _ in step.bottoms]
    grads = []
    for index, bottom in enumerate(step.bottoms):
        if param.stable_prod_grad:
            others = [value for other, value in enumerate(step.bottoms) if other != index]
            rest = others[0]
            for value in others[1:]:
                rest = combine(rest, value, times)
        else:
            rest = combine(step.tops[0], bottom, quotient)
            if bottom.surely(lambda low, high: low == 0 == high):
                # the product at a 0 is 0, or not finite already
                rest = rest.but(nan=True, found=(*rest.found, NAN))
        grads.append(combine(rest, grad, times))
    return grads


# --- Reduction ---

R_ASUM, R_SUMSQ, R_MEAN = 2, 3, 4


@forward("Reduction")
def reduction(step: Step) -> list[Value]:
    """SUM, ASUM, SUMSQ or MEAN from `axis` on, times coeff; MEAN sums first (reduction_layer.cpp)."""
    param, x = step.layer.param.reduction_param, step.bottoms[0]
    outputs = step.top_count()
    terms = x.count // outputs if x.count and outputs else None
    if param.operation == R_ASUM:
        x = x.map(magnitude)
    elif param.operation == R_SUMSQ:
        x = x.map(raised(2.0))
    coefficient = f32(param.coeff)
    if param.operation == R_MEAN and terms:
        coefficient = f32(coefficient / terms)
    sums = summed(x, terms, outputs)
    return [sums.map(scaled(coefficient)) if coefficient != 1 else sums]


def _with_sure_elements(x: Value, terms: int, outputs: int | None, bounds: Interval) -> Interval:
    """The bounds of a sum of which `number` elements surely lie in the one part."""
    if outputs != 1 or len(x.parts) != 1 or x.parts[0].chance < 1 or not 1 < x.number <= terms or x.nan:
        return bounds
    [(least, most, _)], others = x.parts, terms - x.number
    return max(bounds[0], x.number * least + others * x.low), min(bounds[1], x.number * most + others * x.high)


def summed(x: Value, terms: int | None, outputs: int | None) -> Value:
    """Sums of `terms` elements each; every element is in one of them."""
    if x.low != x.low:
        return constant(math.nan, outputs)
    if x.constant is not None and terms is not None:
        return repeated_sum((x.constant, x.constant, NEVER), terms, outputs)
    if terms is None or not x.known:
        low = 0.0 if x.low >= 0 else -FLOAT_MAX
        return anything(outputs).but(low=low, nan=x.nan, found=(NAN,) if x.surely_nan else ())
    low, high = total(x, terms) if x.count == terms else (x.low * terms, x.high * terms)
    low, high = _with_sure_elements(x, terms, outputs, (low, high))
    wide = max(abs(x.low), abs(x.high)) * terms * terms * ROUNDING
    low, high = (low - wide, high + wide) if math.isfinite(wide) else (low, high)
    if x.low >= 0:
        low = max(low, 0.0)
    up, down = x.surely(lambda a, b: a == math.inf), x.surely(lambda a, b: b == -math.inf)
    found: tuple[Interval, ...] = ()
    if x.surely_nan or (up and down and outputs == 1):
        found = (NAN,)
    elif up or down:
        sure = math.inf if up else -math.inf
        found = ((sure, sure),) if not x.nan and not (x.low == -math.inf and x.high == math.inf) else ()
        if not found:
            return Value(-math.inf, math.inf, True, True, outputs, found=(NAN,))
    elif x.low >= 0 or x.high <= 0:
        size_ = farthest(x)
        if x.low >= 0 and size_ > low:
            found = ((f32(size_), f32(high)),)
    nan = x.nan or (x.low == -math.inf and x.high == math.inf) or found == (NAN,)
    return Value(f32(low), f32(high), nan, True, outputs, 1 if outputs else 0, found=found)


@backward("Reduction")
def reduction_gradient(step: Step) -> list[Value]:
    """coeff times the gradient, times sign (ASUM) or 2x (SUMSQ), divided by the number (MEAN)."""
    param, x = step.layer.param.reduction_param, step.bottoms[0]
    outputs = step.top_count()
    coefficient = f32(param.coeff)
    if param.operation == R_MEAN and x.count and outputs:
        coefficient = f32(coefficient / (x.count // outputs))
    factor = constant(coefficient, x.count)
    grad = combine(factor, step.grads[0].sized(x.count), times)
    if param.operation == R_ASUM:
        return [combine(grad, x.map(lambda a, b: (-1.0, 1.0, NEVER), of_nan=(0.0, 0.0)), times)]
    if param.operation == R_SUMSQ:
        doubled = combine(factor, step.grads[0].sized(x.count), times).map(scaled(2.0))
        return [combine(doubled, x, times)]
    return [grad.but(count=x.count)]

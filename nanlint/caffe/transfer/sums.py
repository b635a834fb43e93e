"""Layers that add: convolution, inner product, Eltwise, Reduction, pooling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.float32 import FLOAT_MAX, f32
from nanlint.caffe.intervals import NEVER, Image, Interval, magnitude, plus, quotient, raised, scaled, times
from nanlint.caffe.layers.pooling import CEIL, windows, windows_outside
from nanlint.caffe.model import count
from nanlint.caffe.transfer import Step, backward, forward, size
from nanlint.caffe.values import (
    NAN,
    TINY,
    Part,
    Value,
    anything,
    combine,
    constant,
    farthest,
    highest,
    hull,
    is_infinite,
    normal_parts,
    normal_reach,
    total,
)

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer

ROUNDING = 6e-8


def weighted(
    x: Value,
    weights: Value,
    terms: int | None,
    outputs: int | None,
    channels: int,
    *,
    padded: bool = False,
    covering: bool = True,
    independent: bool = True,
) -> Value:
    """Sums of `terms` products of x with weights, `outputs` of them in `channels` with weights of their own.

    `padded`: zeros may stand in for some x. `covering`: every x is read by some sum.
    `independent`: the weights were drawn without regard to x (not so where another layer shares them).
    """
    if x.low != x.low or weights.low != weights.low:
        return constant(math.nan, outputs)
    found: list[Interval] = [NAN] if weights.surely_nan or (covering and x.surely_nan) else []
    zero = x.constant == 0 and weights.finite
    if not found and (zero or (weights.constant == 0 and x.finite and x.known)):
        return constant(0.0, outputs)
    known = x.known and weights.known
    if terms is None or not known:
        return anything(outputs).but(found=tuple(found), nan=bool(found) or x.nan or weights.nan)
    product = times((x.low, x.high), (weights.low, weights.high))
    low, high = _sum_of(product, terms, padded)
    if independent and x.finite and weights.finite and weights.number:
        low, high = _narrowed((low, high), x, weights, terms, outputs)
    nan = x.nan or weights.nan or product[2] != NEVER or (low < -FLOAT_MAX and high > FLOAT_MAX)
    if weights.surely_infinite and covering and not found:
        found.append(_infinite_sum(x, weights, terms))
    single = x.constant is not None and weights.constant is not None and not padded
    if single and not found:
        return _exact(product, terms, outputs)
    value = Value(low, high, nan or (bool(found) and found[0] == NAN), True, outputs, found=tuple(found))
    if found or not (independent and x.finite and weights.number and weights.finite and covering):
        return _overflown(value)
    return _overflown(_drawn(value, x, weights, terms, channels))


def _sum_of(product: Image, terms: int, padded: bool) -> Interval:
    low, high = product[0] * terms, product[1] * terms
    if padded or terms == 0:
        low, high = min(low, 0.0), max(high, 0.0)
    return low - abs(low) * terms * ROUNDING, high + abs(high) * terms * ROUNDING


def _exact(product: Image, terms: int, outputs: int | None) -> Value:
    """All products are the same number."""
    one = product[0]
    whole = f32(one * terms)
    if math.isfinite(whole) and (one == math.floor(one) and abs(whole) < 2**24):
        return constant(whole, outputs)
    if not math.isfinite(whole):
        return constant(whole if terms else 0.0, outputs)
    slack = abs(whole) * terms * ROUNDING if terms > 1 else 0.0
    value = constant(whole, outputs)
    return value.but(
        low=f32(whole - slack),
        high=f32(whole + slack),
        parts=(Part(whole - slack, whole + slack, 1.0),),
        integer=False,
    )


def _narrowed(bounds: Interval, x: Value, weights: Value, terms: int, outputs: int | None) -> Interval:
    """A sum of independent weights of mean m and sub-Gaussian deviation s is within m sum(x) +- reach s |x|."""
    half = (weights.high - weights.low) / 2
    if weights.equal or not math.isfinite(half):
        return bounds
    middle = (weights.low + weights.high) / 2
    largest = magnitude(x.low, x.high)[1]
    reach = normal_reach(outputs or 10**9) * (weights.deviation or half) * math.sqrt(terms) * largest
    centre = (middle * terms * x.low, middle * terms * x.high, 0.0)
    return max(bounds[0], min(centre) - reach), min(bounds[1], max(centre) + reach)


def _symmetric(weights: Value) -> bool:
    """Whether the weights were drawn evenly around 0."""
    drawn = weights.number == weights.count and not weights.equal and not weights.found
    return drawn and weights.number > 0 and abs(weights.low + weights.high) <= 1e-6 * weights.high


def _drawn(value: Value, x: Value, weights: Value, terms: int, channels: int) -> Value:
    """What sums with weights drawn evenly around 0 surely contain: both signs, and some size.

    At one position whose inputs are not all 0, the sums of different channels are independent.
    """
    least = farthest(x)
    if not _symmetric(weights) or least <= 0:
        return value
    parts = [Part(value.low, -TINY, 0.5), Part(TINY, value.high, 0.5)]
    if weights.deviation:
        # the sum is normal, with the deviation of the weights times the length of its inputs
        shortest = weights.deviation * least
        longest = weights.deviation * math.sqrt(terms) * magnitude(x.low, x.high)[1]
        parts = [
            Part(max(low * shortest, TINY), high * longest, chance)
            if low >= 0
            else Part(low * longest, min(high * shortest, -TINY), chance)
            for low, high, chance in normal_parts()
        ]
    return value.but(parts=tuple(parts), number=channels, basis=object())


def _infinite_sum(x: Value, weights: Value, terms: int) -> Interval:
    """Infinite weights times x: 0 * inf and inf - inf are NaN, one sign alone stays infinite."""
    if weights.constant is not None and x.low > 0:
        return weights.low, weights.low
    if weights.constant is not None and x.high < 0:
        return -weights.low, -weights.low
    return NAN


def _overflown(value: Value) -> Value:
    """Bounds and parts beyond the largest float are infinite."""

    def single(x: float) -> float:
        return f32(x) if x == x else x

    parts = tuple(Part(single(p.low), single(p.high), p.chance) for p in value.parts)
    return value.but(low=single(value.low), high=single(value.high), parts=parts)


def _with_bias(step: Step, sums: Value, index: int, present: bool) -> Value:
    if not present or len(step.weights) <= index:
        return sums
    bias = step.weights[index]
    top = combine(sums, bias, plus)
    if bias.surely_nan:
        top = top.but(nan=True, found=(*top.found, NAN))
    elif bias.surely_infinite and not top.surely_bad:
        top = top.but(found=(*top.found, bias.witness(is_infinite) or (math.inf, math.inf)))
    return top


@forward("InnerProduct")
def inner_product(step: Step) -> list[Value]:
    param = step.layer.param.inner_product_param
    terms, shared = _inner_terms(step.layer), any(p.owner for p in step.layer.params)
    if not step.weights:
        return []
    sums = weighted(
        step.bottoms[0], step.weights[0], terms, step.top_count(), param.num_output, independent=not shared
    )
    return [_with_bias(step, sums, 1, param.bias_term)]


def _inner_terms(layer: Layer) -> int | None:
    weights, outputs = count(layer.params[0].param.shape) if layer.params else None, None
    outputs = layer.param.inner_product_param.num_output
    return weights // outputs if weights and outputs else None


@backward("InnerProduct")
def inner_product_gradient(step: Step) -> list[Value]:
    if not step.weights:
        return []
    outputs = step.layer.param.inner_product_param.num_output
    return [weighted(step.grads[0], step.weights[0], outputs, step.bottoms[0].count, 1, independent=False)]


@forward("Convolution", "Deconvolution")
def convolution(step: Step) -> list[Value]:
    layer, param = step.layer, step.layer.param.convolution_param
    if not step.weights:
        return []
    terms = _kernel_terms(layer)
    shared = any(p.owner for p in layer.params)
    padded = _may_pad(layer)
    tops = []
    for index, x in enumerate(step.bottoms):
        sums = weighted(
            x,
            step.weights[0],
            terms,
            step.top_count(index),
            param.num_output,
            padded=padded,
            covering=_covers(layer),
            independent=not shared,
        )
        tops.append(_with_bias(step, sums, 1, param.bias_term))
    return tops


def _kernel_terms(layer: Layer) -> int | None:
    """Products a sum: channels a group times the kernel (for Deconvolution at most)."""
    shape = layer.params[0].param.shape if layer.params else None
    return count(shape, 0 if layer.type == "Deconvolution" else 1)


def _may_pad(layer: Layer) -> bool:
    """Whether zeros can stand in for inputs: padding, or a Deconvolution's gaps."""
    param = layer.param.convolution_param
    if layer.type == "Deconvolution" or any(param.pad) or param.pad_h or param.pad_w:
        return True
    top, bottom = layer.tops[0].shape, layer.bottoms[0].shape
    return (
        top is None
        or bottom is None
        or None in top
        or None in bottom
        or any(small == 1 for small in top[param.axis + 1 :])
    )


def _covers(layer: Layer) -> bool:
    """Whether every input is surely read: stride 1, no dilation (a stride can leave a border out)."""
    param = layer.param.convolution_param
    plain = all(stride == 1 for stride in param.stride) and param.stride_h <= 1 and param.stride_w <= 1
    return layer.type == "Deconvolution" or (plain and all(step == 1 for step in param.dilation))


@backward("Convolution", "Deconvolution")
def convolution_gradient(step: Step) -> list[Value]:
    if not step.weights:
        return []
    shape = step.layer.params[0].param.shape
    terms = count(shape)
    return [
        weighted(grad, step.weights[0], terms, x.count, 1, padded=True, independent=False)
        for grad, x in zip(step.grads, step.bottoms, strict=False)
    ]


# --- Eltwise ---

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
                term = value.map(lambda low, high, c=coefficient: times((low, high), (f32(c), f32(c))))  # type: ignore[misc]
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
        low = (
            min(v.low for v in inputs if v.low == v.low)
            if any(v.low == v.low for v in inputs)
            else -FLOAT_MAX
        )
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

R_SUM, R_ASUM, R_SUMSQ, R_MEAN = 1, 2, 3, 4


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


def summed(x: Value, terms: int | None, outputs: int | None) -> Value:
    """Sums of `terms` elements each; every element is in one of them."""
    if x.low != x.low:
        return constant(math.nan, outputs)
    if x.constant is not None and terms is not None:
        return _exact((x.constant, x.constant, NEVER), terms, outputs)
    if terms is None or not x.known:
        return anything(outputs).but(nan=x.nan, found=(NAN,) if x.surely_nan else ())
    low, high = total(x, terms) if x.count == terms else (x.low * terms, x.high * terms)
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


# --- Pooling: what a window makes of its elements; windows at or beyond the border are rules/pooling's ---

POOL_MAX, POOL_AVE = 0, 1


@forward("Pooling")
def pooling(step: Step) -> list[Value]:
    x, param = step.bottoms[0], step.layer.param.pooling_param
    outputs = step.top_count()
    outside = windows_outside(param, step.layer.bottoms[0].shape)
    if param.pool == POOL_AVE and any(last.start == last.size for last in outside):
        return [Value(-math.inf, math.inf, True, x.known, outputs, found=(NAN,))]
    if param.pool == POOL_MAX:
        top = _maxima(x, outputs, _pool_covers(step.layer))
        if outside:
            top = hull([top, constant(-FLOAT_MAX, 1)], outputs)
        return [top, Value(-1.0, float(x.count or FLOAT_MAX), count=outputs, integer=True)]
    if param.pool != POOL_AVE:
        return []
    padded = bool(param.pad or param.pad_h or param.pad_w)
    low, high = (min(x.low, 0.0), max(x.high, 0.0)) if padded and x.low == x.low else (x.low, x.high)
    found = []
    if _pool_covers(step.layer):
        found = [NAN] if x.surely_nan else []
        for bad in ((math.inf, math.inf), (-math.inf, -math.inf)):
            if x.surely(lambda a, b, bad=bad: (a, b) == bad) and not x.nan:  # type: ignore[misc]
                found.append(bad if x.low != -bad[0] and x.high != -bad[0] else NAN)
    if x.constant is not None and not padded:
        exact = x.constant == 0 or x.constant != x.constant
        return [constant(x.constant, outputs) if exact else x.bounds(outputs)]
    nan = x.nan or bool(found)
    return [Value(low, high, nan, x.known, outputs, found=tuple(found))]


def _maxima(x: Value, outputs: int | None, covering: bool) -> Value:
    if x.constant is not None and x.finite:
        return constant(x.constant, outputs)
    if x.low != x.low:
        return constant(-FLOAT_MAX, outputs)
    low = x.low if not x.nan else -FLOAT_MAX
    reached = highest(x) if covering else -math.inf
    found = ((reached, x.high),) if reached > -math.inf else ()
    return Value(max(low, -FLOAT_MAX), x.high, False, x.known, outputs, found=found, integer=x.integer)


def _pool_covers(layer: Layer) -> bool:
    """Whether every element lies in some window: global, or no stride beyond the kernel."""
    param, shape = layer.param.pooling_param, layer.bottoms[0].shape
    if param.global_pooling:
        return True
    if shape is None or len(shape) != 4 or param.round_mode != CEIL:
        return False
    return all((window.kernel or 0) >= window.stride for window in windows(param, *shape[2:]))


@backward("Pooling")
def pooling_gradient(step: Step) -> list[Value]:
    grad, x, outputs = step.grads[0], step.bottoms[0], size(step.layer.tops[0])
    if windows_outside(step.layer.param.pooling_param, step.layer.bottoms[0].shape):
        return [anything(x.count).but(nan=grad.nan)]
    if grad.low != grad.low:
        return [Value(0.0, 0.0, True, count=x.count, found=(NAN,))]
    if outputs is None or x.count is None:
        return [anything(x.count)]
    overlap = float(outputs)
    low, high = min(0.0, grad.low * overlap), max(0.0, grad.high * overlap)
    found = (NAN,) if grad.surely_nan else ()
    return [Value(f32(low), f32(high), grad.nan, grad.known, x.count, found=found)]

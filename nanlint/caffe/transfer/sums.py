"""Convolution and inner product: sums of products with weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.model import count
from nanlint.caffe.transfer import Step, backward, forward
from nanlint.numbers.combining import ROUNDING, combine, farthest, repeated_sum
from nanlint.numbers.draws import anything, constant, normal_parts, normal_reach
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import NEVER, Image, Interval, magnitude, plus, times
from nanlint.numbers.values import NAN, TINY, Part, Value, is_infinite

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer


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
        return repeated_sum(product, terms, outputs)
    value = Value(low, high, nan or (bool(found) and found[0] == NAN), True, outputs, found=tuple(found))
    if found or not (independent and x.finite and weights.number and weights.finite and covering):
        return _overflown(value)
    return _overflown(_drawn(value, x, weights, terms, channels))


def _sum_of(product: Image, terms: int, padded: bool) -> Interval:
    low, high = product[0] * terms, product[1] * terms
    if padded or terms == 0:
        low, high = min(low, 0.0), max(high, 0.0)
    slack = terms * ROUNDING
    return (
        low - abs(low) * slack if math.isfinite(low) else low,
        high + abs(high) * slack if math.isfinite(high) else high,
    )


def _narrowed(bounds: Interval, x: Value, weights: Value, terms: int, outputs: int | None) -> Interval:
    """A sum of independent weights of mean m and deviation s is within m sum(x) +- reach s |x|."""
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
    sums = weighted(step.bottoms[0], step.weights[0], terms, step.top_count(), param.num_output, independent=not shared)
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

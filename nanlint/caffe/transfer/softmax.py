"""Softmax: safe for finite scores of any size, not for infinite ones."""

from __future__ import annotations

import math

from nanlint.caffe.transfer import Step, backward, forward
from nanlint.numbers.draws import constant
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import (
    Interval,
)
from nanlint.numbers.values import NAN, Value, certain

UNDERFLOW = 104.0
"""A gap to the maximum from which on exp gives exactly 0."""


@forward("Softmax")
def softmax(step: Step) -> list[Value]:
    """NaN where an input is +inf or NaN, or all along the axis are -inf (softmax_layer.cpp)."""
    x, shape = step.bottoms[0], step.layer.bottoms[0].shape
    axis = step.layer.param.softmax_param.axis
    if bad_for_softmax(x):
        return [Value(0.0, 1.0, True, True, x.count, found=(NAN,))]
    classes = shape[axis] if shape and -len(shape) <= axis < len(shape) else None
    if classes == 1 and not x.may_be_bad:
        return [constant(1.0, x.count)]
    if x.constant is not None and x.finite and classes:
        return [constant(1.0 / classes, x.count)]
    found: tuple[Interval, ...] = ((1.0 / classes, 1.0),) if classes else ()
    low = 0.0
    if x.known and x.finite:
        gap = min(x.high - x.low, 200.0)
        low = f32(math.exp(-gap) / classes) if classes else 0.0
        if classes and _surely_apart(x, classes):
            found += ((0.0, 0.0),)
    nan = x.nan or x.high == math.inf or x.low == -math.inf
    return [Value(low, 1.0, nan and x.known, True, x.count, found=found, axis=axis)]


def bad_for_softmax(x: Value) -> bool:
    """Whether Softmax of x surely has a NaN."""
    return x.low != x.low or x.surely_nan or x.surely(lambda low, high: low == math.inf) or x.constant == -math.inf


def _surely_apart(x: Value, classes: int) -> bool:
    """Whether some element surely lies so far below its axis' maximum that exp gives 0."""
    quarter = (x.high - x.low) / 4
    if x.number != x.count or not x.count or quarter <= UNDERFLOW:
        return False
    low = x.chance(lambda start, end: end < x.low + quarter)
    high = x.chance(lambda start, end: start >= x.low + 2 * quarter)
    both = 1 - (1 - low) ** classes - (1 - high) ** classes + (1 - low - high) ** classes
    return certain(both, x.count // classes)


@backward("Softmax")
def softmax_gradient(step: Step) -> list[Value]:
    grad, x = step.grads[0], step.bottoms[0]
    if grad.surely_bad or step.tops[0].surely_nan or grad.low != grad.low:
        return [Value(0.0, 0.0, True, count=x.count, found=(NAN,))]
    span = 2 * max(abs(grad.low), abs(grad.high))
    return [Value(f32(-span), f32(span), grad.may_be_bad or step.tops[0].nan, grad.known, x.count)]

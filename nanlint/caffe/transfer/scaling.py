"""Threshold, Clip, Dropout, Scale and Bias."""

from __future__ import annotations

import math

from nanlint.caffe.model import TRAIN
from nanlint.caffe.transfer import Step, backward, forward
from nanlint.caffe.transfer.activations import with_nan_of
from nanlint.numbers.combining import combine
from nanlint.numbers.draws import constant
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import (
    NEVER,
    Image,
    increasing,
    plus,
    spanned,
    times,
)
from nanlint.numbers.values import Part, Value


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
        top = with_nan_of(step.weights[own], combine(top, step.weights[own], plus))
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
    top = with_nan_of(summand, combine(step.bottoms[0], summand, plus))
    return [top.but(count=step.top_count())]


@backward("Bias")
def bias_gradient(step: Step) -> list[Value]:
    return [step.grads[0].but(count=step.bottoms[0].count)]

"""BatchNorm and MVN: divisions by what may be 0, roots of what may be negative."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.model import TEST
from nanlint.caffe.transfer import Step, backward, forward
from nanlint.numbers.combining import combine, total
from nanlint.numbers.draws import anything, constant, unknown
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import (
    NEVER,
    Image,
    Interval,
    plus,
    quotient,
    raised,
    times,
)
from nanlint.numbers.values import DOUBT, NAN, TINY, Value

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer

SMALLEST_SQUARE = 1e-19
"""Deviations below this have squares that underflow to 0 or to denormals."""


def global_statistics(layer: Layer) -> bool:
    """Whether a BatchNorm uses its stored mean and variance (BatchNormLayer::LayerSetUp)."""
    param = layer.param.batch_norm_param
    return param.use_global_stats if param.HasField("use_global_stats") else layer.phase == TEST


def region(step: Step) -> int | None:
    """How many elements share one mean and variance; None if unknown."""
    layer, shape = step.layer, step.layer.bottoms[0].shape
    if step.bottoms[0].count is None or not shape or None in shape:
        return None
    if layer.type == "BatchNorm":
        return step.bottoms[0].count // shape[1] if len(shape) > 1 and shape[1] else None
    regions = (
        shape[0]
        if layer.param.mvn_param.across_channels
        else (shape[0] or 0) * (shape[1] or 1 if len(shape) > 1 else 1)
    )
    return step.bottoms[0].count // regions if regions else None


def exact_mean(number: float, elements: int | None) -> bool:
    """Whether the computed mean of equal numbers is surely that number, so that nothing is left of them.

    Zero always; a power of two times a small whole number where the elements are a power of two too.
    """
    if number == 0:
        return True
    if elements is None or not math.isfinite(number):
        return False
    fraction, _ = math.frexp(number)
    short = fraction * 2**12 == math.floor(fraction * 2**12)
    power_of_two = elements & (elements - 1) == 0
    return short and power_of_two and elements <= 2**12


def varies(x: Value, elements: int | None) -> bool:
    """Whether the elements surely differ in every region of `elements`: they were drawn independently of each other.

    Saturated numbers are equal: too large a share of them can fill a region.
    """
    if not x.count or x.number != x.count or x.equal or not elements or elements < 2:
        return False
    if x.high - x.low <= max(SMALLEST_SQUARE, 1e-6 * max(abs(x.low), abs(x.high))):
        return False
    shares: dict[float, float] = {}
    for part in x.parts:
        if part.low == part.high:
            shares[part.low] = shares.get(part.low, 0.0) + part.chance
    largest = max(shares.values(), default=0.0) + uncovered(x)
    return x.count / elements * largest**elements < DOUBT


@forward("BatchNorm")
def batch_norm(step: Step) -> list[Value]:
    x, eps = step.bottoms[0], f32(step.layer.param.batch_norm_param.eps)
    if x.low != x.low or x.surely_nan:
        return [all_nan(x)]
    if global_statistics(step.layer):
        return [_with_stored(step, x, eps)]
    if x.may_be_bad:
        return [all_nan(x)] if x.surely_infinite else [_perhaps_nan(x)]
    return [_with_own(x, eps, region(step))]


def _perhaps_nan(x: Value) -> Value:
    """What is left to say where an element of x may not be finite."""
    return Value(-FLOAT_MAX, FLOAT_MAX, True, x.known, x.count)


def all_nan(x: Value) -> Value:
    return x.bounds(x.count).but(nan=True, found=(NAN,))


def stored(step: Step) -> tuple[Value, Value] | None:
    """Mean and variance as BatchNorm reads them: blobs 0 and 1 divided by blob 2, or 0 where that is 0."""
    if step.moved or len(step.weights) < 3:
        return None
    total = step.weights[2].constant
    if total is None:
        return None
    factor = 0.0 if total == 0 else f32(1 / total)

    def scale(low: float, high: float) -> Image:
        if factor == 0 or factor != factor:
            return 0.0, 0.0, NEVER
        return times((low, high), (factor, factor))

    return step.weights[0].map(scale, of_nan=(0.0, 0.0) if not factor else None), step.weights[1].map(
        scale, of_nan=(0.0, 0.0) if not factor else None
    )


def _root(low: float, high: float) -> Image:
    return raised(0.5)(low, high)


def _with_stored(step: Step, x: Value, eps: float) -> Value:
    statistics = stored(step)
    if statistics is None:
        return anything(x.count)
    mean, variance = statistics
    centred = combine(x, mean.map(lambda low, high: (-high, -low, NEVER)), plus)
    root = variance.map(lambda low, high: plus((low, high), (eps, eps))).map(_root)
    if mean.surely_nan or root.surely_nan:
        return all_nan(x)
    return combine(centred, root, quotient)


def _with_own(x: Value, eps: float, elements: int | None) -> Value:
    """(x - mean) / sqrt(variance + eps), mean and variance of the batch."""
    if elements == 1 or (x.constant is not None and exact_mean(x.constant, elements)):
        return _flat(x, eps)
    if x.equal or x.constant is not None:
        return _nearly_flat(x, eps)
    if eps != eps:
        return all_nan(x)
    reach = math.sqrt(elements) if elements else FLOAT_MAX
    if x.high - x.low > 1e18:
        # the variance overflows, or nothing is known of it
        return Value(-reach, reach, eps <= 0, x.known, x.count)
    if x.known and mean_square(x)[1] + eps < 0:
        return all_nan(x)
    if eps < 0 and not least_variance(x, elements) + eps > 0:
        return Value(-FLOAT_MAX, FLOAT_MAX, True, x.known, x.count)
    if eps != 0:
        return _centred(x, eps, reach, elements)
    if varies(x, elements):
        return Value(-reach, reach, False, True, x.count, found=((-reach, -TINY), (TINY, reach)))
    return Value(-reach, reach, True, x.known, x.count)


def _centred(x: Value, eps: float, reach: float, elements: int | None) -> Value:
    """The mean of the tops is 0, so that there are elements on both sides of it, but for rounding."""
    if not x.known:
        return Value(f32(-reach), f32(reach), known=False, count=x.count)
    variance = least_variance(x, elements)
    if eps < 0:
        reach *= math.sqrt(variance / (variance + eps))
    limit = f32(min(reach, (x.high - x.low) / math.sqrt(variance + eps)))
    noise = max(abs(x.low), abs(x.high)) * 1e-5 / math.sqrt(variance + eps)
    found: tuple[Interval, ...] = ((-limit, noise), (-noise, limit)) if noise < limit else ()
    if varies(x, elements):
        # mean square q and |y| <= reach: the positive ones alone average q / 2 reach
        least = max(TINY, min(1.0, variance / (variance + eps)) / (2 * reach))
        found = ((-limit, -least), (least, limit))
    return Value(-limit, limit, False, True, x.count, found=found)


def uncovered(x: Value) -> float:
    """The chance that an element lies in no part: nothing is known of where it is."""
    return max(0.0, 1 - math.fsum(part.chance for part in x.parts))


def least_variance(x: Value, elements: int | None) -> float:
    """A variance that every region of `elements` surely exceeds: its numbers do not all lie close together."""
    if not varies(x, elements) or not elements or not x.count:
        return 0.0
    for halvings in range(1, 8):
        width = (x.high - x.low) / 2**halvings
        densest = uncovered(x) + max(
            math.fsum(p.chance for p in x.parts if p.low <= part.high + width and p.high >= part.low)
            for part in x.parts
        )
        if x.count * densest ** (elements - 1) < DOUBT:
            return float(width * width / (2 * elements))
    return 0.0


def mean_square(x: Value) -> Interval:
    """Bounds of the mean square about the middle of the range, which no average of variances exceeds."""
    middle = (x.low + x.high) / 2
    low, high = 0.0, ((x.high - x.low) / 2) ** 2
    if x.count:
        squares = x.map(lambda a, b: plus((a, b), (-middle, -middle))).map(raised(2.0))
        bounds = total(squares, x.count)
        low, high = max(low, bounds[0] / x.count), min(high, bounds[1] / x.count)
    return (max(low, x.square[0]), min(high, x.square[1])) if x.square and not middle else (low, high)


def _flat(x: Value, eps: float) -> Value:
    """One number throughout: 0 / sqrt(eps)."""
    if eps > 0:
        return constant(0.0, x.count)
    return constant(math.nan, x.count)


def _nearly_flat(x: Value, eps: float) -> Value:
    """Equal numbers whose mean is rounded: the tops are equal too, small against sqrt(eps)."""
    number = max(abs(x.low), abs(x.high))
    noise = number * 1e-5 + TINY
    if eps != eps or noise * noise + eps < 0:
        return constant(math.nan, x.count)
    if eps <= 0:
        return Value(-1.0, 1.0, True, x.known, x.count)
    limit = min(1.0, noise / math.sqrt(eps))
    return Value(f32(-limit), f32(limit), known=x.known, count=x.count)


@backward("BatchNorm")
def batch_norm_gradient(step: Step) -> list[Value]:
    grad, x, eps = step.grads[0], step.bottoms[0], f32(step.layer.param.batch_norm_param.eps)
    if grad.low != grad.low or grad.surely_nan or step.tops[0].surely_nan:
        return [all_nan(unknown(x.count))]
    if global_statistics(step.layer):
        statistics = stored(step)
        if statistics is None:
            return [anything(x.count)]
        root = statistics[1].map(lambda low, high: plus((low, high), (eps, eps))).map(_root)
        return [combine(grad, root, quotient)]
    if grad.surely_infinite:
        return [all_nan(unknown(x.count))]
    return [anything(x.count)]


# --- MVN: (x - mean) / (sqrt(variance) + eps), mvn_layer.cpp ---


@forward("MVN")
def mvn(step: Step) -> list[Value]:
    x, param, elements = step.bottoms[0], step.layer.param.mvn_param, region(step)
    outputs = step.top_count()
    if x.low != x.low or x.surely_nan:
        return [all_nan(x).but(count=outputs)]
    if x.may_be_bad:
        return [(all_nan(x) if x.surely_infinite else _perhaps_nan(x)).but(count=outputs)]
    if not param.normalize_variance:
        flat = elements == 1 or (x.constant is not None and exact_mean(x.constant, elements))
        if flat:
            return [constant(0.0, outputs)]
        width = x.high - x.low + 1e-5 * max(abs(x.low), abs(x.high))
        return [Value(f32(-width), f32(width), known=x.known, count=outputs)]
    return [_normalised(x, f32(param.eps), elements).but(count=outputs)]


def _normalised(x: Value, eps: float, elements: int | None) -> Value:
    if elements == 1 or (x.constant is not None and exact_mean(x.constant, elements)):
        return constant(0.0 if eps else math.nan, x.count) if eps == eps else constant(math.nan, x.count)
    if eps != eps:
        return constant(math.nan, x.count)
    reach = math.sqrt(elements) if elements else FLOAT_MAX
    if eps > 0 or (eps == 0 and varies(x, elements)):
        found = ((-reach, -TINY), (TINY, reach)) if varies(x, elements) and x.high - x.low < 1e18 else ()
        return Value(f32(-reach), f32(reach), eps == 0 and x.number != x.count, True, x.count, found=found)
    return Value(-FLOAT_MAX, FLOAT_MAX, eps == 0, x.known, x.count)


@backward("MVN")
def mvn_gradient(step: Step) -> list[Value]:
    grad, x = step.grads[0], step.bottoms[0]
    if grad.surely_nan or step.tops[0].surely_nan or grad.low != grad.low:
        return [all_nan(unknown(x.count))]
    return [anything(x.count)]

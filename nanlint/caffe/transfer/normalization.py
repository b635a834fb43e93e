"""BatchNorm, LRN, MVN and Softmax: divisions by what may be 0, roots of what may be negative."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.float32 import FLOAT_MAX, f32
from nanlint.caffe.intervals import (
    NEVER,
    SOMEWHERE,
    Image,
    Interval,
    magnitude,
    plus,
    quotient,
    raised,
    times,
)
from nanlint.caffe.model import TEST
from nanlint.caffe.transfer import Step, backward, forward
from nanlint.caffe.values import (
    NAN,
    TINY,
    Value,
    anything,
    certain,
    combine,
    constant,
    farthest,
    total,
    unknown,
)

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer

SMALLEST_SQUARE = 1e-19
"""Deviations below this have squares that underflow to 0 or to denormals."""
UNDERFLOW = 104.0
"""A gap to the maximum from which on exp gives exactly 0."""


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


def varies(x: Value) -> bool:
    """Whether the elements surely differ in every region: they were drawn independently of each other."""
    return bool(x.count) and x.number == x.count and not x.equal and x.high - x.low > SMALLEST_SQUARE


@forward("BatchNorm")
def batch_norm(step: Step) -> list[Value]:
    x, eps = step.bottoms[0], f32(step.layer.param.batch_norm_param.eps)
    if x.low != x.low or x.surely_nan:
        return [_all_nan(x)]
    if global_statistics(step.layer):
        return [_with_stored(step, x, eps)]
    if x.may_be_bad:
        return [_all_nan(x)] if x.surely_infinite else [_perhaps_nan(x)]
    return [_with_own(step, x, eps, region(step))]


def _perhaps_nan(x: Value) -> Value:
    """What is left to say where an element of x may not be finite."""
    return Value(-FLOAT_MAX, FLOAT_MAX, True, x.known, x.count)


def _all_nan(x: Value) -> Value:
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
        return _all_nan(x)
    return combine(centred, root, quotient)


def _with_own(step: Step, x: Value, eps: float, elements: int | None) -> Value:
    """(x - mean) / sqrt(variance + eps), mean and variance of the batch."""
    if elements == 1 or (x.constant is not None and exact_mean(x.constant, elements)):
        return _flat(x, eps)
    if x.equal or x.constant is not None:
        return _nearly_flat(x, eps)
    if eps != eps:
        return _all_nan(x)
    reach = math.sqrt(elements) if elements else FLOAT_MAX
    if x.high - x.low > 1e18:
        reach_low: Interval = (-reach, reach)
        return Value(*reach_low, nan=False, known=x.known, count=x.count)
    spread = (x.high - x.low) / 2
    largest_variance = spread * spread
    if x.known and largest_variance + eps < 0:
        return _all_nan(x)
    if eps < 0:
        if x.known and mean_square(x)[1] + eps < 0:
            return _all_nan(x)
        return Value(-FLOAT_MAX, FLOAT_MAX, True, x.known, x.count)
    if eps > 0:
        return _centred(x, eps, reach)
    if varies(x):
        return Value(-reach, reach, False, True, x.count, found=((-reach, -TINY), (TINY, reach)))
    return Value(-reach, reach, True, x.known, x.count)


def _centred(x: Value, eps: float, reach: float) -> Value:
    """The mean of the tops is 0, so that there are elements on both sides of it, but for rounding."""
    if not x.known:
        return Value(f32(-reach), f32(reach), known=False, count=x.count)
    limit = f32(min(reach, (x.high - x.low) / math.sqrt(eps)))
    noise = max(abs(x.low), abs(x.high)) * 1e-5 / math.sqrt(eps)
    found: tuple[Interval, ...] = ((-limit, noise), (-noise, limit)) if noise < limit else ()
    if varies(x):
        # mean square q and |y| <= reach: the positive ones alone average q / 2 reach
        variance = mean_square(x)[0]
        least = max(TINY, variance / (variance + eps) / (2 * reach)) if variance else TINY
        found = ((-limit, -least), (least, limit))
    return Value(-limit, limit, False, True, x.count, found=found)


def mean_square(x: Value) -> Interval:
    """Bounds of the mean square of the elements about the middle of their range; no variance average exceeds it."""
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
        return [_all_nan(unknown(x.count))]
    if global_statistics(step.layer):
        statistics = stored(step)
        if statistics is None:
            return [anything(x.count)]
        root = statistics[1].map(lambda low, high: plus((low, high), (eps, eps))).map(_root)
        return [combine(grad, root, quotient)]
    if grad.surely_infinite:
        return [_all_nan(unknown(x.count))]
    return [anything(x.count)]


# --- MVN: (x - mean) / (sqrt(variance) + eps), mvn_layer.cpp ---


@forward("MVN")
def mvn(step: Step) -> list[Value]:
    x, param, elements = step.bottoms[0], step.layer.param.mvn_param, region(step)
    outputs = step.top_count()
    if x.low != x.low or x.surely_nan:
        return [_all_nan(x).but(count=outputs)]
    if x.may_be_bad:
        return [(_all_nan(x) if x.surely_infinite else _perhaps_nan(x)).but(count=outputs)]
    if not param.normalize_variance:
        flat = elements == 1 or (x.constant is not None and exact_mean(x.constant, elements))
        if flat:
            return [constant(0.0, outputs)]
        width = x.high - x.low
        return [Value(f32(-width), f32(width), known=x.known, count=outputs)]
    return [_normalised(x, f32(param.eps), elements).but(count=outputs)]


def _normalised(x: Value, eps: float, elements: int | None) -> Value:
    if elements == 1 or (x.constant is not None and exact_mean(x.constant, elements)):
        return constant(0.0 if eps else math.nan, x.count) if eps == eps else constant(math.nan, x.count)
    if eps != eps:
        return constant(math.nan, x.count)
    reach = math.sqrt(elements) if elements else FLOAT_MAX
    if eps > 0 or (eps == 0 and varies(x)):
        found = ((-reach, -TINY), (TINY, reach)) if varies(x) and x.high - x.low < 1e18 else ()
        return Value(f32(-reach), f32(reach), eps == 0 and x.number != x.count, True, x.count, found=found)
    return Value(-FLOAT_MAX, FLOAT_MAX, eps == 0, x.known, x.count)


@backward("MVN")
def mvn_gradient(step: Step) -> list[Value]:
    grad, x = step.grads[0], step.bottoms[0]
    if grad.surely_nan or step.tops[0].surely_nan or grad.low != grad.low:
        return [_all_nan(unknown(x.count))]
    return [anything(x.count)]


# --- LRN: x * (k + alpha/size * sum of squares)^-beta, lrn_layer.cpp ---

WITHIN_CHANNEL = 1


def lrn_scale(step: Step) -> Interval:
    """Bounds of what LRN raises to -beta."""
    param, x = step.layer.param.lrn_param, step.bottoms[0]
    size, alpha = param.local_size, f32(param.alpha)
    least, most, _ = magnitude(x.low, x.high) if x.low == x.low else (0.0, FLOAT_MAX, NEVER)
    if param.norm_region == WITHIN_CHANNEL:
        base, factor, window = 1.0, alpha, 1.0
        smallest = _window_share(step, size)
    else:
        base, factor, window = f32(param.k), f32(alpha / size), float(size)
        shape = step.layer.bottoms[0].shape
        channels = shape[1] if shape and len(shape) > 1 else None
        smallest = float(min(size // 2 + 1, channels)) if channels else 1.0
        window = min(window, float(channels)) if channels else window
    squares = (least * least * smallest, most * most * window)
    ends = [base + factor * squares[0], base + factor * squares[1]]
    if factor != factor or base != base:
        return NAN
    return f32(min(ends)), f32(max(ends))


def _window_share(step: Step, size: int) -> float:
    """The least share of a square window that lies inside the map (its border counts as zeros)."""
    shape = step.layer.bottoms[0].shape
    if not shape or len(shape) != 4 or None in shape[2:]:
        return 0.0
    share = 1.0
    for side in shape[2:]:
        assert side is not None
        share *= min(size // 2 + 1, side) / size
    return share


def lrn_certain(step: Step) -> Interval | None:
    """An interval that the scale at some element whose x is not 0 surely falls into."""
    param, x = step.layer.param.lrn_param, step.bottoms[0]
    reached = farthest(x)
    alpha = f32(param.alpha)
    factor = alpha if param.norm_region == WITHIN_CHANNEL else f32(alpha / param.local_size)
    share = 1 / param.local_size**2 if param.norm_region == WITHIN_CHANNEL else 1.0
    base = 1.0 if param.norm_region == WITHIN_CHANNEL else f32(param.k)
    low, high = lrn_scale(step)
    edge = base + factor * share * reached * reached
    if not x.known or x.nan or reached <= 0 or edge != edge:
        return None
    return (low, f32(edge)) if factor < 0 else (f32(edge), high)


@forward("LRN")
def lrn(step: Step) -> list[Value]:
    x, param = step.bottoms[0], step.layer.param.lrn_param
    beta, alpha = f32(param.beta), f32(param.alpha)
    within = param.norm_region == WITHIN_CHANNEL
    if x.low != x.low or param.local_size % 2 == 0:
        return [_all_nan(x) if x.low != x.low else anything(x.count)]
    if within and x.constant is not None and x.constant != 0:
        return [_within_constant(step, x, alpha, beta)]
    scale = lrn_scale(step)
    factor = raised(-beta)(*scale)
    top = x.map(lambda low, high: times((low, high), factor[:2]))
    if math.isinf(alpha) and not within:
        # the window reaches into the zero padding: inf * 0
        return [_all_nan(x)]
    if factor[2] == 2 or scale[0] != scale[0]:
        return [_all_nan(x)] if beta != 0 else [x]
    found = list(top.found)
    sure = lrn_certain(step)
    if sure is not None:
        at = raised(-beta)(*sure)
        if at[2] == 2:
            found.append(NAN)
        elif at[0] == math.inf:
            found.append((math.inf, math.inf))
    if (scale[0] == 0 == scale[1] and beta > 0 and x.surely(lambda low, high: low == 0 == high)) or (
        not within and f32(param.k) == 0 and beta > 0 and _zero_window(step, x)
    ):
        found.append(NAN)
    if not within and _running_sum_lost(step):
        found.append(NAN)
    return [top.but(nan=top.nan or factor[2] == SOMEWHERE or NAN in found, found=tuple(found))]


def _zero_window(step: Step, x: Value) -> bool:
    """Whether some window along the channels surely holds zeros alone."""
    if x.constant == 0:
        return True
    if x.number != x.count or not x.count:
        return False
    size = step.layer.param.lrn_param.local_size
    chance = x.chance(lambda low, high: low == 0 == high)
    # at the first channel the window has (size + 1) / 2 elements inside
    inside = (size + 1) // 2
    shape = step.layer.bottoms[0].shape
    places = x.count // (shape[1] if shape and len(shape) > 1 and shape[1] else x.count)
    return chance > 0 and places * math.log1p(-min(chance**inside, 1 - 1e-16)) < -20.7


def _within_constant(step: Step, x: Value, alpha: float, beta: float) -> Value:
    """A constant map under WITHIN_CHANNEL: the scale depends on the share of the window that is inside."""
    number = x.constant or 0.0
    scales = {f32(1 + f32(alpha * f32(number * number * share))) for share in window_shares(step)}
    if not scales:
        return anything(x.count)
    found: list[Interval] = []
    for scale in scales:
        low, high, nan = raised(-beta)(scale, scale)
        found.append(NAN if nan == 2 else times((number, number), (low, high))[:2])
    numbers = [y for interval in found for y in interval if y == y]
    bounds = (min(numbers), max(numbers)) if numbers else NAN
    return Value(*bounds, nan=NAN in found, count=x.count, found=tuple(found))


def window_shares(step: Step) -> set[float]:
    """The shares of a square window that lie inside the map, over its positions."""
    shape, size = step.layer.bottoms[0].shape, step.layer.param.lrn_param.local_size
    if not shape or len(shape) != 4 or None in shape[2:]:
        return set()
    pad = (size - 1) // 2
    sides = []
    for side in shape[2:]:
        assert side is not None
        sides.append({min(i + pad, side - 1) - max(i - pad, 0) + 1 for i in range(min(side, 4 * size))})
    return {rows * columns / size**2 for rows in sides[0] for columns in sides[1]}


def _running_sum_lost(step: Step) -> bool:
    """Whether the running sum along the channels surely ends at 0 or below after a large channel left it.

    Only for channels that are constants side by side (a Concat of constants): the sum is then computed
    as Caffe does, number for number (LRNLayer::CrossChannelForward_cpu).
    """
    channels = _constant_channels(step)
    if not channels or len(channels) > 4096:
        return False
    param = step.layer.param.lrn_param
    size, factor = param.local_size, f32(f32(param.alpha) / param.local_size)
    pad = (size - 1) // 2
    squares = [0.0] * pad + [f32(x * x) for x in channels] + [0.0] * pad
    return all(
        _lost(channels, squares, f32(param.k), factor, size, f32(param.beta), fused)
        for fused in (False, True)
    )


def _lost(
    channels: list[float], squares: list[float], k: float, factor: float, size: int, beta: float, fused: bool
) -> bool:
    """The running sum, number for number, with or without fused multiply-add."""

    def add(scale: float, share: float, square: float) -> float:
        return f32(scale + share * square) if fused else f32(scale + f32(share * square))

    scale = k
    for square in squares[:size]:
        scale = add(scale, factor, square)
    scales = [scale]
    for c in range(1, len(channels)):
        scale = add(add(scale, factor, squares[c + size - 1]), -factor, squares[c - 1])
        scales.append(scale)
    return any(
        raised(-beta)(scale, scale)[2] != NEVER or (scale == 0 and x == 0 and beta > 0)
        for x, scale in zip(channels, scales, strict=True)
    )


def _constant_channels(step: Step) -> list[float]:
    """The number in each channel, where every channel is one constant."""
    blob, shape = step.layer.bottoms[0], step.layer.bottoms[0].shape
    if not shape or len(shape) != 4 or shape[1] is None:
        return []
    own = step.bottoms[0].constant
    if own is not None:
        return [own] * min(shape[1], 4096)
    pieces: list[float] = []
    for part, value in step.pieces.get(blob, []):
        if value.constant is None or part.shape is None or part.shape[1] is None:
            return []
        pieces += [value.constant] * part.shape[1]
    return pieces


@backward("LRN")
def lrn_gradient(step: Step) -> list[Value]:
    grad, x = step.grads[0], step.bottoms[0]
    if grad.surely_nan or step.tops[0].surely_nan or grad.low != grad.low:
        return [_all_nan(unknown(x.count))]
    return [anything(x.count)]


# --- Softmax ---


@forward("Softmax")
def softmax(step: Step) -> list[Value]:
    """Probabilities; NaN where an input is +inf or NaN, or all along the axis are -inf (softmax_layer.cpp)."""
    x, shape = step.bottoms[0], step.layer.bottoms[0].shape
    axis = step.layer.param.softmax_param.axis
    if bad_for_softmax(x):
        return [Value(0.0, 1.0, True, True, x.count, found=(NAN,))]
    classes = shape[axis] if shape and -len(shape) <= axis < len(shape) else None
    if classes == 1:
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
    return (
        x.low != x.low
        or x.surely_nan
        or x.surely(lambda low, high: low == math.inf)
        or x.constant == -math.inf
    )


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
    return [Value(f32(-span), f32(span), grad.nan, grad.known, x.count)]

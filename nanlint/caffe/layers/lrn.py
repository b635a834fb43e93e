"""LRN: local response normalisation across channels, or within each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import BOTH, BOTTOM, Blobs, InPlace, LayerSetup, LayerType, Reads
from nanlint.caffe.layers.sizes import int32, needs_four_axes
from nanlint.numbers import moments
from nanlint.numbers.combining import all_nan, farthest
from nanlint.numbers.draws import anything, unknown
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import EVERYWHERE, NEVER, SOMEWHERE, Image, Interval, magnitude, raised, times
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import NAN, Value, is_zero

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter

WITHIN_CHANNEL = 1


class LRN(LayerType):
    """The shape of the bottom, of 4 axes (lrn_layer.cpp)."""

    changes_values = True
    finite = ("lrn_param.alpha", "lrn_param.beta", "lrn_param.k")
    finite_remedy = "write `alpha: 0.0001`, `beta: 0.75` and `k: 1`"
    engine_block = "lrn_param"
    keeps_maps = True
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM if param.lrn_param.norm_region == WITHIN_CHANNEL else BOTH

    def setup(self, layer: LayerSetup) -> Blobs:
        size = int32(layer.param.lrn_param.local_size)
        if size <= 0 or size % 2 == 0:
            raise layer.refuse(
                "value-out-of-range",
                "lrn_param.local_size",
                f"`local_size: {layer.param.lrn_param.local_size}` of `{layer.name}` is not odd and above 0, "
                "and Caffe aborts; write an odd size",
            )
        needs_four_axes(layer)
        return Blobs((layer.bottoms[0].shape,))

    def written_in_place(self, param: LayerParameter) -> InPlace:
        within = param.lrn_param.norm_region == WITHIN_CHANNEL
        return InPlace.WRONG_GRADIENT if within else InPlace.WRONG_OUTPUT

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        x, param = step.bottoms[0], step.layer.param.lrn_param
        beta, alpha = f32(param.beta), f32(param.alpha)
        within = param.norm_region == WITHIN_CHANNEL
        # an infinite alpha makes the scale infinite where the window holds more than zeros, and NaN where it does not
        undecided = within and math.isinf(alpha) and x.constant in (None, 0)
        if x.low != x.low or param.local_size % 2 == 0 or undecided:
            return [all_nan(x) if x.low != x.low else anything(x.count)]
        if x.may_be_bad:
            return [Value(-math.inf, math.inf, True, x.known, x.count, found=(NAN,) if x.surely_nan else ())]
        if within and x.constant is not None and x.constant != 0:
            return [_within_constant(step, x, alpha, beta)]
        scale = lrn_scale(step)
        factor = raised(-beta)(*scale)
        # the window of the first channel reaches into the zero padding: inf * 0
        if (math.isinf(alpha) and not within) or factor[2] == EVERYWHERE or scale[0] != scale[0]:
            return [all_nan(x)] if beta != 0 else [x]

        def scaled_by_it(low: float, high: float) -> Image:
            start, end, nan = times((low, high), factor[:2])
            return start, end, max(nan, factor[2])

        top = x.map(scaled_by_it)
        if not within and _may_lose(step, x, alpha):
            top = Value(-math.inf, math.inf, True, x.known, x.count)
        found = (*top.found, *_surely_born(step, x, scale, beta))
        return [top.but(nan=top.nan or factor[2] == SOMEWHERE or NAN in found, found=found)]

    def gradients(self, step: Step) -> list[Value]:
        grad, x = step.grads[0], step.bottoms[0]
        if grad.surely_nan or step.tops[0].surely_nan or grad.low != grad.low:
            return [all_nan(unknown(x.count))]
        return [anything(x.count)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment | None:
        param = layer.param.lrn_param
        base = moments.log_sum(moments.logarithm(param.k), moments.logarithm(param.alpha) + bottoms[0].log)
        return bottoms[0].scaled(-2 * param.beta * base) if base > -math.inf else None

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        if bottoms[0] is None:
            return None
        param = layer.param.lrn_param
        base = moments.log_sum(moments.logarithm(param.k), moments.logarithm(param.alpha) + bottoms[0].log)
        return top._replace(log=top.log - 2 * param.beta * base) if base > -math.inf else None


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


def _surely_born(step: Step, x: Value, scale: Interval, beta: float) -> list[Interval]:
    """What surely is not finite in the top although the bottom is."""
    param = step.layer.param.lrn_param
    across = param.norm_region != WITHIN_CHANNEL
    found: list[Interval] = []
    sure = lrn_certain(step)
    if sure is not None:
        low, _, nan = raised(-beta)(*sure)
        if nan == EVERYWHERE or low == math.inf:
            found.append(NAN if nan == EVERYWHERE else (math.inf, math.inf))
    zero_over_zero = scale[0] == 0 == scale[1] and x.surely(is_zero)
    base = f32(param.k) if across else 1.0
    undefined = (base == 0 and beta > 0) or raised(-beta)(base, base)[2] == EVERYWHERE
    if (beta > 0 and zero_over_zero) or (across and undefined and _zero_window(step, x)):
        found.append(NAN)
    if across and _running_sum_lost(step):
        found.append(NAN)
    return found


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
        found.append(NAN if nan == EVERYWHERE else times((number, number), (low, high))[:2])
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


def _may_lose(step: Step, x: Value, alpha: float) -> bool:
    """Whether a channel can be so large that k and the squares of others are lost beside it (24 bits)."""
    param = step.layer.param.lrn_param
    largest = abs(alpha) / param.local_size * magnitude(x.low, x.high)[1] ** 2
    return x.constant is None and x.known and param.k != 0 and largest > 2**22 * abs(f32(param.k))


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
    return all(_lost(channels, squares, f32(param.k), factor, size, f32(param.beta), fused) for fused in (False, True))


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

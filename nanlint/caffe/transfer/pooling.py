"""Pooling: what a window makes of its elements, and what windows outside the map leave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.pooling import CEIL, windows, windows_outside
from nanlint.caffe.transfer import Step, backward, forward, size
from nanlint.numbers.combining import highest, hull
from nanlint.numbers.draws import anything, constant
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.values import NAN, Part, Value

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer


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
            lost = _lost_elements(step.layer, {last.side for last in outside})
            sure = (Part(-FLOAT_MAX, -FLOAT_MAX, 1.0),) if lost else ()
            top = hull([top, constant(-FLOAT_MAX, 1)], outputs).but(parts=sure, number=lost)
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


def _lost_elements(layer: Layer, sides: set[int]) -> int:
    """How many windows lie outside: those of the last row, the last column, or both."""
    shape = layer.tops[0].shape
    if shape is None or len(shape) != 4 or None in shape:
        return 0
    images, channels, rows, columns = (side or 0 for side in shape)
    inside = (rows - (0 in sides)) * (columns - (1 in sides))
    return images * channels * (rows * columns - inside)


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

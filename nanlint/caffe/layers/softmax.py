"""Softmax, and the conditions that SoftmaxWithLoss and InfogainLoss take over from it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import TOP, Blobs, LayerSetup, LayerType, Reads
from nanlint.caffe.layers.sizes import axis_of, needs_elements
from nanlint.caffe.model import count
from nanlint.numbers import moments
from nanlint.numbers.draws import constant
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import Interval
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import NAN, Value, certain

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter

UNDERFLOW = 104.0
"""A gap to the maximum from which on exp gives exactly 0."""

SWAPPED = "swap the bottoms: the prediction comes first, the label second"


class Softmax(LayerType):
    """The shape of the bottom (softmax_layer.cpp)."""

    engine_block = "softmax_param"
    keeps_maps = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return TOP

    def setup(self, layer: LayerSetup) -> Blobs:
        class_axis(layer, layer.param.softmax_param.axis, "softmax_param.axis")
        return Blobs((layer.bottoms[0].shape,))

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
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

    def gradients(self, step: Step) -> list[Value]:
        grad, x = step.grads[0], step.bottoms[0]
        if grad.surely_bad or step.tops[0].surely_nan or grad.low != grad.low:
            return [Value(0.0, 0.0, True, count=x.count, found=(NAN,))]
        span = 2 * max(abs(grad.low), abs(grad.high))
        return [Value(f32(-span), f32(span), grad.may_be_bad or step.tops[0].nan, grad.known, x.count)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment | None:
        shape, axis = layer.bottoms[0].shape, layer.param.softmax_param.axis
        if shape is None or not -len(shape) <= axis < len(shape) or not shape[axis]:
            return None
        classes = shape[axis] or 1
        flat = moments.exponential(-max(0.0, bottoms[0].rms))
        square = moments.log_sum(-2 * math.log(classes), math.log(max(1e-9, 1 - flat)) - math.log(classes))
        mean = moments.exponential(-2 * math.log(classes) - square)
        return Moment(square, max(mean, bottoms[0].common * mean), mean)

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        shape, axis = layer.bottoms[0].shape, layer.param.softmax_param.axis
        if shape is None or not -len(shape) <= axis < len(shape) or not shape[axis]:
            return None
        return top._replace(log=top.log - 2 * math.log(shape[axis] or 1))


def class_axis(layer: LayerSetup, axis: int, route: str) -> int | None:
    """The axis of the classes, which must have elements; None if the bottom is unknown."""
    shape = layer.bottoms[0].shape
    other = layer.bottoms[1].shape if len(layer.bottoms) > 1 else None
    swapped = shape is not None and other is not None and len(shape) < len(other)
    at = axis_of(layer, 0, axis, route, SWAPPED if swapped else "")
    if at is None or shape is None:
        return None
    needs_elements(layer, shape[at], route, "the class axis")
    return at


def needs_scores(layer: LayerSetup) -> None:
    """Refusal of empty scores under the softmax of a loss, which writes its loss weight into the result."""
    needs_elements(layer, count(layer.bottoms[0].shape), "bottom[0]", "the softmax of the scores")


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

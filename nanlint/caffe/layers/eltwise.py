"""Eltwise: sum, product or maximum of blobs of one shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import BOTH, BOTTOM, NOTHING, Blobs, InPlace, LayerSetup, LayerType, Reads, at_least
from nanlint.caffe.layers.sizes import needs_same_shape
from nanlint.numbers import moments
from nanlint.numbers.combining import combine, highest
from nanlint.numbers.draws import constant
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import plus, quotient, scaled, times
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import NAN, Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter

PROD, SUM, MAX = range(3)


class Eltwise(LayerType):
    """The shape of the bottoms, which must all be equal (eltwise_layer.cpp)."""

    keeps_maps = True
    bottoms = at_least(2)
    knows_overwritten = True

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.eltwise_param
        coefficients, bottoms = len(param.coeff), len(layer.bottoms)
        if coefficients and coefficients != bottoms:
            raise layer.refuse(
                "conflicting-fields",
                "eltwise_param.coeff[0]",
                f"`{layer.name}` has {coefficients} `coeff` for {bottoms} bottoms, and Caffe aborts; write "
                "one for each, or none",
            )
        if coefficients and param.operation == PROD:
            raise layer.refuse(
                "conflicting-fields",
                "eltwise_param.coeff[0]",
                f"`{layer.name}` has `coeff` with `operation: PROD`, and Caffe aborts; leave the coefficients out",
            )
        at = [i for i, bottom in enumerate(layer.bottoms) if bottom.shape is not None]
        for other in at[1:]:
            needs_same_shape(layer, at[0], other)
        known = [bottom.shape for bottom in layer.bottoms if bottom.shape is not None]
        if not known:
            return Blobs((None,))
        top = tuple(next((size for size in sizes if size is not None), None) for sizes in zip(*known, strict=True))
        return Blobs((top,))

    def backward_reads(self, param: LayerParameter) -> Reads:
        """PROD: the other bottoms, or, where `stable_prod_grad` is false, top / bottom (eltwise_layer.cpp)."""
        if param.eltwise_param.operation != PROD:
            return NOTHING
        return BOTTOM if param.eltwise_param.stable_prod_grad else BOTH

    def written_in_place(self, param: LayerParameter) -> InPlace:
        """SUM and MAX clear the top, and with it bottom 0, before they read it."""
        return InPlace.WRONG_GRADIENT if param.eltwise_param.operation == PROD else InPlace.WRONG_OUTPUT

    def values(self, step: Step) -> list[Value]:
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

    def gradients(self, step: Step) -> list[Value]:
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

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment | None:
        param = layer.param.eltwise_param
        if param.operation == param.PROD:
            return moments.product(bottoms)
        if param.operation == param.MAX:
            return max(bottoms)
        weights = list(param.coeff) or [1.0] * len(bottoms)
        if len(weights) != len(bottoms):
            return None
        return moments.add(
            *(moment.scaled(2 * moments.logarithm(abs(w))) for moment, w in zip(bottoms, weights, strict=True))
        )

    def carried_to(self, layer: Layer, bottoms: Moments, top: Gradient) -> list[Gradient | None]:
        param = layer.param.eltwise_param
        if param.operation == param.MAX:
            return [top._replace(log=top.log - math.log(len(bottoms)))] * len(bottoms)
        if param.operation == param.PROD:
            return [_factor(index, bottoms, top) for index in range(len(bottoms))]
        weights = list(param.coeff) or [1.0] * len(bottoms)
        if len(weights) != len(bottoms):
            return [None] * len(bottoms)
        return [top._replace(log=top.log + 2 * moments.logarithm(abs(weight))) for weight in weights]


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


def _factor(index: int, bottoms: Moments, top: Gradient) -> Gradient | None:
    carried: Gradient | None = top
    for other, moment in enumerate(bottoms):
        if other != index and carried is not None:
            carried = moments.times(carried, moment)
    return carried

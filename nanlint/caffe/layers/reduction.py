"""Reduction: the sum, mean or norm of the axes from one on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType
from nanlint.caffe.layers.sizes import axis_of, needs_elements
from nanlint.caffe.model import count
from nanlint.numbers import moments
from nanlint.numbers.combining import combine
from nanlint.numbers.draws import constant
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import NEVER, magnitude, raised, scaled, times
from nanlint.numbers.moments import Gradient, Moment, Moments, Weights
from nanlint.numbers.sums import summed
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer

ASUM, SUMSQ, MEAN = 2, 3, 4

SUM, MEAN = 1, 4


class Reduction(LayerType):
    """Top: the axes before `axis`; axis 0 leaves a scalar without axes (reduction_layer.cpp)."""

    finite = ("reduction_param.coeff",)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.reduction_param
        shape = layer.bottoms[0].shape
        axis = axis_of(layer, 0, param.axis, "reduction_param.axis")
        if shape is None or axis is None:
            return Blobs((() if param.axis == 0 else None,))
        if param.operation in (SUM, MEAN):
            needs_elements(layer, count(shape, axis), "reduction_param.axis", "the sum")
        return Blobs((shape[:axis],))

    def values(self, step: Step) -> list[Value]:
        """SUM, ASUM, SUMSQ or MEAN from `axis` on, times coeff; MEAN sums first (reduction_layer.cpp)."""
        param, x = step.layer.param.reduction_param, step.bottoms[0]
        outputs = step.top_count()
        terms = x.count // outputs if x.count and outputs else None
        if param.operation == ASUM:
            x = x.map(magnitude)
        elif param.operation == SUMSQ:
            x = x.map(raised(2.0))
        coefficient = f32(param.coeff)
        if param.operation == MEAN and terms:
            coefficient = f32(coefficient / terms)
        sums = summed(x, terms, outputs)
        return [sums.map(scaled(coefficient)) if coefficient != 1 else sums]

    def gradients(self, step: Step) -> list[Value]:
        """coeff times the gradient, times sign (ASUM) or 2x (SUMSQ), divided by the number (MEAN)."""
        param, x = step.layer.param.reduction_param, step.bottoms[0]
        outputs = step.top_count()
        coefficient = f32(param.coeff)
        if param.operation == MEAN and x.count and outputs:
            coefficient = f32(coefficient / (x.count // outputs))
        factor = constant(coefficient, x.count)
        grad = combine(factor, step.grads[0].sized(x.count), times)
        if param.operation == ASUM:
            return [combine(grad, x.map(lambda a, b: (-1.0, 1.0, NEVER), of_nan=(0.0, 0.0)), times)]
        if param.operation == SUMSQ:
            doubled = combine(factor, step.grads[0].sized(x.count), times).map(scaled(2.0))
            return [combine(doubled, x, times)]
        return [grad.but(count=x.count)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment | None:
        param = layer.param.reduction_param
        shape, axis = layer.bottoms[0].shape, param.axis
        if shape is None or not -len(shape) <= axis < len(shape):
            return None
        elements = count(shape, axis % len(shape))
        if not elements or param.operation not in (param.SUM, param.MEAN):
            return None
        top = moments.linear(bottoms[0], Weights(2 * moments.logarithm(abs(param.coeff)), 1.0), elements)
        return top.scaled(-2 * math.log(elements)) if param.operation == param.MEAN else top

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        param = layer.param.reduction_param
        shape, axis = layer.bottoms[0].shape, param.axis
        if shape is None or not -len(shape) <= axis < len(shape):
            return None
        elements = count(shape, axis % len(shape))
        if not elements or param.operation not in (param.SUM, param.MEAN):
            return None
        per_element = 2 * moments.logarithm(abs(param.coeff)) + math.log(elements)
        if param.operation == param.MEAN:
            per_element -= 2 * math.log(elements)
        return Gradient(top.log + per_element, top.common, 1.0)

"""Layers whose tops are sums of products of bottom 0 with learned weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from nanlint.caffe.initial import initial_moment, known_shape
from nanlint.caffe.layers.base import NOTHING, LayerType, Reads
from nanlint.caffe.model import count
from nanlint.numbers import moments
from nanlint.numbers.combining import combine
from nanlint.numbers.intervals import plus
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import NAN, Value, is_infinite

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter


class Weighted(LayerType):
    """What they have in common: the scale of such sums, and of the gradient that comes back through them."""

    multiplies = True
    over_maps: ClassVar[bool] = True
    """The same weights serve every position of a map."""

    def fan_in(self, layer: Layer) -> float | None:
        return count(known_shape(layer.params[0]), 1) if layer.params else None

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment | None:
        weights, fan = initial_moment(layer), self.fan_in(layer)
        if layer.params and layer.params[0].param.filler is not None:
            filler = layer.params[0].param.filler
            if filler.type == "bilinear":
                return bottoms[0]
            if fan is None and filler.type in ("xavier", "msra"):
                return bottoms[0].scaled(math.log(2) if filler.type == "msra" else 0.0)._replace(mean=0.0)
        if weights is None or fan is None:
            return None
        return plus_bias(layer, 1, moments.linear(bottoms[0], weights, fan))

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        """Of a unit of squared norm at the top, fan_in * E[w^2] arrive at the bottom."""
        weights, fan = initial_moment(layer), self.fan_in(layer)
        filler = layer.params[0].param.filler if layer.params else None
        if filler is not None and filler.type == "bilinear":
            return top
        if filler is not None and fan is None and filler.type in ("xavier", "msra"):
            return top._replace(log=top.log + (math.log(2) if filler.type == "msra" else 0.0))
        if weights is None or not fan:
            return None
        flat = top.flat if self.over_maps else 0.0
        return Gradient(top.log + math.log(fan) + weights.log, top.common, flat)

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING


def with_bias(step: Step, sums: Value, index: int, present: bool) -> Value:
    """Sums plus the bias, which learned blob `index` holds where it is `present`."""
    if not present or len(step.weights) <= index:
        return sums
    bias = step.weights[index]
    top = combine(sums, bias, plus)
    if bias.surely_nan:
        top = top.but(nan=True, found=(*top.found, NAN))
    elif bias.surely_infinite and not top.surely_bad:
        top = top.but(found=(*top.found, bias.witness(is_infinite) or (math.inf, math.inf)))
    return top


def plus_bias(layer: Layer, index: int, moment: Moment) -> Moment:
    """The same of second moments."""
    bias = initial_moment(layer, index)
    if bias is None or bias.log == -math.inf:
        return moment
    return moments.add(moment, Moment(bias.log, 1.0, bias.mean))

"""MVN: each map, or image, to mean 0 and variance 1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import BOTH, NOTHING, Blobs, InPlace, LayerSetup, LayerType, Reads
from nanlint.caffe.layers.sizes import legacy_shape, needs_elements
from nanlint.caffe.model import count
from nanlint.numbers import moments
from nanlint.numbers.combining import all_nan, perhaps_nan
from nanlint.numbers.draws import anything, constant, unknown
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import TINY, Value
from nanlint.numbers.variance import exact_mean, varies

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter


class MVN(LayerType):
    """Always 4 axes, missing ones as 1 (mvn_layer.cpp)."""

    changes_values = True
    finite = ("mvn_param.eps",)
    finite_remedy = "leave `eps` out"
    normalises = True
    eps_block = "mvn_param"
    keeps_maps = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTH if param.mvn_param.normalize_variance else NOTHING

    def setup(self, layer: LayerSetup) -> Blobs:
        sizes = legacy_shape(layer, 0)
        if sizes is None:
            return Blobs(((None,) * 4,))
        start = 1 if layer.param.mvn_param.across_channels else 2
        needs_elements(layer, count(sizes, start), "bottom[0]", "what is normalised together")
        return Blobs((sizes,))

    def written_in_place(self, param: LayerParameter) -> InPlace:
        return InPlace.WRONG_GRADIENT if param.mvn_param.normalize_variance else InPlace.RIGHT

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        x, param, elements = step.bottoms[0], step.layer.param.mvn_param, region(step)
        outputs = step.top_count()
        if x.low != x.low or x.surely_nan:
            return [all_nan(x).but(count=outputs)]
        if x.may_be_bad:
            return [(all_nan(x) if x.surely_infinite else perhaps_nan(x)).but(count=outputs)]
        if not param.normalize_variance:
            flat = elements == 1 or (x.constant is not None and exact_mean(x.constant, elements))
            if flat:
                return [constant(0.0, outputs)]
            width = x.high - x.low + 1e-5 * max(abs(x.low), abs(x.high))
            return [Value(f32(-width), f32(width), known=x.known, count=outputs)]
        return [_normalised(x, f32(param.eps), elements).but(count=outputs)]

    def gradients(self, step: Step) -> list[Value]:
        grad, x = step.grads[0], step.bottoms[0]
        if grad.surely_nan or step.tops[0].surely_nan or grad.low != grad.low:
            return [all_nan(unknown(x.count))]
        return [anything(x.count)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        return moments.ZERO if bottoms[0].log == -math.inf else Moment(0.0)

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        if bottoms[0] is None or bottoms[0].log == -math.inf:
            return None
        return Gradient(top.log - bottoms[0].log, top.common, 0.0)


def region(step: Step) -> int | None:
    """How many elements share one mean and variance; None if unknown."""
    layer, shape = step.layer, step.layer.bottoms[0].shape
    if step.bottoms[0].count is None or not shape or None in shape:
        return None
    across = layer.param.mvn_param.across_channels
    regions = shape[0] if across else (shape[0] or 0) * (shape[1] or 1 if len(shape) > 1 else 1)
    return step.bottoms[0].count // regions if regions else None


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

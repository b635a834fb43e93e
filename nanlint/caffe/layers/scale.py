"""Scale and Bias: a blob times, or plus, a smaller one that is learned or given as a second bottom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nanlint.caffe.initial import initial_moment
from nanlint.caffe.layers.base import NOTHING, Blobs, LayerSetup, LayerType, Param, Reads, Shape, between, shown
from nanlint.caffe.layers.sizes import axis_of, needs_elements
from nanlint.caffe.layers.weighted import plus_bias
from nanlint.caffe.layers.weights import inline, weights
from nanlint.caffe.model import count
from nanlint.numbers import moments
from nanlint.numbers.combining import combine, with_nan_of
from nanlint.numbers.intervals import NEVER, Image, plus, times
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import BiasParameter, LayerParameter, ScaleParameter


class Bias(LayerType):
    """The shape of bottom 0 (bias_layer.cpp)."""

    changes_values = True
    per_channel = True
    keeps_maps = True
    bottoms = between(1, 2)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.bias_param
        params: tuple[Param, ...] = ()
        if len(layer.bottoms) == 1:
            params = inline(layer) or (_factor(layer, param, "bias_param", param.num_axes, 0.0),)
        _check_factor(layer, param.axis, "bias_param", params)
        return Blobs((layer.bottoms[0].shape,), params)

    def values(self, step: Step) -> list[Value]:
        summand = _second(step)
        if summand is None:
            return []
        top = with_nan_of(summand, combine(step.bottoms[0], summand, plus))
        return [top.but(count=step.top_count())]

    def gradients(self, step: Step) -> list[Value]:
        return [step.grads[0].but(count=step.bottoms[0].count)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        return moments.add(*bottoms) if len(bottoms) > 1 else plus_bias(layer, 0, bottoms[0])

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient:
        return top

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING


class Scale(LayerType):
    """The shape of bottom 0; with `bias_term`, a Bias layer of the same axes inside (scale_layer.cpp)."""

    changes_values = True
    per_channel = True
    keeps_maps = True
    bottoms = between(1, 2)
    keeps_symmetry = True

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.scale_param
        params: tuple[Param, ...] = inline(layer)
        own = len(layer.bottoms) == 1
        if own and not params:
            params = (_factor(layer, param, "scale_param", param.num_axes, 1.0),)
        if param.bias_term and len(params) < 1 + own:
            second = layer.bottoms[-1].shape
            axes = param.num_axes if own else None if second is None else len(second)
            params = (*params, _bias(layer, param, axes))
        _check_factor(layer, param.axis, "scale_param", params)
        return Blobs((layer.bottoms[0].shape,), params)

    def values(self, step: Step) -> list[Value]:
        factor = _second(step)
        if factor is None:
            return []
        top = combine(step.bottoms[0], factor, _by_channel)
        own = 0 if len(step.bottoms) > 1 else 1
        if step.layer.param.scale_param.bias_term and len(step.weights) > own:
            top = with_nan_of(step.weights[own], combine(top, step.weights[own], plus))
        return [top.but(count=step.top_count())]

    def gradients(self, step: Step) -> list[Value]:
        factor = _second(step)
        if factor is None:
            return []
        grads = [combine(step.grads[0], factor, _by_channel).but(count=step.bottoms[0].count)]
        if len(step.bottoms) > 1:
            grads.append(step.bottoms[1].map(lambda low, high: (-math.inf, math.inf, NEVER)).but(known=False))
        return grads

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment | None:
        if len(bottoms) > 1:
            return moments.product(bottoms)
        weights = initial_moment(layer)
        if weights is None:
            return None
        scaled = bottoms[0].scaled(weights.log)._replace(mean=bottoms[0].mean * weights.mean)
        return plus_bias(layer, 1, scaled)

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        weights = initial_moment(layer)
        return top._replace(log=top.log + weights.log) if weights else None

    def carried_to(self, layer: Layer, bottoms: Moments, top: Gradient) -> Sequence[Gradient | None]:
        if len(bottoms) == 2:
            return [moments.times(top, bottoms[1]), moments.times(top, bottoms[0])]
        return super().carried_to(layer, bottoms, top)

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING


def _factor(layer: LayerSetup, param: BiasParameter | ScaleParameter, block: str, axes: int, default: float) -> Param:
    """The learned factor: bottom 0's sizes along `num_axes` axes from `axis` on."""
    shape = _factor_shape(layer, param.axis, axes, block)
    filler = param.filler if param.HasField("filler") else None
    return weights(layer, shape, filler, f"{block}.filler", default)


def _bias(layer: LayerSetup, param: ScaleParameter, axes: int | None) -> Param:
    """The bias of a Scale layer."""
    shape = None if axes is None else _factor_shape(layer, param.axis, axes, "scale_param")
    return weights(layer, shape, param.bias_filler, "scale_param.bias_filler")


def _factor_shape(layer: LayerSetup, axis: int, axes: int, block: str) -> Shape:
    shape = layer.bottoms[0].shape
    start = axis_of(layer, 0, axis, f"{block}.axis")
    if axes < -1:
        raise layer.refuse(
            "value-out-of-range",
            f"{block}.num_axes",
            f"`num_axes: {axes}` of `{layer.name}` is below -1, and Caffe aborts; "
            "write a number of axes, or -1 for all that follow",
        )
    if shape is None or start is None:
        return None
    end = len(shape) if axes == -1 else start + axes
    if end > len(shape):
        raise layer.refuse(
            "axis-out-of-range",
            f"{block}.num_axes",
            f"`num_axes: {axes}` of `{layer.name}` from axis {start} on goes past {layer.bottom(0)}, which "
            f"has {len(shape)} axes, and Caffe aborts; write at most {len(shape) - start}",
            related=layer.origins(0),
        )
    return shape[start:end]


def _check_factor(layer: LayerSetup, axis: int, block: str, params: tuple[Param, ...]) -> None:
    """Refusal unless the factor has bottom 0's sizes from `axis` on."""
    second = len(layer.bottoms) > 1
    factor = layer.bottoms[1].shape if second else params[0].shape
    shape = layer.bottoms[0].shape
    if factor is None or shape is None:
        return
    start = axis_of(layer, 0, axis, f"{block}.axis") if factor else 0
    assert start is not None
    route = "bottom[1]" if second else f"{block}.axis" if not layer.param.blobs else "blobs[0]"
    what = layer.bottom(1) if second else f"its blob ({shown(factor)})"
    ends = (0, 1) if second else (0,)
    if start + len(factor) > len(shape):
        raise layer.refuse(
            "shape-mismatch",
            route,
            f"`{layer.name}` applies {what} from axis {start} of {layer.bottom(0)} on, which goes past its "
            f"{len(shape)} axes, and Caffe aborts; write an earlier `axis`",
            related=layer.origins(*ends),
        )
    for i, (size, wanted) in enumerate(zip(factor, shape[start:], strict=False)):
        if size is not None and wanted is not None and size != wanted:
            raise layer.refuse(
                "shape-mismatch",
                route,
                f"`{layer.name}` applies {what} from axis {start} of {layer.bottom(0)} on, but {size} meets "
                f"{wanted} along axis {start + i}, and Caffe aborts (it repeats no size of 1); give them the "
                "same size",
                related=layer.origins(*ends),
            )
    _check_elements(layer, shape, start, len(factor), block)


def _check_elements(layer: LayerSetup, shape: tuple[int | None, ...], start: int, axes: int, block: str) -> None:
    """Scale prepares a vector as long as the larger of the axes before and after the factor, Bias as those
    after.
    """
    inner, outer = count(shape, start + axes), count(shape, 0, start)
    bias = block == "bias_param" or layer.param.scale_param.bias_term
    if inner == 0 and (bias or outer == 0):
        needs_elements(layer, 0, "bottom[0]", "the axes after the factor")


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

"""Input and Parameter: blobs that a program fills, and one that is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType, Param, Shape, at_least, exactly
from nanlint.caffe.layers.sizes import dims, reshaped
from nanlint.numbers.draws import constant
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step


class Input(LayerType):
    """Tops: one shape for all, or one each; without any, blobs that hold nothing (input_layer.cpp)."""

    reshapes = False
    bottoms = exactly(0)
    tops = at_least(1)
    touches_data = False

    def setup(self, layer: LayerSetup) -> Blobs:
        shapes = layer.param.input_param.shape
        tops = len(layer.top_names)
        if len(shapes) not in (0, 1, tops):
            raise layer.refuse(
                "conflicting-fields",
                "input_param.shape[0]",
                f"`{layer.name}` has {len(shapes)} shapes for {tops} tops, and Caffe aborts; write one for "
                "all, or one for each",
            )
        made: list[Shape] = []
        for i, name in enumerate(layer.top_names):
            if not shapes:
                made.append(layer.given.get(name, ()))
                continue
            at = i if len(shapes) > 1 else 0
            made.append(reshaped(layer, dims(shapes[at]), f"input_param.shape[{at}]", f"`{name}`"))
        return Blobs(tuple(made))


class Parameter(LayerType):
    """Top: the layer's one parameter blob; without a shape, a scalar (parameter_layer.hpp)."""

    reshapes = False
    bottoms = exactly(0)
    tops = exactly(1)

    def setup(self, layer: LayerSetup) -> Blobs:
        route = "parameter_param.shape"
        shape = reshaped(layer, dims(layer.param.parameter_param.shape), route, f"the top of `{layer.name}`")
        return Blobs((shape,), (Param(shape),))

    def values(self, step: Step) -> list[Value]:
        """Zeros until it is learned (parameter_layer.hpp)."""
        return [step.weights[0] if step.weights else constant(0.0, step.top_count())]

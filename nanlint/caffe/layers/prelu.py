"""PReLU: a learned slope below 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.initial import initial_moment
from nanlint.caffe.layers.base import NOTHING, Blobs, LayerSetup, LayerType, Reads, Shape
from nanlint.caffe.layers.neuron import gate
from nanlint.caffe.layers.relu import leaky, leaky_gradient
from nanlint.caffe.layers.sizes import legacy_shape, needs_elements
from nanlint.caffe.layers.weights import inline, weights
from nanlint.caffe.model import count
from nanlint.numbers import moments
from nanlint.numbers.draws import constant
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter

DEFAULT_SLOPE = 0.25


class PReLU(LayerType):
    """The shape of the bottom, of 2 to 4 axes; a slope a channel, or one for all (prelu_layer.cpp)."""

    changes_values = True
    keeps_maps = True
    keeps_symmetry = True

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.prelu_param
        shape = layer.bottoms[0].shape
        if shape is not None and len(shape) < 2:
            raise layer.refuse(
                "axis-out-of-range",
                "bottom[0]",
                f"`{layer.name}` takes at least 2 axes, but {layer.bottom(0)} has {len(shape)}, and Caffe "
                "aborts; put a `Reshape` layer before it",
                related=layer.origins(0),
            )
        sizes = legacy_shape(layer, 0)
        slopes: Shape = () if param.channel_shared else (sizes[1] if sizes else None,)
        if layer.param.blobs:
            params = inline(layer)
            given, needed = count(params[0].shape), count(slopes)
            if given is not None and needed is not None and given != needed:
                raise layer.refuse(
                    "param-mismatch",
                    "blobs[0]",
                    f"`blobs` of `{layer.name}` has {given} slopes, but the layer needs {needed}, and Caffe "
                    f"aborts; write {needed}",
                    related=layer.origins(0),
                )
        else:
            filler = param.filler if param.HasField("filler") else None
            params = (weights(layer, slopes, filler, "prelu_param.filler", DEFAULT_SLOPE),)
        needs_elements(layer, count(shape, 1), "bottom[0]", "the buffer for one image")
        return Blobs((shape,), params)

    def values(self, step: Step) -> list[Value]:
        return leaky(step, _slopes(step))

    def gradients(self, step: Step) -> list[Value]:
        return leaky_gradient(step, _slopes(step))

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        weights = initial_moment(layer)
        return moments.rectified(bottoms[0], moments.exponential(weights.log / 2) if weights else DEFAULT_SLOPE)

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        weights = initial_moment(layer)
        return gate(top, bottoms[0], moments.exponential(weights.log / 2) if weights else DEFAULT_SLOPE)

    def backward_reads(self, param: LayerParameter) -> Reads:
        """Nothing that can be overwritten: in place, it keeps a copy of its bottom (prelu_layer.cpp)."""
        return NOTHING


def _slopes(step: Step) -> Value:
    return step.weights[0] if step.weights else constant(DEFAULT_SLOPE)

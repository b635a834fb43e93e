"""Embed: a row of the weights for each index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.initial import initial_moment
from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType, Shape
from nanlint.caffe.layers.sizes import int32, needs_elements, reshaped
from nanlint.caffe.layers.weights import unchecked_inline, weights
from nanlint.caffe.model import count
from nanlint.numbers.draws import anything
from nanlint.numbers.moments import Moment
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer

PARAM = "embed_param"


class Embed(LayerType):
    """Top: the bottom's axes and then `num_output`; the indices get no gradient (embed_layer.cpp)."""

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.embed_param
        outputs = _positive(layer, "num_output", param.num_output)
        inputs = _positive(layer, "input_dim", param.input_dim)
        expected: tuple[Shape, ...] = ((inputs, outputs), (outputs,))[: 1 + param.bias_term]
        if layer.param.blobs:
            params = unchecked_inline(layer, expected)
        else:
            fillers = ((param.weight_filler, "weight_filler"), (param.bias_filler, "bias_filler"))
            params = tuple(
                weights(layer, shape, filler, f"{PARAM}.{name}")
                for shape, (filler, name) in zip(expected, fillers, strict=False)
            )
        shape = layer.bottoms[0].shape
        top = None if shape is None else (*shape, outputs)
        reshaped(layer, top, PARAM, f"the top of `{layer.name}`")
        if param.bias_term:
            needs_elements(layer, count(shape), "bottom[0]", "the batch that the bias is added to")
        return Blobs((top,), params)

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        """Rows of the weights, plus the bias."""
        if not step.weights:
            return []
        rows = step.weights[0]
        if len(step.weights) > 1 and step.layer.param.embed_param.bias_term:
            bias = step.weights[1]
            if bias.constant != 0:
                return [anything(step.top_count())]
        return [rows.bounds(step.top_count())]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment | None:
        weights = initial_moment(layer)
        return Moment(weights.log, weights.mean, weights.mean) if weights else None


def _positive(layer: LayerSetup, field: str, value: int) -> int:
    if int32(value) > 0:
        return int32(value)
    missing = not layer.param.embed_param.HasField(field)
    raise layer.refuse(
        "missing-field" if missing else "value-out-of-range",
        f"{PARAM}.{field}",
        f"`{layer.name}` has {f'no `{field}`' if missing else f'`{field}: {value}`'}, and Caffe aborts; "
        "write at least 1",
    )

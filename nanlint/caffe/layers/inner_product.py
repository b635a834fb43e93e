"""InnerProduct: a fully connected layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.initial import known_shape
from nanlint.caffe.layers.base import Blobs, InPlace, LayerSetup, Param, Shape
from nanlint.caffe.layers.sizes import axis_of, int32, needs_elements, reshaped
from nanlint.caffe.layers.weighted import Weighted, with_bias
from nanlint.caffe.layers.weights import unchecked_inline, weights
from nanlint.caffe.model import count
from nanlint.numbers.sums import weighted
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer

PARAM = "inner_product_param"


class InnerProduct(Weighted):
    """Top: the bottom's axes before `axis`, then `num_output` (inner_product_layer.cpp, LayerSetUp and
    Reshape).
    """

    over_maps = False
    in_place = InPlace.WRONG_OUTPUT

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.inner_product_param
        shape = layer.bottoms[0].shape
        outputs = int32(param.num_output)
        axis = axis_of(layer, 0, param.axis, f"{PARAM}.axis")
        if outputs <= 0:
            what = f"`num_output: {param.num_output}`" if param.HasField("num_output") else "no `num_output`"
            raise layer.refuse(
                "value-out-of-range" if param.HasField("num_output") else "missing-field",
                f"{PARAM}.num_output",
                f"`{layer.name}` has {what}, and Caffe aborts on the empty weights; "
                "write how many outputs the layer shall have",
            )
        known = shape is not None and axis is not None
        inputs = count(shape, axis) if shape is not None and axis is not None else None
        size: Shape = (inputs, outputs) if param.transpose else (outputs, inputs)
        expected: tuple[Shape, ...] = (size, (outputs,)) if param.bias_term else (size,)
        if layer.param.blobs:
            params = unchecked_inline(layer, expected)
        else:
            made: list[Param] = [weights(layer, size, param.weight_filler, f"{PARAM}.weight_filler")]
            if param.bias_term:
                made.append(weights(layer, (outputs,), param.bias_filler, f"{PARAM}.bias_filler"))
            params = tuple(made)
        if not known or shape is None:
            return Blobs((None,), params)
        top = reshaped(layer, (*shape[:axis], outputs), PARAM, f"the top of `{layer.name}`")
        if param.bias_term:
            needs_elements(layer, count(shape, 0, axis), PARAM, "the batch that the bias is added to")
        return Blobs((top,), params)

    def fan_in(self, layer: Layer) -> float | None:
        shape = known_shape(layer.params[0]) if layer.params else None
        if shape is not None and layer.param.inner_product_param.transpose:
            return count(shape, 0, len(shape) - 1)
        return count(shape, 1)

    def values(self, step: Step) -> list[Value]:
        param = step.layer.param.inner_product_param
        terms, shared = _terms(step.layer), any(p.owner for p in step.layer.params)
        if not step.weights:
            return []
        x, outputs = step.bottoms[0], step.top_count()
        sums = weighted(x, step.weights[0], terms, outputs, param.num_output, independent=not shared)
        return [with_bias(step, sums, 1, param.bias_term)]

    def gradients(self, step: Step) -> list[Value]:
        if not step.weights:
            return []
        outputs = step.layer.param.inner_product_param.num_output
        return [weighted(step.grads[0], step.weights[0], outputs, step.bottoms[0].count, 1, independent=False)]


def _terms(layer: Layer) -> int | None:
    weights, outputs = count(layer.params[0].param.shape) if layer.params else None, None
    outputs = layer.param.inner_product_param.num_output
    return weights // outputs if weights and outputs else None

"""ArgMax: the places of the largest values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType
from nanlint.caffe.layers.sizes import axis_of, int32, size_of
from nanlint.caffe.model import count
from nanlint.numbers.draws import anything
from nanlint.numbers.float32 import FLOAT_MAX
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step

PARAM = "argmax_param"


class ArgMax(LayerType):
    """Top: `top_k` along `axis`, or N x 1 x top_k over all else (2 with out_max_val); no backward pass
    (argmax_layer.cpp).
    """

    made_to_be_shown = True

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.argmax_param
        top_k = param.top_k
        if top_k < 1:
            raise layer.refuse(
                "value-out-of-range",
                f"{PARAM}.top_k",
                f"`top_k: {top_k}` of `{layer.name}` is below 1, and Caffe aborts; write at least 1",
            )
        shape = layer.bottoms[0].shape
        axis = axis_of(layer, 0, param.axis, f"{PARAM}.axis") if param.HasField("axis") else None
        if shape is None:
            return Blobs((None,))
        number = size_of(layer, 0, 0) if axis is None else None
        choices = shape[axis] if axis is not None else count(shape, 1)
        if choices is not None and top_k > choices:
            where = f"along axis {axis}" if axis is not None else "for each example"
            raise layer.refuse(
                "value-out-of-range",
                f"{PARAM}.top_k",
                f"`top_k: {top_k}` of `{layer.name}` exceeds the {choices} numbers that {layer.bottom(0)} "
                f"has {where}, and Caffe aborts; write at most {choices}",
                related=layer.origins(0),
            )
        if axis is not None:
            return Blobs(((*shape[:axis], int32(top_k), *shape[axis + 1 :]),))
        found = (number, 2 if param.out_max_val else 1, int32(top_k))
        return Blobs(((*found, *(1,) * (len(shape) - len(found))),))

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        if step.layer.param.argmax_param.out_max_val:
            return [anything(step.top_count())]
        return [Value(0.0, float(step.bottoms[0].count or FLOAT_MAX), count=step.top_count(), integer=True)]

"""Accuracy: the share of right labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType, Shape, between, exactly
from nanlint.caffe.layers.loss import classes_along, one_label_each
from nanlint.caffe.layers.sizes import axis_of, int32
from nanlint.caffe.model import count
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Dim, Layer

PARAM = "accuracy_param"


class Accuracy(LayerType):
    """Tops: a scalar, and optionally the accuracy of each class; it has no backward pass
    (accuracy_layer.cpp).
    """

    takes_labels = True
    made_to_be_shown = True
    bottoms = exactly(2)
    tops = between(1, 2)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.accuracy_param
        scores, labels = count(layer.bottoms[0].shape), count(layer.bottoms[1].shape)
        if labels == 0:
            raise layer.refuse(
                "division-by-zero",
                "bottom[1]",
                f"`{layer.name}` divides the number of scores by that of the labels, but {layer.bottom(1)} "
                "holds none: Caffe dies of SIGFPE; give it labels",
                related=layer.origins(1),
            )
        if scores is not None and labels is not None and int32(param.top_k) > scores // labels:
            raise layer.refuse(
                "value-out-of-range",
                f"{PARAM}.top_k",
                f"`top_k: {param.top_k}` of `{layer.name}` exceeds the {scores // labels} scores that "
                f"{layer.bottom(0)} has for each label of {layer.bottom(1)}, and Caffe aborts; write at most "
                f"{scores // labels}",
                related=layer.origins(0, 1),
            )
        axis = axis_of(layer, 0, param.axis, f"{PARAM}.axis")
        shape = layer.bottoms[0].shape
        if axis is not None:
            one_label_each(layer, axis)
        classes: Shape = (None,) if axis is None or shape is None else (shape[axis],)
        return Blobs(((), classes)[: len(layer.top_names)])

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        return [Value(0.0, 1.0, count=top.count) for top in step.layer.tops]

    def classes(self, layer: Layer) -> Dim:
        return classes_along(layer, layer.param.accuracy_param.axis)

"""SoftmaxWithLoss: softmax and the logarithm of the label's probability in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import LayerSetup, between
from nanlint.caffe.layers.loss import Loss, one_label_each
from nanlint.caffe.layers.softmax import class_axis, needs_scores

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import LayerParameter

ROUTE = "softmax_param.axis"


class SoftmaxWithLoss(Loss):
    """One label for each place outside the class axis (softmax_loss_layer.cpp)."""

    tops = between(1, 2)

    def prepare(self, layer: LayerSetup) -> None:
        class_axis(layer, layer.param.softmax_param.axis, ROUTE)
        needs_scores(layer)
        if len(layer.top_names) > 1:
            raise layer.refuse(
                "wrong-top-count",
                "top[1]",
                f"`{layer.name}` names a second top, `{layer.top_names[1]}`, and cannot be set up: the one "
                "`loss_weight` that Caffe adds is not two, and two do not fit its inner softmax; leave the "
                "top out and put a `Softmax` layer beside it",
            )

    def check(self, layer: LayerSetup) -> None:
        axis = class_axis(layer, layer.param.softmax_param.axis, ROUTE)
        if axis is not None:
            one_label_each(layer, axis)

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

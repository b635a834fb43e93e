"""InfogainLoss: a softmax loss weighted by a matrix of classes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Dim, LayerSetup, between
from nanlint.caffe.layers.loss import NAN_LOSS, Loss, classes_along, one_label_each, perhaps, scalar
from nanlint.caffe.layers.pull import Pull
from nanlint.caffe.layers.softmax import bad_for_softmax, class_axis, needs_scores
from nanlint.caffe.layers.softmax_loss import gradient_of_scores, pull_of_scores
from nanlint.caffe.model import count
from nanlint.numbers.draws import anything, constant
from nanlint.numbers.intervals import scaled
from nanlint.numbers.moments import Moment
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter

LOG_FLOOR = 46.06
"""-ln 1e-20, kLOG_THRESHOLD of loss_layer.hpp."""

PARAM = "infogain_loss_param"


class InfogainLoss(Loss):
    """The matrix is the third bottom or the file `source`, classes x classes (infogain_loss_layer.cpp)."""

    logarithmic = True
    takes_labels = True
    over_softmax = True
    normalization = "VALID"
    engine_block = "softmax_param"
    bottoms = between(2, 3)
    tops = between(1, 2)

    def prepare(self, layer: LayerSetup) -> None:
        class_axis(layer, layer.param.infogain_loss_param.axis, f"{PARAM}.axis")
        needs_scores(layer)
        if layer.param.loss_param.HasField("normalize"):
            raise layer.refuse(
                "conflicting-fields",
                "loss_param.normalize",
                f"`{layer.name}` has the deprecated `normalize`, and Caffe aborts; "
                "write `normalization: VALID` for true, `normalization: BATCH_SIZE` for false",
            )
        if len(layer.bottoms) == 2 and not layer.param.infogain_loss_param.HasField("source"):
            raise layer.refuse(
                "missing-field",
                PARAM,
                f"`{layer.name}` has no infogain matrix, and Caffe aborts; write `source`, or give it as a "
                "third bottom",
            )

    def check(self, layer: LayerSetup) -> None:
        axis = class_axis(layer, layer.param.infogain_loss_param.axis, f"{PARAM}.axis")
        shape = layer.bottoms[0].shape
        if axis is None or shape is None:
            return
        one_label_each(layer, axis)
        classes = shape[axis]
        numbers = count(layer.bottoms[2].shape) if len(layer.bottoms) > 2 else None
        if classes is not None and numbers is not None and numbers != classes * classes:
            raise layer.refuse(
                "shape-mismatch",
                "bottom[2]",
                f"`{layer.name}` wants a matrix of {classes} x {classes} for the {classes} classes of "
                f"{layer.bottom(0)}, but {layer.bottom(2)} has {numbers} numbers, and Caffe aborts; give it "
                f"{classes * classes}",
                related=layer.origins(0, 2),
            )

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return bottom > 0

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        """Sum over the classes of -H[label][class] ln(max(p, 1e-20)), averaged (infogain_loss_layer.cpp)."""
        x = step.bottoms[0]
        if bad_for_softmax(x):
            return [NAN_LOSS]
        if x.may_be_bad:
            return [perhaps(x)]
        matrix = step.bottoms[2] if len(step.bottoms) > 2 else None
        shape = step.layer.bottoms[0].shape
        axis = step.layer.param.softmax_param.axis
        labels = step.bottoms[1].count
        classes = shape[axis] if shape and -len(shape) <= axis < len(shape) else None
        if matrix is None or not matrix.known or not classes or not labels:
            return [anything(1)]
        if matrix.low != matrix.low:
            return [NAN_LOSS]
        # -ln p over the classes adds up to at least classes * ln(classes)
        least, most = classes * math.log(classes), classes * LOG_FLOOR
        if matrix.constant is not None and math.isinf(matrix.constant):
            return [constant(matrix.constant, 1)]
        ends = [bound * share * labels for bound in (matrix.low, matrix.high) for share in (least, most)]
        if matrix.low < 0:
            ends.append(0.0)
        summed_up = scalar(min(ends), max(ends))
        return [summed_up.map(scaled(1.0 / labels))]

    def gradients(self, step: Step) -> list[Value]:
        return gradient_of_scores(step)

    def pull(self, layer: Layer, prediction: Moment, label: Moment | None) -> Pull | None:
        return pull_of_scores(layer, prediction, label)

    def classes(self, layer: Layer) -> Dim:
        return classes_along(layer, layer.param.softmax_param.axis)

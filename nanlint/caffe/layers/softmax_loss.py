"""SoftmaxWithLoss: softmax and the logarithm of the label's probability in one."""

from __future__ import annotations

from math import inf, log, sqrt
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import NOTHING, LayerSetup, Reads, between
from nanlint.caffe.layers.loss import NAN_LOSS, Loss, classes_along, one_label_each, perhaps, scalar
from nanlint.caffe.layers.pull import SATURATED, Pull, divisor, is_constant, normalization
from nanlint.caffe.layers.softmax import bad_for_softmax, class_axis, needs_scores
from nanlint.caffe.model import count
from nanlint.numbers.draws import anything
from nanlint.numbers.float32 import FLOAT_MAX
from nanlint.numbers.intervals import scaled
from nanlint.numbers.moments import Moment, exponential, logarithm
from nanlint.numbers.values import NAN, Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Dim, Layer
    from nanlint.schema.caffe_pb2 import LayerParameter

SOFTMAX_FLOOR = 87.34
"""-ln FLT_MIN: the most that SoftmaxWithLoss gives a label."""

ROUTE = "softmax_param.axis"


class SoftmaxWithLoss(Loss):
    """One label for each place outside the class axis (softmax_loss_layer.cpp)."""

    inference_form = "Softmax"
    logarithmic = True
    takes_labels = True
    over_softmax = True
    normalization = "VALID"
    engine_block = "softmax_param"
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

    def values(self, step: Step) -> list[Value]:
        if bad_for_softmax(step.bottoms[0]):
            return [NAN_LOSS]
        items = step.bottoms[1].count if len(step.bottoms) > 1 else None
        if step.bottoms[0].may_be_bad:
            return [perhaps(step.bottoms[0])]
        # without normalisation every label adds its loss
        return [scalar(0.0, SOFTMAX_FLOOR * (items or 1), known=items is not None)]

    def gradients(self, step: Step) -> list[Value]:
        x, weight = step.bottoms[0], step.grads[0].constant
        spoiled = bad_for_softmax(x) or x.may_be_bad or (step.tops and step.tops[0].surely_nan)
        if weight is None or spoiled:
            return gradient_of_scores(step)
        return [Value(-1.0, 1.0, count=x.count).map(scaled(weight))]

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING

    def pull(self, layer: Layer, prediction: Moment, label: Moment | None) -> Pull | None:
        return pull_of_scores(layer, prediction, label)

    def classes(self, layer: Layer) -> Dim:
        return classes_along(layer, layer.param.softmax_param.axis)


def gradient_of_scores(step: Step) -> list[Value]:
    """(p - 1) times the weight, which a NaN weight makes 0 (softmax_loss_layer.cpp, caffe_scal)."""
    x = step.bottoms[0]
    if bad_for_softmax(x) or (step.tops and step.tops[0].surely_nan):
        return [Value(0.0, 0.0, True, count=x.count, found=(NAN,))]
    if x.may_be_bad:
        return [Value(-FLOAT_MAX, FLOAT_MAX, True, x.known, x.count)]
    return [anything(x.count)]


def pull_of_scores(layer: Layer, prediction: Moment, label: Moment | None) -> Pull | None:
    """Cross entropy of normal prediction: ln C + v/2, and sqrt(2 v ln C) where one class outweighs the rest."""
    shape, axis = layer.bottoms[0].shape, layer.param.softmax_param.axis
    if shape is None or not -len(shape) <= axis < len(shape):
        return None
    axis %= len(shape)
    outer, classes, inner = count(shape, 0, axis), shape[axis], count(shape, axis + 1)
    batch = shape[0] if axis else 1
    if not outer or not classes or not inner or not batch:
        return None
    maps = outer // batch * inner
    divided_by = outer if normalization(layer) == "BATCH_SIZE" else divisor(layer, batch, maps)
    variance = exponential(prediction.log + logarithm(1 - prediction.mean))
    entropy = log(classes)
    gap = sqrt(2 * variance * entropy)
    each = min(SATURATED, entropy + variance / 2 if variance < 2 * entropy else gap)
    steep = variance / (variance + 4) if variance < inf else 1.0
    gradient = (1 - 1 / classes) * (1 + steep) if classes > 1 else 0.0
    curvature = 1 / classes + max(0.0, 0.5 - 1 / classes) * steep if classes > 1 else 0.0
    return Pull(
        each * batch * maps / divided_by,
        logarithm(gradient * maps) - 2 * log(divided_by),
        logarithm(curvature * batch / divided_by),
        logarithm(maps),
        logarithm(10 * each) + log(maps) / 2 if 10 * each < SATURATED else inf,
        1.0 if is_constant(label) else 0.0,
    )

"""The losses that need no axis: SigmoidCrossEntropyLoss, EuclideanLoss, HingeLoss, MultinomialLogisticLoss,
ContrastiveLoss.
"""

from __future__ import annotations

import math
from math import inf, log, sqrt
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import NOTHING, LayerSetup, Reads, exactly
from nanlint.caffe.layers.loss import NAN_LOSS, Loss, rows_of, scalar
from nanlint.caffe.layers.pull import Pull, divisor, is_constant, sample_size
from nanlint.caffe.layers.sizes import legacy_at_forward, legacy_shape, needs_elements
from nanlint.caffe.model import count
from nanlint.findings import Effect
from nanlint.numbers.combining import combine
from nanlint.numbers.draws import anything, constant
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import NEVER, Image, Interval, Map, increasing, is_finite, minus, raised, scaled, times
from nanlint.numbers.moments import Moment, exponential, log_sum, logarithm
from nanlint.numbers.sums import summed
from nanlint.numbers.values import NAN, Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Dim, Layer
    from nanlint.schema.caffe_pb2 import LayerParameter

L2 = 2


class SigmoidCrossEntropyLoss(Loss):
    """As many targets as scores (sigmoid_cross_entropy_loss_layer.cpp)."""

    inference_form = "Sigmoid"
    normalization = "BATCH_SIZE"

    def check(self, layer: LayerSetup) -> None:
        _same_count(layer, 0)

    def values(self, step: Step) -> list[Value]:
        x, target = step.bottoms[0], step.bottoms[1]
        terms = combine(x, target, _cross_entropy)
        return [_averaged(summed(terms, x.count, 1), x.count)]

    def pull(self, layer: Layer, prediction: Moment, label: Moment | None) -> Pull | None:
        size = sample_size(layer.bottoms[0].shape)
        if size is None:
            return None
        batch, elements = size
        divided_by = divisor(layer, batch, elements)
        root = exponential(prediction.log / 2)
        steep = root / (root + 2) if root < inf else 1.0
        each = sqrt(log(2) ** 2 + (0.4 * root) ** 2) if root < 1e150 else inf
        return Pull(
            each * batch * elements / divided_by,
            logarithm((1 + steep) / 4 * elements) - 2 * log(divided_by),
            logarithm(batch / divided_by / 4),
            logarithm(elements),
            logarithm(10 * each) + log(elements) / 2,
            1.0 if is_constant(label) else 0.0,
        )


class EuclideanLoss(Loss):
    """As many numbers an example on both sides (euclidean_loss_layer.cpp)."""

    def check(self, layer: LayerSetup) -> None:
        _same_count(layer, 1)
        legacy_at_forward(layer, 0)

    def may_propagate(self, bottom: int) -> bool:
        return True

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return False

    def values(self, step: Step) -> list[Value]:
        """Half the sum of squared differences over the batch size (euclidean_loss_layer.cpp)."""
        squares = combine(step.bottoms[0], step.bottoms[1], minus).map(raised(2.0))
        sums = summed(squares, step.bottoms[0].count, 1)
        rows = rows_of(step)
        return [sums.map(scaled(0.5 / rows))] if rows else [anything(1).but(nan=sums.nan, found=sums.found)]

    def gradients(self, step: Step) -> list[Value]:
        rows = rows_of(step)
        difference = combine(step.bottoms[0], step.bottoms[1], minus)
        if not rows or step.grads[0].constant is None:
            nan = difference.surely_nan
            return [anything(x.count).but(nan=nan, found=(NAN,) if nan else ()) for x in step.bottoms]
        alpha = f32(step.grads[0].constant / rows)
        grad = combine(difference, constant(alpha, difference.count), times)
        if alpha == 0:
            grad = constant(0.0, grad.count)
        return [grad, grad.map(scaled(-1.0))]

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING

    def pull(self, layer: Layer, prediction: Moment, label: Moment | None) -> Pull | None:
        """Half the squared distance, over the batch size alone (euclidean_loss_layer.cpp)."""
        size = sample_size(layer.bottoms[0].shape)
        if size is None:
            return None
        batch, elements = size
        if label is None:
            return Pull(None, None, 0.0, None, None)
        square = log_sum(prediction.log, label.log)
        common = 0.0
        if square > -inf:
            common = prediction.common * exponential(prediction.log - square)
            common += label.common * exponential(label.log - square)
        residual = square + log(elements)
        room = (residual + log(10)) / 2
        return Pull(exponential(residual) / 2, residual - 2 * log(batch), 0.0, residual, room, min(1.0, common))


class HingeLoss(Loss):
    """Only the batch sizes are compared (hinge_loss_layer.cpp)."""

    takes_labels = True
    looks_again = False

    def check(self, layer: LayerSetup) -> None:
        legacy_at_forward(layer, 0)

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        """Sum of max(0, 1 + x), with -x at the label; NaN counts as 0 (hinge_loss_layer.cpp)."""
        x, shape = step.bottoms[0], step.layer.bottoms[0].shape
        rows, classes = (shape[0] or 0, (x.count or 0) // (shape[0] or 1)) if shape else (0, 0)
        if not rows or not x.known or x.low != x.low or x.nan:
            return [scalar(0.0, FLOAT_MAX, known=False)]
        margins = x.map(increasing(lambda a: f32(max(0.0, 1.0 + a))), of_nan=(0.0, 0.0))
        squared = step.layer.param.hinge_loss_param.norm == L2
        costs = margins.map(raised(2.0)) if squared else margins
        # which elements are labels is not known: the others are all but one in each row
        others = rows * max(classes - 1, 0)
        at_label = [f32(max(0.0, 1.0 - x_end)) for x_end in (x.high, x.low)]
        if squared:
            at_label = [f32(cost * cost) for cost in at_label]
        if math.isinf(costs.low) and others:
            return [constant(math.inf, 1)]
        low = costs.low * others + rows * at_label[0]
        high = costs.high * others + rows * at_label[1]
        total = scalar(low, high)
        return [total.map(scaled(1.0 / rows)) if math.isfinite(total.high) else total]

    def pull(self, layer: Layer, prediction: Moment, label: Moment | None) -> Pull | None:
        """Every class misses its margin of 1 while the scores are small."""
        size = sample_size(layer.bottoms[0].shape)
        if size is None:
            return None
        batch, classes = size
        squared = layer.param.hinge_loss_param.norm == layer.param.hinge_loss_param.L2
        slack = log_sum(0.0, prediction.log)
        gradient = log(classes) - 2 * log(batch) + (slack + log(4) if squared else 0.0)
        value = classes * exponential(slack if squared else slack / 2)
        return Pull(value, gradient, log(2) if squared else -inf, log(classes) + slack, None)

    def classes(self, layer: Layer) -> Dim:
        return _numbers_a_row(layer)


class MultinomialLogisticLoss(Loss):
    """One label an example: channels, height and width of the labels are 1
    (multinomial_logistic_loss_layer.cpp).
    """

    logarithmic = True
    takes_labels = True
    looks_again = False

    def check(self, layer: LayerSetup) -> None:
        _ones(layer, 1, (1, 2, 3))
        legacy_at_forward(layer, 0)

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        """-ln(max(p, 1e-20)) of the label's p, averaged (multinomial_logistic_loss_layer.cpp)."""

        def cost(low: float, high: float) -> Image:
            return (_minus_log(high), _minus_log(low), NEVER) if low == low else (math.nan, math.nan, 2)

        rows = rows_of(step)
        costs = step.bottoms[0].bounds(rows).map(cost)
        if costs.low != costs.low:
            return [NAN_LOSS]
        if costs.low == -math.inf == costs.high:
            return [constant(-math.inf, 1)]
        return [scalar(costs.low, costs.high, known=costs.known and not costs.nan)]

    def gradients(self, step: Step) -> list[Value]:
        x, weight = step.bottoms[0], step.grads[0]
        if x.constant is not None and x.constant != x.constant:
            return [Value(0.0, 0.0, True, count=x.count, found=(NAN,))]
        if weight.surely_bad:
            return [anything(x.count).but(nan=True)]
        return [anything(x.count)]

    def pull(self, layer: Layer, prediction: Moment, label: Moment | None) -> Pull | None:
        size = sample_size(layer.bottoms[0].shape)
        if size is None:
            return None
        batch, classes = size
        return Pull(log(classes), 2 * log(classes / batch), 2 * log(classes), 0.0, None)

    def classes(self, layer: Layer) -> Dim:
        return _numbers_a_row(layer)


class ContrastiveLoss(Loss):
    """Pairs of vectors and whether they are alike (contrastive_loss_layer.cpp)."""

    finite = ("contrastive_loss_param.margin",)
    finite_remedy = "write a margin such as 1"
    bottoms = exactly(3)
    looks_again = False

    def prepare(self, layer: LayerSetup) -> None:
        first, second = legacy_shape(layer, 0), legacy_shape(layer, 1)
        if first and second and first[1] is not None and second[1] is not None and first[1] != second[1]:
            raise layer.refuse(
                "shape-mismatch",
                "bottom[1]",
                f"`{layer.name}` compares {layer.bottom(0)} and {layer.bottom(1)}, which have {first[1]} and "
                f"{second[1]} channels, and Caffe aborts; give them the same number",
                related=layer.origins(0, 1),
            )
        _ones(layer, 0, (2, 3))
        _ones(layer, 1, (2, 3))
        _ones(layer, 2, (1, 2, 3))
        if first:
            needs_elements(layer, first[1], "bottom[0]", "the sum over the channels")

    def check(self, layer: LayerSetup) -> None:
        pairs, labels = legacy_shape(layer, 0), legacy_shape(layer, 2)
        if pairs and labels and pairs[0] is not None and labels[0] is not None and labels[0] < pairs[0]:
            layer.report(
                "index-out-of-range",
                "bottom[2]",
                f"`{layer.name}` has {pairs[0]} pairs in {layer.bottom(0)} but {labels[0]} labels in "
                f"{layer.bottom(2)}: Caffe does not check and reads past the end of the labels; give it a "
                "label for each pair",
                effect=Effect.MEMORY_ERROR,
                related=layer.origins(0, 2),
            )

    def may_propagate(self, bottom: int) -> bool:
        return bottom != 2

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return False

    def values(self, step: Step) -> list[Value]:
        """Alike pairs cost d², others max(margin - d, 0)² (contrastive_loss_layer.cpp)."""
        param, rows = step.layer.param.contrastive_loss_param, rows_of(step)
        squares = combine(step.bottoms[0], step.bottoms[1], minus).map(raised(2.0))
        if squares.surely_nan:
            return [NAN_LOSS]
        if len(step.bottoms) < 3 or not rows or not squares.known or not step.bottoms[0].count:
            return [anything(1)]
        distances = summed(squares, step.bottoms[0].count // rows, rows)
        alike = step.bottoms[2].constant
        costs = distances
        if alike is None or (alike == alike and math.isfinite(alike) and int(alike) == 0):
            margin = f32(param.margin)
            if margin != margin or margin == math.inf:
                loss = constant(margin if margin != margin else math.inf, 1)
                return [loss if alike is not None and distances.finite else anything(1)]
            gap = distances.map(_gap(margin, param.legacy_version))
            either = Value(min(gap.low, distances.low), max(gap.high, distances.high), count=rows)
            costs = gap if alike is not None else either
        total = summed(costs, rows, 1)
        return [total.map(scaled(0.5 / rows))]


def _same_count(layer: LayerSetup, start: int) -> None:
    """Refusal where the bottoms differ in how many numbers their axes from `start` on hold."""
    one, other = (count(layer.bottoms[i].shape, start) for i in (0, 1))
    if one is not None and other is not None and one != other:
        each = " for each example" if start else ""
        raise layer.refuse(
            "shape-mismatch",
            "bottom[1]",
            f"`{layer.name}` compares {one} numbers of {layer.bottom(0)} with {other} of "
            f"{layer.bottom(1)}{each}, and Caffe aborts; give both the same number",
            related=layer.origins(0, 1),
        )


def _ones(layer: LayerSetup, index: int, axes: tuple[int, ...]) -> None:
    """Refusal where one of the axes of a bottom has not size 1 (missing axes count as 1)."""
    sizes = legacy_shape(layer, index)
    if sizes is None:
        return
    for axis in axes:
        if sizes[axis] not in (None, 1):
            raise layer.refuse(
                "shape-mismatch",
                f"bottom[{index}]",
                f"`{layer.name}` wants size 1 along axis {axis} of {layer.bottom(index)}, which has "
                f"{sizes[axis]}, and Caffe aborts; reshape it, or take another loss",
                related=layer.origins(index),
            )


def _cross_entropy(x: Interval, target: Interval) -> Image:
    """max(x, 0) - x t + ln(1 + exp(-|x|)); infinite x gives NaN."""
    if x[0] != x[0] or target[0] != target[0] or (math.isinf(x[0]) and x[0] == x[1]):
        return math.nan, math.nan, 2
    if any(math.isinf(end) for end in (*x, *target)):
        return -math.inf, math.inf, 1
    ends = [f32(max(a, 0.0) - a * t + math.log1p(math.exp(-abs(a)))) for a in x for t in target]
    low, high = min(ends), max(ends)
    if x[0] < 0 < x[1]:
        low, high = min(low, 0.0), max(high, math.log(2.0))
    return low, high, NEVER


def _averaged(sums: Value, most: int | None) -> Value:
    """A sum divided by a normaliser from 1 to `most`; an infinite sum stays so."""
    if not most or sums.low != sums.low:
        return sums
    low = min(sums.low, sums.low / most) if math.isfinite(sums.low) else sums.low
    high = max(sums.high, sums.high / most) if math.isfinite(sums.high) else sums.high
    found = tuple(interval for interval in sums.found if not is_finite(interval[0]) and interval[0] != -math.inf)
    return Value(low, high, sums.nan, sums.known, 1, found=found)


def _minus_log(p: float) -> float:
    return -math.inf if p == math.inf else -math.log(max(p, 1e-20))


def _gap(margin: float, legacy: bool) -> Map:
    def at(square: float) -> float:
        near = f32(max(margin - (square if legacy else math.sqrt(square)), 0.0))
        return near if legacy else f32(near * near)

    def image(low: float, high: float) -> Image:
        return (at(max(high, 0.0)), at(max(low, 0.0)), NEVER) if low == low else (math.nan, math.nan, 2)

    return image


def _numbers_a_row(layer: Layer) -> Dim:
    shape, number = layer.bottoms[0].shape, layer.bottoms[0].count
    return number // shape[0] if shape and number and shape[0] else None

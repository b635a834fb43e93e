"""Loss layers: what keeps them finite (their floors), and what does not."""

from __future__ import annotations

import math

from nanlint.caffe.transfer import Step, backward, forward
from nanlint.caffe.transfer.reductions import summed
from nanlint.caffe.transfer.softmax import bad_for_softmax
from nanlint.numbers.combining import combine
from nanlint.numbers.draws import anything, constant
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import (
    NEVER,
    Image,
    Interval,
    Map,
    increasing,
    is_finite,
    plus,
    raised,
    scaled,
    times,
)
from nanlint.numbers.values import NAN, Value

SOFTMAX_FLOOR = 87.34
"""-ln FLT_MIN: the most that SoftmaxWithLoss gives a label."""
LOG_FLOOR = 46.06
"""-ln 1e-20, kLOG_THRESHOLD of loss_layer.hpp."""
L2 = 2


def _scalar(low: float, high: float, *, known: bool = True) -> Value:
    return Value(f32(low), f32(high), known=known, count=1, number=1)


_NAN_LOSS = Value(math.nan, math.nan, True, True, 1, found=(NAN,))


def _perhaps(x: Value) -> Value:
    """A loss of scores that may not be finite."""
    return Value(-math.inf, math.inf, True, x.known, 1)


def minus(one: Interval, other: Interval) -> Image:
    return plus(one, (-other[1], -other[0]))


def _rows(step: Step) -> int | None:
    shape = step.layer.bottoms[0].shape
    return shape[0] if shape else None


@forward("SoftmaxWithLoss")
def softmax_loss(step: Step) -> list[Value]:
    if bad_for_softmax(step.bottoms[0]):
        return [_NAN_LOSS]
    items = step.bottoms[1].count if len(step.bottoms) > 1 else None
    if step.bottoms[0].may_be_bad:
        return [_perhaps(step.bottoms[0])]
    # without normalisation every label adds its loss
    return [_scalar(0.0, SOFTMAX_FLOOR * (items or 1), known=items is not None)]


@backward("SoftmaxWithLoss", "InfogainLoss")
def softmax_loss_gradient(step: Step) -> list[Value]:
    """(p - 1) times the weight, which a NaN weight makes 0 (softmax_loss_layer.cpp, caffe_scal)."""
    x, weight = step.bottoms[0], step.grads[0]
    if bad_for_softmax(x) or (step.tops and step.tops[0].surely_nan):
        return [Value(0.0, 0.0, True, count=x.count, found=(NAN,))]
    if x.may_be_bad:
        return [Value(-FLOAT_MAX, FLOAT_MAX, True, x.known, x.count)]
    if weight.constant is not None and step.layer.type == "SoftmaxWithLoss":
        return [Value(-1.0, 1.0, count=x.count).map(scaled(weight.constant))]
    return [anything(x.count)]


@forward("EuclideanLoss")
def euclidean_loss(step: Step) -> list[Value]:
    """Half the sum of squared differences over the batch size (euclidean_loss_layer.cpp)."""
    squares = combine(step.bottoms[0], step.bottoms[1], minus).map(raised(2.0))
    sums = summed(squares, step.bottoms[0].count, 1)
    rows = _rows(step)
    return [sums.map(scaled(0.5 / rows))] if rows else [anything(1).but(nan=sums.nan, found=sums.found)]


@backward("EuclideanLoss")
def euclidean_loss_gradient(step: Step) -> list[Value]:
    rows = _rows(step)
    difference = combine(step.bottoms[0], step.bottoms[1], minus)
    if not rows or step.grads[0].constant is None:
        nan = difference.surely_nan
        return [anything(x.count).but(nan=nan, found=(NAN,) if nan else ()) for x in step.bottoms]
    alpha = f32(step.grads[0].constant / rows)
    grad = combine(difference, constant(alpha, difference.count), times)
    if alpha == 0:
        grad = constant(0.0, grad.count)
    return [grad, grad.map(scaled(-1.0))]


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


@forward("SigmoidCrossEntropyLoss")
def sigmoid_loss(step: Step) -> list[Value]:
    x, target = step.bottoms[0], step.bottoms[1]
    terms = combine(x, target, _cross_entropy)
    return [_averaged(summed(terms, x.count, 1), x.count)]


def _averaged(sums: Value, most: int | None) -> Value:
    """A sum divided by a normaliser from 1 to `most`; an infinite sum stays so."""
    if most is None or sums.low != sums.low:
        return sums
    low = min(sums.low, sums.low / most) if math.isfinite(sums.low) else sums.low
    high = max(sums.high, sums.high / most) if math.isfinite(sums.high) else sums.high
    found = tuple(interval for interval in sums.found if not is_finite(interval[0]) and interval[0] != -math.inf)
    return Value(low, high, sums.nan, sums.known, 1, found=found)


@forward("HingeLoss")
def hinge_loss(step: Step) -> list[Value]:
    """Sum of max(0, 1 + x), with -x at the label; NaN counts as 0 (hinge_loss_layer.cpp)."""
    x, shape = step.bottoms[0], step.layer.bottoms[0].shape
    rows, classes = (shape[0] or 0, (x.count or 0) // (shape[0] or 1)) if shape else (0, 0)
    if not rows or not x.known or x.low != x.low or x.nan:
        return [_scalar(0.0, FLOAT_MAX, known=False)]
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
    total = _scalar(low, high)
    return [total.map(scaled(1.0 / rows)) if math.isfinite(total.high) else total]


@forward("MultinomialLogisticLoss")
def logistic_loss(step: Step) -> list[Value]:
    """-ln(max(p, 1e-20)) of the label's p, averaged (multinomial_logistic_loss_layer.cpp)."""

    def cost(low: float, high: float) -> Image:
        return (_minus_log(high), _minus_log(low), NEVER) if low == low else (math.nan, math.nan, 2)

    rows = _rows(step)
    costs = step.bottoms[0].bounds(rows).map(cost)
    if costs.low != costs.low:
        return [_NAN_LOSS]
    if costs.low == -math.inf == costs.high:
        return [constant(-math.inf, 1)]
    return [_scalar(costs.low, costs.high, known=costs.known and not costs.nan)]


def _minus_log(p: float) -> float:
    return -math.inf if p == math.inf else -math.log(max(p, 1e-20))


@backward("MultinomialLogisticLoss")
def logistic_loss_gradient(step: Step) -> list[Value]:
    x, weight = step.bottoms[0], step.grads[0]
    if x.constant is not None and x.constant != x.constant:
        return [Value(0.0, 0.0, True, count=x.count, found=(NAN,))]
    if weight.surely_bad:
        return [anything(x.count).but(nan=True)]
    return [anything(x.count)]


@forward("InfogainLoss")
def infogain_loss(step: Step) -> list[Value]:
    """Sum over the classes of -H[label][class] ln(max(p, 1e-20)), averaged (infogain_loss_layer.cpp)."""
    x = step.bottoms[0]
    if bad_for_softmax(x):
        return [_NAN_LOSS]
    if x.may_be_bad:
        return [_perhaps(x)]
    matrix = step.bottoms[2] if len(step.bottoms) > 2 else None
    shape = step.layer.bottoms[0].shape
    axis = step.layer.param.softmax_param.axis
    labels = step.bottoms[1].count
    classes = shape[axis] if shape and -len(shape) <= axis < len(shape) else None
    if matrix is None or not matrix.known or not classes or not labels:
        return [anything(1)]
    if matrix.low != matrix.low:
        return [_NAN_LOSS]
    # -ln p over the classes adds up to at least classes * ln(classes)
    least, most = classes * math.log(classes), classes * LOG_FLOOR
    if matrix.constant is not None and math.isinf(matrix.constant):
        return [constant(matrix.constant, 1)]
    ends = [bound * share * labels for bound in (matrix.low, matrix.high) for share in (least, most)]
    if matrix.low < 0:
        ends.append(0.0)
    summed_up = _scalar(min(ends), max(ends))
    return [summed_up.map(scaled(1.0 / labels))]


@forward("ContrastiveLoss")
def contrastive_loss(step: Step) -> list[Value]:
    """Alike pairs cost d², others max(margin - d, 0)² (contrastive_loss_layer.cpp)."""
    param, rows = step.layer.param.contrastive_loss_param, _rows(step)
    squares = combine(step.bottoms[0], step.bottoms[1], minus).map(raised(2.0))
    if squares.surely_nan:
        return [_NAN_LOSS]
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
        costs = (
            gap if alike is not None else Value(min(gap.low, distances.low), max(gap.high, distances.high), count=rows)
        )
    total = summed(costs, rows, 1)
    return [total.map(scaled(0.5 / rows))]


def _gap(margin: float, legacy: bool) -> Map:
    def at(square: float) -> float:
        near = f32(max(margin - (square if legacy else math.sqrt(square)), 0.0))
        return near if legacy else f32(near * near)

    def image(low: float, high: float) -> Image:
        return (at(max(high, 0.0)), at(max(low, 0.0)), NEVER) if low == low else (math.nan, math.nan, 2)

    return image

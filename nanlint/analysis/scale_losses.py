"""What each loss is at the first iteration, how hard it pulls on its prediction, and how curved it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, isfinite, log, sqrt
from typing import NamedTuple, TypeAlias

from nanlint.caffe.model import Dim, Layer, Shape, count
from nanlint.numbers.moments import Moment, exponential, log_sum, logarithm

SATURATED = 87.3365
"""-ln of the smallest normal float32: the largest value of SoftmaxWithLoss for one sample."""


class Pull(NamedTuple):
    """A loss without its weight, for predictions at initialisation.

    `value`: the loss; None where it is unknown (labels or targets that nobody has seen).
    `log_gradient`: ln of |dL/df|^2 over the elements of one sample; None where it is unknown.
    `log_curvature`: ln of the second derivative along the steepest direction, times the batch size.
    `log_residual`: ln of the squared distance, over one sample's elements, by which predictions miss.
    `log_room`: ln of how far, in the same measure, predictions must move for ten times the loss; inf
    where a clamp keeps it below.
    `common`: the share of the gradient that samples have in common.
    """

    value: float | None
    log_gradient: float | None
    log_curvature: float
    log_residual: float | None
    log_room: float | None
    common: float = 0.0


class Loss(NamedTuple):
    """One weighted top of a net, and the pull of its layer on bottom 0."""

    layer: Layer
    top: int
    weight: float
    pull: Pull

    @property
    def value(self) -> float | None:
        """The expected first value, weighted."""
        return None if self.pull.value is None else self.weight * self.pull.value

    @property
    def log_gradient(self) -> float | None:
        if self.pull.log_gradient is None:
            return None
        return self.pull.log_gradient + 2 * logarithm(abs(self.weight))

    @property
    def log_curvature(self) -> float:
        return self.pull.log_curvature + logarithm(abs(self.weight))


Measure: TypeAlias = "Callable[[Layer, Moment, Moment | None], Pull | None]"


def losses(layers: Sequence[Layer], moment_of: Callable[[Layer, int], Moment | None]) -> list[Loss]:
    """The weighted losses whose predictions have a known scale; `moment_of(layer, bottom)` says which."""
    found = []
    for layer in layers:
        for top, weight in enumerate(layer.loss_weights):
            measure = LOSSES.get(layer.type) if top == 0 else None
            if not weight or not isfinite(weight) or measure is None or not layer.bottoms:
                continue
            prediction = moment_of(layer, 0)
            label = moment_of(layer, 1) if len(layer.bottoms) > 1 else None
            pull = measure(layer, prediction, label) if prediction is not None else None
            if pull is not None:
                found.append(Loss(layer, top, weight, pull))
    return found


def weighs(layer: Layer) -> list[tuple[int, float]]:
    """The tops of a layer that count as a loss, with their weights."""
    return [(top, weight) for top, weight in enumerate(layer.loss_weights) if weight]


def normalization(layer: Layer) -> str:
    """VALID, FULL, BATCH_SIZE or NONE, as LayerSetUp chooses (softmax_loss_layer.cpp and its sigmoid kin)."""
    param = layer.param.loss_param
    if param.HasField("normalization"):
        return {param.FULL: "FULL", param.BATCH_SIZE: "BATCH_SIZE", param.NONE: "NONE"}.get(
            param.normalization, "VALID"
        )
    if param.HasField("normalize"):
        return "VALID" if param.normalize else "BATCH_SIZE"
    return "BATCH_SIZE" if layer.type == "SigmoidCrossEntropyLoss" else "VALID"


def _divisor(layer: Layer, batch: int, elements: int) -> int:
    """What the sum over `batch` x `elements` terms is divided by."""
    return {"BATCH_SIZE": batch, "NONE": 1}.get(normalization(layer), batch * elements)


def _softmax(layer: Layer, logits: Moment, label: Moment | None) -> Pull | None:
    """Cross entropy of normal logits: ln C + v/2, and sqrt(2 v ln C) where one class outweighs the rest."""
    shape, axis = layer.bottoms[0].shape, layer.param.softmax_param.axis
    if shape is None or not -len(shape) <= axis < len(shape):
        return None
    axis %= len(shape)
    outer, classes, inner = count(shape, 0, axis), shape[axis], count(shape, axis + 1)
    batch = shape[0] if axis else 1
    if not outer or not classes or not inner or not batch:
        return None
    maps = outer // batch * inner
    divisor = outer if normalization(layer) == "BATCH_SIZE" else _divisor(layer, batch, maps)
    variance = exponential(logits.log + logarithm(1 - logits.mean))
    entropy = log(classes)
    gap = sqrt(2 * variance * entropy)
    each = min(SATURATED, entropy + variance / 2 if variance < 2 * entropy else gap)
    steep = variance / (variance + 4) if variance < inf else 1.0
    gradient = (1 - 1 / classes) * (1 + steep) if classes > 1 else 0.0
    curvature = 1 / classes + max(0.0, 0.5 - 1 / classes) * steep if classes > 1 else 0.0
    return Pull(
        each * batch * maps / divisor,
        logarithm(gradient * maps) - 2 * log(divisor),
        logarithm(curvature * batch / divisor),
        logarithm(maps),
        logarithm(10 * each) + log(maps) / 2 if 10 * each < SATURATED else inf,
        1.0 if _constant(label) else 0.0,
    )


def _sigmoid(layer: Layer, logits: Moment, target: Moment | None) -> Pull | None:
    size = _size(layer.bottoms[0].shape)
    if size is None:
        return None
    batch, elements = size
    divisor = _divisor(layer, batch, elements)
    root = exponential(logits.log / 2)
    steep = root / (root + 2) if root < inf else 1.0
    each = sqrt(log(2) ** 2 + (0.4 * root) ** 2) if root < 1e150 else inf
    return Pull(
        each * batch * elements / divisor,
        logarithm((1 + steep) / 4 * elements) - 2 * log(divisor),
        logarithm(batch / divisor / 4),
        logarithm(elements),
        logarithm(10 * each) + log(elements) / 2,
        1.0 if _constant(target) else 0.0,
    )


def _euclidean(layer: Layer, prediction: Moment, target: Moment | None) -> Pull | None:
    """Half the squared distance, over the batch size alone (euclidean_loss_layer.cpp)."""
    size = _size(layer.bottoms[0].shape)
    if size is None:
        return None
    batch, elements = size
    if target is None:
        return Pull(None, None, 0.0, None, None)
    square = log_sum(prediction.log, target.log)
    common = 0.0
    if square > -inf:
        common = prediction.common * exponential(prediction.log - square)
        common += target.common * exponential(target.log - square)
    residual = square + log(elements)
    room = (residual + log(10)) / 2
    return Pull(exponential(residual) / 2, residual - 2 * log(batch), 0.0, residual, room, min(1.0, common))


def _hinge(layer: Layer, scores: Moment, label: Moment | None) -> Pull | None:
    """Every class misses its margin of 1 while the scores are small."""
    size = _size(layer.bottoms[0].shape)
    if size is None:
        return None
    batch, classes = size
    squared = layer.param.hinge_loss_param.norm == layer.param.hinge_loss_param.L2
    slack = log_sum(0.0, scores.log)
    gradient = log(classes) - 2 * log(batch) + (slack + log(4) if squared else 0.0)
    value = classes * exponential(slack if squared else slack / 2)
    return Pull(value, gradient, log(2) if squared else -inf, log(classes) + slack, None)


def _multinomial(layer: Layer, probabilities: Moment, label: Moment | None) -> Pull | None:
    size = _size(layer.bottoms[0].shape)
    if size is None:
        return None
    batch, classes = size
    return Pull(log(classes), 2 * log(classes / batch), 2 * log(classes), 0.0, None)


def _size(shape: Shape) -> tuple[int, int] | None:
    """The batch size, and how many elements one sample has."""
    batch: Dim = shape[0] if shape else None
    elements = count(shape, 1) if shape else None
    return (batch, elements) if batch and elements else None


def _constant(moment: Moment | None) -> bool:
    return moment is not None and moment.common > 0.999


LOSSES: dict[str, Measure] = {
    "EuclideanLoss": _euclidean,
    "HingeLoss": _hinge,
    "InfogainLoss": _softmax,
    "MultinomialLogisticLoss": _multinomial,
    "SigmoidCrossEntropyLoss": _sigmoid,
    "SoftmaxWithLoss": _softmax,
}

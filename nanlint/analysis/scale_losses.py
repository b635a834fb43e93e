"""What each loss is at the first iteration, how hard it pulls on its prediction, and how curved it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import NamedTuple

from nanlint.caffe.layers.pull import Pull
from nanlint.caffe.model import Layer
from nanlint.numbers.moments import Moment, logarithm


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


def losses(layers: Sequence[Layer], moment_of: Callable[[Layer, int], Moment | None]) -> list[Loss]:
    """The weighted losses whose predictions have a known scale; `moment_of(layer, bottom)` says which."""
    found = []
    for layer in layers:
        for top, weight in enumerate(layer.loss_weights):
            if not weight or not isfinite(weight) or top or not layer.bottoms:
                continue
            prediction = moment_of(layer, 0)
            label = moment_of(layer, 1) if len(layer.bottoms) > 1 else None
            pull = layer.facts.pull(layer, prediction, label) if prediction is not None else None
            if pull is not None:
                found.append(Loss(layer, top, weight, pull))
    return found


def weighs(layer: Layer) -> list[tuple[int, float]]:
    """The tops of a layer that count as a loss, with their weights."""
    return [(top, weight) for top, weight in enumerate(layer.loss_weights) if weight]

"""The losses of a miniature, worth and pulling as much as those of the net."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from nanlint.analysis.miniature.parts import Distance, Part, SoftmaxLoss
from nanlint.analysis.miniature.size import UnsupportedError
from nanlint.caffe.layers.pull import normalization
from nanlint.caffe.model import Blob, Layer, count

if TYPE_CHECKING:
    from nanlint.analysis.miniature.build import Miniature

Make: TypeAlias = "Callable[[Miniature, Layer], Part]"


def _softmax(mini: Miniature, layer: Layer) -> Part:
    """One position stands for many: its gradient grows with the root of their number, as independent ones do."""
    bottom = layer.bottoms[0]
    positions, scores = mini.sizes[bottom]
    maps = count(bottom.shape, 2) or 1
    whole = mini.full_batch * maps
    divisor = {"BATCH_SIZE": mini.full_batch, "NONE": 1}.get(normalization(layer), whole)
    weight = layer.loss_weights[0] * mini.full_batch / mini.batch / divisor
    chance = weight * maps * mini.batch * math.log(max(2, scores))
    return SoftmaxLoss(bottom, weight * maps / positions, weight * math.sqrt(maps / positions), chance)


def _euclidean(mini: Miniature, layer: Layer) -> Part:
    return _distance(mini, layer, layer.loss_weights[0] / mini.batch, logistic=False)


def _logistic(mini: Miniature, layer: Layer) -> Part:
    elements = count(layer.bottoms[0].shape, 1) or 1
    divisor = {"BATCH_SIZE": 1.0, "NONE": 1 / mini.full_batch}.get(normalization(layer), float(elements))
    return _distance(mini, layer, layer.loss_weights[0] / mini.batch / divisor, logistic=True)


def _distance(mini: Miniature, layer: Layer, weight: float, *, logistic: bool) -> Part:
    bottom, target = layer.bottoms[0], layer.bottoms[1]
    if target not in mini.sizes:
        _labels(mini, target)
    positions, units = mini.sizes[bottom]
    elements = count(bottom.shape, 1) or positions * units
    return Distance(bottom, target, weight * elements / (positions * units), weight, logistic)


def _labels(mini: Miniature, target: Blob) -> None:
    """The class of a sample as a number of the scale of the targets."""
    moment = mini.scale.moment(target)
    if moment is None:
        raise UnsupportedError(f"how large the targets in `{target.name}` are is not known")
    size = min(moment.rms, 1e30)
    classes = mini.classes.astype(np.float32)
    apart = (classes - classes.mean()) / (float(classes.std()) or 1.0)
    values = size * (math.sqrt(moment.mean) + math.sqrt(1 - moment.mean) * apart)
    mini.sources[target] = values.astype(np.float32)[:, None, None]
    mini.sizes[target] = (1, 1)


LOSSES: dict[str, Make] = {
    "EuclideanLoss": _euclidean,
    "SigmoidCrossEntropyLoss": _logistic,
    "SoftmaxWithLoss": _softmax,
}

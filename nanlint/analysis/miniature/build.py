"""The miniature of a training net: how many units and positions stand for each layer, and what makes up for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nanlint.analysis.miniature.losses import LOSSES
from nanlint.analysis.miniature.parts import Array, Distance, Part, Product, SoftmaxLoss, Weight
from nanlint.analysis.miniature.size import CLASSES, POSITIONS, UNITS, UnsupportedError, positions_of
from nanlint.analysis.miniature.unlearned import PARTS
from nanlint.analysis.optimiser import ADAPTIVE
from nanlint.analysis.scale import Scale, scale_of
from nanlint.caffe.initial import initial_moment
from nanlint.caffe.model import Blob, Layer, LearnedParam, Net, count
from nanlint.caffe.solver import solver_type

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import SolverParameter

MOST_LAYERS = 600
"""ResNet-152 has 514; a trial of it takes some seconds."""
SAMPLES = 512
"""As many as a run of 60 iterations of 8 draws; of fewer a miniature learns each by heart."""
BATCH = 32
"""Samples of an iteration; a larger batch has so little noise that it decides nothing."""
DISTINCT = 0.2
"""The share of the variance between samples that goes with their class."""
LARGEST_LOG = 60.0
"""Beyond this ln E[w^2], or that of the data, nothing is left to try in 32-bit floats."""


class Miniature:
    """Parts in the order of their layers, their weights, and a pool of samples."""

    def __init__(self, net: Net, param: SolverParameter, lanes: int, seed: int) -> None:
        self.net, self.scale, self.lanes = net, scale_of(net), lanes
        self.adaptive = solver_type(param) in ADAPTIVE
        self.random = np.random.RandomState(seed)
        self.parts: list[Part] = []
        self.weights: list[Weight] = []
        self.sources: dict[Blob, Array] = {}
        self.sizes: dict[Blob, tuple[int, int]] = {}
        self.flat = _flat(self.scale)
        self.full_batch = _batch(net)
        needed = _needed(net)
        if len(needed) > MOST_LAYERS:
            raise UnsupportedError(f"a trial of {len(needed)} layers takes too long")
        self.batch = min(BATCH, self.full_batch * max(1, param.iter_size))
        self.classes: np.ndarray[Any, np.dtype[np.int64]] = self.random.randint(0, _classes(net), SAMPLES)
        for layer in needed:
            self._add(layer)
        if not any(layer.type in LOSSES and any(layer.loss_weights) for layer in net.layers):
            raise UnsupportedError("the net has no loss that could be tried")

    @property
    def chance(self) -> float:
        """The loss of a net that tells no class from another; inf where a loss is none of classes."""
        losses = [part for part in self.parts if isinstance(part, SoftmaxLoss | Distance)]
        return sum(part.chance if isinstance(part, SoftmaxLoss) else math.inf for part in losses)

    def _add(self, layer: Layer) -> None:
        if not layer.bottoms:
            for blob in layer.tops:
                self._source(blob)
        elif layer.facts.multiplies:
            self._product(layer)
        elif layer.type in LOSSES:
            if any(layer.loss_weights):
                self._check_sources(layer)
                self.parts.append(LOSSES[layer.type](self, layer))
        elif layer.type in PARTS:
            self._check_sources(layer)
            self.parts.extend(PARTS[layer.type](self, layer))
        elif any(layer.loss_weights) or any(blob.consumers for blob in layer.tops):
            raise UnsupportedError(f"what `{layer.type}` does is not part of the estimate")

    def _check_sources(self, layer: Layer) -> None:
        for blob in layer.bottoms[: 1 if layer.type in LOSSES else None]:
            if blob not in self.sizes:
                raise UnsupportedError(f"how large the values of `{blob.name}` are is not known")

    def _source(self, blob: Blob) -> None:
        """Samples of a class have something in common, samples of a batch too."""
        moment = self.scale.moment(blob)
        if moment is None or all(index for _, index in blob.consumers):
            return
        if not moment.log < LARGEST_LOG:
            raise UnsupportedError(f"the values of `{blob.name}` are beyond all measure")
        positions = positions_of(blob.shape)
        units = min(UNITS, (count(blob.shape, 1) if positions == 1 else None) or UNITS)
        size = math.exp(moment.log / 2)
        mean = min(moment.mean, moment.common)
        draw = self.random.randn
        alike = math.sqrt(mean) + math.sqrt(moment.common - mean) * draw(positions, units)
        apart = 1 - moment.common
        of_class = draw(self.classes.max() + 1, positions, units)[self.classes]
        own = draw(SAMPLES, positions, units)
        made = alike + math.sqrt(apart * DISTINCT) * of_class + math.sqrt(apart * (1 - DISTINCT)) * own
        self.sources[blob] = (size * made).astype(np.float32)
        self.sizes[blob] = (positions, units)

    def learned(self, values: Any, speed: float, param: LearnedParam) -> Weight:
        """A blob of weights, the same in every lane at first; shared and frozen ones stay as they are."""
        still = param.owner is not None
        array = np.repeat(np.asarray(values, np.float32)[None], self.lanes, 0)
        weight = Weight(array, speed, 0.0 if still else param.lr_mult, param.decay_mult)
        self.weights.append(weight)
        return weight

    def agreement(self, blob: Blob, positions: int, share: float) -> float:
        """How much more the positions of a map, than those that stand for it, add up where they agree."""
        whole = count(blob.shape, 2) or POSITIONS
        return (1 + (whole - 1) * share) / (1 + (positions - 1) * share)

    def _product(self, layer: Layer) -> None:
        """Convolution and InnerProduct with `inputs` in place of fan_in: E[w^2] and the rate grow as much.

        `returned`: the largest curvature goes with (1 + sqrt(outputs / fan_in))^2 of random weights
        (Marchenko and Pastur), which is more where few units stand for many.
        """
        bottom, top = layer.bottoms[0], layer.tops[0]
        weights, fan = initial_moment(layer), layer.facts.fan_in(layer)
        outputs = _outputs(layer)
        if bottom not in self.sizes or weights is None or not fan or not outputs:
            raise UnsupportedError(f"how many inputs `{layer.name}` has, or how large they are, is not known")
        if weights.log > LARGEST_LOG:
            raise UnsupportedError(f"the fillers of `{layer.name}` are beyond all measure")
        held, units = self.sizes[bottom]
        joined = layer.type == "InnerProduct"
        inputs = held * units if joined else units
        scored = any(reader.loss_weights and any(reader.loss_weights) for reader, _ in top.consumers)
        made = min(outputs, CLASSES if scored else UNITS)
        positions = 1 if joined else positions_of(top.shape)
        grow = fan / inputs
        square = math.exp(weights.log) * grow
        mean = math.sqrt(square * weights.mean * grow)
        deviation = math.sqrt(max(0.0, square * (1 - weights.mean)))
        drawn = mean + deviation * self.random.randn(inputs, made)
        flat, moment = self.flat.get(top, 0.0), self.scale.moment(bottom)
        common = moment.common if moment is not None else 0.0
        one = 1.0 if self.adaptive or joined else self.agreement(top, positions, flat * common)
        weight = self.learned(drawn, grow * one, layer.params[0])
        bias = None
        if len(layer.params) > 1:
            level = initial_moment(layer, 1)
            start = math.exp(min(LARGEST_LOG, level.log) / 2) if level is not None and level.log > -1e3 else 0.0
            speed = 1.0 if self.adaptive or joined else self.agreement(top, positions, flat)
            bias = self.learned(np.full((1, made), start), speed, layer.params[1])
        returned = ((1 + math.sqrt(outputs / fan)) / (1 + math.sqrt(made / inputs))) ** 2
        self.sizes[top] = (positions, made)
        propagates = not layer.propagates or layer.propagates[0]
        self.parts.append(Product(bottom, top, weight, bias, joined, positions, returned, propagates))


def _outputs(layer: Layer) -> int | None:
    """Units of the top of a layer with weights."""
    shape = layer.tops[0].shape
    return shape[1] if shape is not None and len(shape) > 1 else None


def _needed(net: Net) -> Sequence[Layer]:
    """The layers on whose tops a loss rests."""
    wanted: set[Blob] = set()
    kept = []
    for layer in reversed(net.layers):
        if any(layer.loss_weights) or any(blob in wanted for blob in layer.tops):
            kept.append(layer)
            wanted.update(layer.bottoms)
    return kept[::-1]


def _flat(scale: Scale) -> dict[Blob, float]:
    """The share of the gradient at each blob that the positions of its map have in common."""
    flat: dict[Blob, float] = {}
    for reached in scale.gradients:
        for blob, gradient in reached.items():
            flat[blob] = max(flat.get(blob, 0.0), gradient.flat)
    return flat


def _batch(net: Net) -> int:
    shape = next((blob.shape for layer in net.layers if not layer.bottoms for blob in layer.tops), None)
    if not shape or not shape[0]:
        raise UnsupportedError("the size of a batch is not known")
    return shape[0]


def _classes(net: Net) -> int:
    found = [
        blob.shape[1]
        for layer in net.layers
        if layer.type == "SoftmaxWithLoss" and layer.bottoms
        for blob in layer.bottoms[:1]
        if blob.shape and len(blob.shape) > 1
    ]
    return max(2, min([CLASSES, *(size for size in found if size)]))

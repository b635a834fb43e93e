"""The parts of a miniature: what a layer does to arrays of lanes x samples x positions x units, and back.

A lane is one rate under one seed; all lanes see the same samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np

from nanlint.caffe.model import Blob

Array: TypeAlias = "np.ndarray[Any, np.dtype[np.floating[Any]]]"
Forward: TypeAlias = "Callable[[Array], Array]"
Backward: TypeAlias = "Callable[[Array, Array, Array], Array]"
"""(gradient of the top, bottom, top) to the gradient of the bottom."""

SMALLEST = 1.1754944e-38
"""SoftmaxWithLoss takes the logarithm of no smaller probability (softmax_loss_layer.cpp)."""


@dataclass
class Weight:
    """One learned blob: lanes x inputs x units. `speed`: how much faster than in the net its rate lets it move."""

    values: Array
    speed: float
    lr_mult: float
    decay_mult: float
    gradient: Array = field(init=False)
    first: Array = field(init=False)
    second: Array = field(init=False)

    def __post_init__(self) -> None:
        self.gradient, self.first, self.second = (np.zeros_like(self.values) for _ in range(3))


@dataclass
class Pass:
    """One iteration: arrays and gradients by blob, the class of each sample, the losses of the lanes."""

    values: dict[Blob, Array]
    classes: np.ndarray[Any, np.dtype[np.int64]]
    losses: np.ndarray[Any, np.dtype[np.float64]]
    gradients: dict[Blob, Array] = field(default_factory=dict)

    def add(self, blob: Blob, gradient: Array) -> None:
        held = self.gradients.get(blob)
        self.gradients[blob] = gradient if held is None else held + gradient


class Part(Protocol):
    """What one layer does in a pass."""

    def forward(self, run: Pass) -> None: ...

    def backward(self, run: Pass) -> None: ...


@dataclass
class Pointwise:
    """A layer without weights, with one bottom."""

    bottom: Blob
    top: Blob
    there: Forward
    back: Backward

    def forward(self, run: Pass) -> None:
        run.values[self.top] = self.there(run.values[self.bottom])

    def backward(self, run: Pass) -> None:
        gradient = run.gradients.get(self.top)
        if gradient is not None:
            run.add(self.bottom, self.back(gradient, run.values[self.bottom], run.values[self.top]))


@dataclass
class Product:
    """Convolution and InnerProduct: `joined` makes one row of all positions. `returned` scales the way back."""

    bottom: Blob
    top: Blob
    weight: Weight
    bias: Weight | None
    joined: bool
    positions: int
    returned: float
    propagates: bool

    def forward(self, run: Pass) -> None:
        rows = self._rows(run.values[self.bottom])
        made = np.matmul(rows, self.weight.values)
        if self.bias is not None:
            made = made + self.bias.values
        lanes, samples = run.values[self.bottom].shape[:2]
        run.values[self.top] = made.reshape(lanes, samples, self.positions, -1)

    def _rows(self, bottom: Array) -> Array:
        if not self.joined:
            held = bottom.shape[2]
            if self.positions > held:
                bottom = np.repeat(bottom, -(-self.positions // held), 2)
            bottom = bottom[:, :, : self.positions]
        return bottom.reshape(bottom.shape[0], -1, self.weight.values.shape[1])

    def backward(self, run: Pass) -> None:
        gradient = run.gradients.get(self.top)
        if gradient is None:
            return
        bottom = run.values[self.bottom]
        rows = gradient.reshape(gradient.shape[0], -1, gradient.shape[3])
        self.weight.gradient += np.matmul(self._rows(bottom).transpose(0, 2, 1), rows)
        if self.bias is not None:
            self.bias.gradient += rows.sum(1, keepdims=True)
        if self.propagates:
            sent = np.matmul(rows, self.weight.values.transpose(0, 2, 1)) * np.float32(self.returned)
            run.add(self.bottom, self._unrow(sent, bottom))

    def _unrow(self, sent: Array, bottom: Array) -> Array:
        if self.joined:
            return sent.reshape(bottom.shape)
        held, units = bottom.shape[2:]
        sent = sent.reshape(*bottom.shape[:2], self.positions, units)
        folded = np.zeros_like(bottom)
        for index in range(self.positions):
            folded[:, :, index * held // max(held, self.positions)] += sent[:, :, index]
        return folded


@dataclass
class Gain:
    """Scale with weights of its own: a factor and a bias for each unit."""

    bottom: Blob
    top: Blob
    weight: Weight
    bias: Weight | None

    def forward(self, run: Pass) -> None:
        made = run.values[self.bottom] * self.weight.values[:, :, None]
        run.values[self.top] = made + self.bias.values[:, :, None] if self.bias is not None else made

    def backward(self, run: Pass) -> None:
        gradient = run.gradients.get(self.top)
        if gradient is None:
            return
        self.weight.gradient += (gradient * run.values[self.bottom]).sum((1, 2))[:, None]
        if self.bias is not None:
            self.bias.gradient += gradient.sum((1, 2))[:, None]
        run.add(self.bottom, gradient * self.weight.values[:, :, None])


@dataclass
class Sum:
    """Eltwise SUM."""

    bottoms: Sequence[Blob]
    top: Blob
    factors: Sequence[float]

    def forward(self, run: Pass) -> None:
        parts = zip(self.bottoms, self.factors, strict=True)
        run.values[self.top] = np.add.reduce([np.float32(factor) * run.values[blob] for blob, factor in parts])

    def backward(self, run: Pass) -> None:
        gradient = run.gradients.get(self.top)
        if gradient is not None:
            for blob, factor in zip(self.bottoms, self.factors, strict=True):
                run.add(blob, gradient * np.float32(factor))


@dataclass
class Largest:
    """Eltwise MAX."""

    bottoms: Sequence[Blob]
    top: Blob

    def forward(self, run: Pass) -> None:
        run.values[self.top] = np.maximum.reduce([run.values[blob] for blob in self.bottoms])

    def backward(self, run: Pass) -> None:
        gradient = run.gradients.get(self.top)
        if gradient is not None:
            for blob in self.bottoms:
                run.add(blob, gradient * (run.values[blob] == run.values[self.top]))


@dataclass
class Join:
    """Concat over units, of which only those `kept` go on."""

    bottoms: Sequence[Blob]
    top: Blob
    kept: np.ndarray[Any, np.dtype[np.int64]]

    def forward(self, run: Pass) -> None:
        run.values[self.top] = np.concatenate([run.values[blob] for blob in self.bottoms], 3)[..., self.kept]

    def backward(self, run: Pass) -> None:
        gradient = run.gradients.get(self.top)
        if gradient is None:
            return
        whole = sum(run.values[blob].shape[3] for blob in self.bottoms)
        spread = np.zeros((*gradient.shape[:3], whole), gradient.dtype)
        spread[..., self.kept] = gradient
        start = 0
        for blob in self.bottoms:
            units = run.values[blob].shape[3]
            run.add(blob, spread[..., start : start + units])
            start += units


@dataclass
class SoftmaxLoss:
    """SoftmaxWithLoss. `worth`: of one position's cross entropy; `pull`: of its gradient; `chance`: the loss of a
    net that tells no class from another."""

    bottom: Blob
    worth: float
    pull: float
    chance: float
    probabilities: Array = field(init=False)

    def forward(self, run: Pass) -> None:
        scores = run.values[self.bottom]
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        self.probabilities = powers / powers.sum(-1, keepdims=True)
        right = np.maximum(self.probabilities[:, np.arange(len(run.classes)), :, self._right(run)], SMALLEST)
        run.losses -= self.worth * np.log(right).sum((0, 2))

    def _right(self, run: Pass) -> np.ndarray[Any, np.dtype[np.int64]]:
        right: np.ndarray[Any, np.dtype[np.int64]] = run.classes % self.probabilities.shape[-1]
        return right

    def backward(self, run: Pass) -> None:
        gradient = self.probabilities.copy()
        gradient[:, np.arange(len(run.classes)), :, self._right(run)] -= 1
        run.add(self.bottom, gradient * np.float32(self.pull))


@dataclass
class Distance:
    """EuclideanLoss; with `logistic`, SigmoidCrossEntropyLoss: both pull by prediction less target."""

    bottom: Blob
    target: Blob
    worth: float
    pull: float
    logistic: bool
    missed: Array = field(init=False)

    def forward(self, run: Pass) -> None:
        guess = run.values[self.bottom]
        target = _fitted(run.values[self.target], guess)
        if self.logistic:
            target = np.clip(target, 0, 1)
            self.missed = 1 / (1 + np.exp(-guess)) - target
            cost = np.maximum(guess, 0) - guess * target + np.log1p(np.exp(-np.abs(guess)))
        else:
            self.missed = guess - target
            cost = self.missed * self.missed / 2
        run.losses += self.worth * cost.sum((1, 2, 3), dtype=np.float64)

    def backward(self, run: Pass) -> None:
        run.add(self.bottom, self.missed * np.float32(self.pull))


def _fitted(target: Array, guess: Array) -> Array:
    """As many elements of a target as the prediction has, repeated where they are too few."""
    elements = guess.shape[2] * guess.shape[3]
    flat = target.reshape(*target.shape[:2], -1)
    repeated: Array = np.tile(flat, (1, 1, -(-elements // flat.shape[2])))[:, :, :elements]
    return repeated.reshape(*target.shape[:2], *guess.shape[2:])

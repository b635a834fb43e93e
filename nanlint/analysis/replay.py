"""The first iterations of a small net whose every number stands in its files, run as Caffe runs them.

A net of DummyData constants, InnerProduct, ReLU and EuclideanLoss, all filled with constants, leaves
nothing to luck: what it becomes is a proof. Everything else is None, at once and at no cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nanlint.analysis.optimiser import learnable
from nanlint.analysis.schedule import Schedule, schedule
from nanlint.analysis.updates import Memory, UndecidedError, Values, memory, update
from nanlint.caffe.model import count
from nanlint.caffe.solver import closes_with_forward, solver_type
from nanlint.numbers.float32 import f32, root

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer, LearnedParam, Net, Shape, Solver

MOST_WORK = 200_000
"""Multiplications and additions that one replay may cost."""

ROUNDING = (0.0, 2.0**-20, -(2.0**-20))
"""By how much gradients are off in each replay: more than any order of summation makes of them."""


@dataclass(frozen=True)
class Blowup:
    """The first number that is not finite: at which iteration, where (`the loss`, `a weight of ip`), what."""

    iteration: int
    where: str
    value: float
    losses: tuple[float, ...]


def blowup(solver: Solver) -> Blowup | None:
    """The first number that is not finite in the run of `caffe train`; None where none is proved.

    The claim holds for every order in which a BLAS may add: it is made where gradients that are off by
    2^-20 in either direction lead to the same.
    """
    net = solver.train_net
    rates = schedule(solver.param)
    if net is None or rates is None or rates.last < 0 or not _replayable(solver, net):
        return None
    iterations = min(rates.last + 1, MOST_WORK // max(1, _work(net) * abs(solver.param.iter_size)))
    found = []
    for off in ROUNDING:
        try:
            found.append(_Replay(solver, net, rates, off).run(iterations))
        except UndecidedError:
            return None
        if found[-1] is None:
            return None
    return found[0]


class _Replay:
    def __init__(self, solver: Solver, net: Net, rates: Schedule, off: float) -> None:
        self.param = solver.param
        self.kind = solver_type(solver.param)
        self.net = net
        self.rates = rates
        self.off = f32(1.0 + off)
        self.learned = list(learnable(net))
        self.weights = {id(one): _filled(one) for one in self.learned}
        self.held: dict[int, Memory] = {key: memory(len(w)) for key, w in self.weights.items()}
        self.grads: dict[int, Values] = {}
        self.data: dict[Blob, Values] = {}
        self.diff: dict[Blob, Values] = {}
        self.losses: list[float] = []

    def run(self, iterations: int) -> Blowup | None:
        for iteration in range(iterations):
            self.grads = {key: [0.0] * len(w) for key, w in self.weights.items()}
            for _ in range(self.param.iter_size):
                where = self.forward() or self.backward()
                if where:
                    return Blowup(iteration, where[0], where[1], tuple(self.losses))
            where = self.update(iteration)
            if where:
                return Blowup(iteration, where[0], where[1], tuple(self.losses))
        if iterations == self.rates.last + 1 and closes_with_forward(self.param):
            where = self.forward()
            if where:
                return Blowup(iterations, where[0], where[1], tuple(self.losses))
        return None

    def forward(self) -> tuple[str, float] | None:
        loss = 0.0
        for layer in self.net.layers:
            for blob, values in zip(layer.tops, _LAYERS[layer.type][0](self, layer), strict=True):
                self.data[blob] = values
                bad = _not_finite(values)
                if bad is not None:
                    return f"`{blob.name}`, the top of `{layer.name}`,", bad
            for weight, blob in zip(layer.loss_weights, layer.tops, strict=True):
                loss = f32(loss + f32(weight * self.data[blob][0])) if weight else loss
        self.losses.append(loss)
        return None if math.isfinite(loss) else ("the loss", loss)

    def backward(self) -> tuple[str, float] | None:
        self.diff = {}
        for layer in reversed(self.net.layers):
            if not layer.runs_backward:
                continue
            for index, values in _LAYERS[layer.type][1](self, layer).items():
                blob = layer.bottoms[index]
                if blob in self.diff:
                    values = [f32(a + b) for a, b in zip(self.diff[blob], values, strict=True)]
                self.diff[blob] = values
                bad = _not_finite(values)
                if bad is not None:
                    return f"the gradient of `{blob.name}`", bad
        for one in self.learned:
            bad = _not_finite(self.grads[id(one)])
            if bad is not None:
                return f"the gradient of a weight of `{one.layer.name}`", bad
        return None

    def update(self, iteration: int) -> tuple[str, float] | None:
        rate = self.rates.rate(iteration)
        if not math.isfinite(rate):
            raise UndecidedError
        self.clip()
        undecided = False
        for one in self.learned:
            key = id(one)
            grad = self.decayed(one)
            try:
                step = update(self.kind, self.param, f32(rate * one.lr_mult), iteration, grad, self.held[key])
            except UndecidedError:
                undecided = True
                continue
            weights = [f32(w - u) for w, u in zip(self.weights[key], step, strict=True)]
            self.weights[key] = weights
            bad = _not_finite(weights)
            if bad is not None and one.lr_mult != 0:
                return f"a weight of `{one.layer.name}`", bad
        if undecided:
            raise UndecidedError
        return None

    def clip(self) -> None:
        limit = self.param.clip_gradients
        if limit < 0:
            return
        norm = f32(root(f32(sum(f32(g * g) for grad in self.grads.values() for g in grad))))
        if not math.isfinite(norm) or math.isnan(limit):
            raise UndecidedError
        if norm > limit:
            factor = f32(limit / norm)
            self.grads = {key: [f32(g * factor) for g in grad] for key, grad in self.grads.items()}

    def decayed(self, one: LearnedParam) -> Values:
        grad = [f32(g * self.off) for g in self.grads[id(one)]]
        if self.param.iter_size != 1:
            share = f32(1.0 / self.param.iter_size)
            grad = [f32(g * share) for g in grad]
        decay = f32(self.param.weight_decay * one.decay_mult)
        if not decay:
            return grad
        weights = self.weights[id(one)]
        if self.param.regularization_type == "L1":
            weights = [float((w > 0) - (w < 0)) for w in weights]
        elif self.param.regularization_type != "L2":
            raise UndecidedError
        return [f32(g + f32(decay * w)) for g, w in zip(grad, weights, strict=True)]

    def held_by(self, layer: Layer, index: int) -> int | None:
        """The key of a layer's weights, or of those that it shares; None where it has none."""
        if index >= len(layer.params):
            return None
        one = layer.params[index]
        while one.owner is not None:
            one = one.owner
        return id(one)


def _dummy_data(replay: _Replay, layer: Layer) -> list[Values]:
    fillers = layer.param.dummy_data_param.data_filler
    made = []
    for index, blob in enumerate(layer.tops):
        filler = fillers[index if len(fillers) > 1 else 0] if fillers else None
        made.append([filler.value if filler else 0.0] * _size(blob.shape))
    return made


def _inner_product(replay: _Replay, layer: Layer) -> list[Values]:
    outputs, inputs, rows = _sizes(layer)
    x = replay.data[layer.bottoms[0]]
    w = replay.weights[_key(replay, layer, 0)]
    bias_key = replay.held_by(layer, 1)
    bias = replay.weights[bias_key] if bias_key is not None else None
    top = []
    for n in range(rows):
        row = x[n * inputs : (n + 1) * inputs]
        for o in range(outputs):
            total = _dot(row, w[o * inputs : (o + 1) * inputs])
            top.append(f32(total + bias[o]) if bias else total)
    return [top]


def _inner_product_back(replay: _Replay, layer: Layer) -> dict[int, Values]:
    outputs, inputs, rows = _sizes(layer)
    x = replay.data[layer.bottoms[0]]
    dy = replay.diff.get(layer.tops[0], [0.0] * (rows * outputs))
    key = _key(replay, layer, 0)
    if layer.params[0].lr_mult != 0:
        grad = replay.grads[key]
        for o in range(outputs):
            column = dy[o::outputs]
            for k in range(inputs):
                at = o * inputs + k
                grad[at] = f32(grad[at] + _dot(column, x[k::inputs]))
    bias_key = replay.held_by(layer, 1)
    if bias_key is not None and layer.params[1].lr_mult != 0:
        grad = replay.grads[bias_key]
        for o in range(outputs):
            grad[o] = f32(grad[o] + _dot(dy[o::outputs], [1.0] * rows))
    if not layer.propagates[0]:
        return {}
    w = replay.weights[key]
    columns = [w[k::inputs] for k in range(inputs)]
    rows_of_dy = (dy[n * outputs : (n + 1) * outputs] for n in range(rows))
    return {0: [_dot(row, column) for row in rows_of_dy for column in columns]}


def _relu(replay: _Replay, layer: Layer) -> list[Values]:
    slope = layer.param.relu_param.negative_slope
    return [[x if x > 0 else f32(slope * x) for x in replay.data[layer.bottoms[0]]]]


def _relu_back(replay: _Replay, layer: Layer) -> dict[int, Values]:
    if not layer.propagates[0]:
        return {}
    slope = layer.param.relu_param.negative_slope
    x = replay.data[layer.bottoms[0]]
    dy = replay.diff.get(layer.tops[0], [0.0] * len(x))
    return {0: [d if a > 0 else f32(slope * d) for a, d in zip(x, dy, strict=True)]}


def _euclidean(replay: _Replay, layer: Layer) -> list[Values]:
    difference = _difference(replay, layer)
    return [[f32(f32(_dot(difference, difference) / _batch(layer)) / 2.0)]]


def _euclidean_back(replay: _Replay, layer: Layer) -> dict[int, Values]:
    difference = _difference(replay, layer)
    alpha = f32(f32(layer.loss_weights[0]) / _batch(layer))
    signs = (1.0, -1.0)
    return {i: [f32(f32(signs[i] * alpha) * d) for d in difference] for i in (0, 1) if layer.propagates[i]}


_LAYERS: dict[
    str, tuple[Callable[[_Replay, Layer], list[Values]], Callable[[_Replay, Layer], dict[int, Values]]]
] = {
    "DummyData": (_dummy_data, lambda replay, layer: {}),
    "InnerProduct": (_inner_product, _inner_product_back),
    "ReLU": (_relu, _relu_back),
    "EuclideanLoss": (_euclidean, _euclidean_back),
}
"""The types that are run number for number: forward and backward."""


def _replayable(solver: Solver, net: Net) -> bool:
    if net.refused or not net.layers or solver.param.weights or solver.param.iter_size == 0:
        return False
    if solver_type(solver.param) not in ("SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"):
        return False
    return all(_layer_replayable(layer) for layer in net.layers) and all(map(_constant, learnable(net)))


def _layer_replayable(layer: Layer) -> bool:
    if layer.type not in _LAYERS or any(_unknown(blob.shape) for blob in layer.tops):
        return False
    if any(top.consumers for top, weight in zip(layer.tops, layer.loss_weights, strict=False) if weight):
        return False
    if any(layer.loss_weights) and layer.type != "EuclideanLoss":
        return False
    if layer.type == "DummyData":
        return all(filler.type == "constant" for filler in layer.param.dummy_data_param.data_filler)
    if layer.type == "InnerProduct":
        return not layer.param.inner_product_param.transpose and not layer.in_place(0)
    return layer.type != "ReLU" or layer.param.relu_param.negative_slope == 0


def _constant(one: LearnedParam) -> bool:
    filler = one.param.filler
    constant = filler is None or filler.type == "constant"
    return constant and not one.layer.param.blobs and not _unknown(one.param.shape)


def _work(net: Net) -> int:
    """Multiplications of one forward and backward pass, about."""
    total = sum(_size(one.param.shape) for one in learnable(net))
    for layer in net.layers:
        if layer.type == "InnerProduct":
            outputs, inputs, rows = _sizes(layer)
            total += 3 * outputs * inputs * rows
        total += sum(_size(blob.shape) for blob in layer.tops)
    return total


def _sizes(layer: Layer) -> tuple[int, int, int]:
    """num_output, the elements that feed one output, and the rows of an InnerProduct."""
    outputs = layer.param.inner_product_param.num_output
    inputs = _size(layer.params[0].param.shape) // outputs
    return outputs, inputs, _size(layer.bottoms[0].shape) // inputs


def _key(replay: _Replay, layer: Layer, index: int) -> int:
    key = replay.held_by(layer, index)
    if key is None:
        raise UndecidedError
    return key


def _filled(one: LearnedParam) -> Values:
    return [one.param.filler.value if one.param.filler else one.param.default] * _size(one.param.shape)


def _difference(replay: _Replay, layer: Layer) -> Values:
    a, b = (replay.data[blob] for blob in layer.bottoms)
    return [f32(x - y) for x, y in zip(a, b, strict=True)]


def _batch(layer: Layer) -> int:
    shape = layer.bottoms[0].shape
    return (shape[0] if shape else 1) or 1


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    total = 0.0
    for x, y in zip(a, b, strict=True):
        total = f32(total + f32(x * y))
    return total


def _not_finite(values: Values) -> float | None:
    return next((x for x in values if not math.isfinite(x)), None)


def _unknown(shape: Shape) -> bool:
    return not count(shape)


def _size(shape: Shape) -> int:
    return count(shape) or 0

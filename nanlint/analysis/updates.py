"""One update of one blob by each optimiser, in the 32-bit arithmetic of its ComputeUpdateValue.

Gradients come with clipping, normalisation and decay applied. What depends on the BLAS that Caffe is
linked with (a factor that is nan, 0 times infinity) raises UndecidedError.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nanlint.numbers.float32 import divide, f32, power, root

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import SolverParameter

Values = list[float]


class UndecidedError(Exception):
    """The files do not say what happens here."""


@dataclass
class Memory:
    """What an optimiser remembers of a blob: its history, and the second one of AdaDelta and Adam."""

    first: Values
    second: Values = field(default_factory=list)


def memory(size: int) -> Memory:
    return Memory([0.0] * size, [0.0] * size)


def update(
    kind: str, param: SolverParameter, rate: float, iteration: int, grad: Values, held: Memory
) -> Values:
    """What is subtracted from the weights; `held` is carried on. `rate` has the blob's lr_mult in it."""
    return _UPDATES[kind](param, rate, iteration, grad, held)


def _scaled(factor: float, x: float) -> float:
    """One element of a BLAS scaling."""
    if math.isnan(factor) or (factor == 0 and not math.isfinite(x)):
        raise UndecidedError
    return f32(factor * x)


def _mixed(a: float, x: float, b: float, y: float) -> float:
    """One element of a * x + b * y (caffe_cpu_axpby), which does not read y where b is 0."""
    return f32(_scaled(a, x) + (_scaled(b, y) if b else 0.0))


def _square(x: float) -> float:
    return f32(x * x)


def _rooted(x: float) -> float:
    return f32(root(x))


def _sgd(param: SolverParameter, rate: float, iteration: int, grad: Values, held: Memory) -> Values:
    held.first = [_mixed(rate, g, param.momentum, h) for g, h in zip(grad, held.first, strict=True)]
    return list(held.first)


def _nesterov(param: SolverParameter, rate: float, iteration: int, grad: Values, held: Memory) -> Values:
    before = held.first
    ahead = f32(1.0 + param.momentum)
    held.first = [_mixed(rate, g, param.momentum, h) for g, h in zip(grad, before, strict=True)]
    return [_mixed(ahead, h, -param.momentum, old) for h, old in zip(held.first, before, strict=True)]


def _adagrad(param: SolverParameter, rate: float, iteration: int, grad: Values, held: Memory) -> Values:
    held.first = [f32(_square(g) + h) for g, h in zip(grad, held.first, strict=True)]
    return [_step(rate, g, h, param.delta) for g, h in zip(grad, held.first, strict=True)]


def _rmsprop(param: SolverParameter, rate: float, iteration: int, grad: Values, held: Memory) -> Values:
    share = f32(1.0 - param.rms_decay)
    held.first = [
        _mixed(share, _square(g), param.rms_decay, h) for g, h in zip(grad, held.first, strict=True)
    ]
    return [_step(rate, g, h, param.delta) for g, h in zip(grad, held.first, strict=True)]


def _step(rate: float, g: float, h: float, delta: float) -> float:
    return _scaled(rate, f32(divide(g, f32(_rooted(h) + delta))))


def _adadelta(param: SolverParameter, rate: float, iteration: int, grad: Values, held: Memory) -> Values:
    decay, delta = param.momentum, param.delta
    share = f32(1.0 - decay)
    held.first = [_mixed(share, _square(g), decay, h) for g, h in zip(grad, held.first, strict=True)]
    moved = [
        f32(g * _rooted(f32(divide(f32(delta + k), f32(delta + h)))))
        for g, h, k in zip(grad, held.first, held.second, strict=True)
    ]
    held.second = [_mixed(share, _square(u), decay, k) for u, k in zip(moved, held.second, strict=True)]
    return [_scaled(rate, u) for u in moved]


def _adam(param: SolverParameter, rate: float, iteration: int, grad: Values, held: Memory) -> Values:
    one, two = param.momentum, param.momentum2
    t = iteration + 1
    corrected = f32(rate * f32(divide(root(1.0 - power(two, t)), 1.0 - power(one, t))))
    held.first = [_mixed(f32(1.0 - one), g, one, a) for g, a in zip(grad, held.first, strict=True)]
    held.second = [_mixed(f32(1.0 - two), _square(g), two, v) for g, v in zip(grad, held.second, strict=True)]
    return [
        _scaled(corrected, f32(divide(a, f32(_rooted(v) + param.delta))))
        for a, v in zip(held.first, held.second, strict=True)
    ]


_UPDATES: dict[str, Callable[[SolverParameter, float, int, Values, Memory], Values]] = {
    "SGD": _sgd,
    "Nesterov": _nesterov,
    "AdaGrad": _adagrad,
    "RMSProp": _rmsprop,
    "AdaDelta": _adadelta,
    "Adam": _adam,
}

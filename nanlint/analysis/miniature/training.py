"""Training of a miniature by the optimisers of Caffe (sgd_solver.cpp and its kin, ComputeUpdateValue)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nanlint.analysis.miniature.parts import Array, Pass, Weight
from nanlint.caffe.solver import solver_type

if TYPE_CHECKING:
    from nanlint.analysis.miniature.build import Miniature
    from nanlint.schema.caffe_pb2 import SolverParameter

Losses = np.ndarray[Any, np.dtype[np.float64]]


def train(mini: Miniature, param: SolverParameter, rates: Sequence[float], iterations: int, seed: int) -> Losses:
    """The losses, iterations x lanes; one rate a lane."""
    samples = np.random.RandomState(seed)
    lanes = len(rates)
    each = np.array(rates, np.float32)[:, None, None]
    found = []
    with np.errstate(all="ignore"):
        for iteration in range(iterations):
            for weight in mini.weights:
                weight.gradient[...] = 0
            chosen = samples.randint(0, len(mini.classes), mini.batch)
            values = {
                blob: np.broadcast_to(pool[chosen], (lanes, mini.batch, *pool.shape[1:]))
                for blob, pool in mini.sources.items()
            }
            run = Pass(values, mini.classes[chosen], np.zeros(lanes))
            for part in mini.parts:
                part.forward(run)
            for part in reversed(mini.parts):
                part.backward(run)
            found.append(run.losses)
            _update(mini.weights, param, each, iteration)
    return np.array(found)


def _update(weights: Sequence[Weight], param: SolverParameter, rates: Array, iteration: int) -> None:
    kind = solver_type(param)
    shrink = _clipped(weights, param.clip_gradients)
    for weight in weights:
        if weight.lr_mult == 0:
            continue
        gradient = weight.gradient * shrink
        decay = np.float32(param.weight_decay * weight.decay_mult) * weight.values
        rate = rates * np.float32(weight.lr_mult)
        speed = np.float32(weight.speed)
        if kind in ("SGD", "Nesterov"):
            step = _momentum(weight, gradient * speed + decay, rate, param.momentum, ahead=kind == "Nesterov")
        else:
            step = speed * _adapted(weight, gradient + decay, rate, param, kind, iteration)
        weight.values = (weight.values - step).astype(np.float32)


def _clipped(weights: Sequence[Weight], limit: float) -> Array | float:
    """clip_gradients over the norm of the whole gradient, the gradient of each weight as it is in the net."""
    if limit < 0:
        return 1.0
    square = np.add.reduce([(one.gradient**2).sum((1, 2)) for one in weights])
    shrunk: Array = np.minimum(1, limit / np.maximum(np.sqrt(square), 1e-30))[:, None, None]
    return shrunk


def _momentum(weight: Weight, gradient: Array, rate: Array, momentum: float, *, ahead: bool) -> Array:
    before = weight.first
    weight.first = np.float32(momentum) * before + rate * gradient
    return (1 + np.float32(momentum)) * weight.first - np.float32(momentum) * before if ahead else weight.first


def _adapted(
    weight: Weight, gradient: Array, rate: Array, param: SolverParameter, kind: str, iteration: int
) -> Array:
    square, delta = gradient * gradient, np.float32(param.delta)
    if kind == "AdaGrad":
        weight.first = weight.first + square
        return rate * gradient / (np.sqrt(weight.first) + delta)
    if kind == "RMSProp":
        weight.first = param.rms_decay * weight.first + (1 - param.rms_decay) * square
        return rate * gradient / (np.sqrt(weight.first) + delta)
    one, two, steps = param.momentum, param.momentum2, iteration + 1
    if kind == "AdaDelta":
        weight.first = one * weight.first + (1 - one) * square
        moved = gradient * np.sqrt((delta + weight.second) / (delta + weight.first))
        weight.second = one * weight.second + (1 - one) * moved * moved
        return rate * moved
    weight.first = one * weight.first + (1 - one) * gradient
    weight.second = two * weight.second + (1 - two) * square
    corrected = math.sqrt(1 - two**steps) / (1 - one**steps)
    return rate * np.float32(corrected) * weight.first / (np.sqrt(weight.second) + delta)

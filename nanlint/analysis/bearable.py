"""The largest rate that a net bears: tried on its miniature, at rates a quarter of a decade apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nanlint.analysis.miniature.build import Miniature
from nanlint.analysis.miniature.training import Losses, train

if TYPE_CHECKING:
    from nanlint.caffe.model import Net
    from nanlint.schema.caffe_pb2 import SolverParameter

ITERATIONS, DEEP_ITERATIONS = 60, 30
"""Of a trial, and of one of a net of more than DEEP layers."""
LOWEST, HIGHEST = -8, 4
"""The decades of rates that are looked through first."""
STEP = 0.25
SEEDS = (1, 2)
DEEP = 100
"""Nets of more layers are tried under one seed, for fewer iterations: so an answer takes seconds, not minutes."""
HIGHER = 1.2
"""A loss that ends this many times above where it began has not been trained."""
LEAP, BACK = 25.0, 0.9
"""Nor has one that leapt so far and comes back to no less than where it began."""
STIR, STILL = 1.5, 0.05
"""Nor one that rose by half and then stands still at chance: its units are dead or saturated."""


def edge(net: Net, param: SolverParameter) -> float | None:
    """log10 of the rate between those that train the miniature and those that do not; None where all train.

    Raises UnsupportedError where no miniature can be made.
    """
    coarse = [float(decade) for decade in range(LOWEST, HIGHEST + 1)]
    near = _edges(net, param, coarse, SEEDS[:1])[0]
    if not LOWEST < near < HIGHEST:
        return None
    fine = [near + STEP * step for step in range(-4, 5)]
    found = _edges(net, param, fine, SEEDS if len(net.layers) <= DEEP else SEEDS[:1])
    return sum(found) / len(found)


def trains(net: Net, param: SolverParameter, rate: float) -> bool:
    """Whether the miniature trains at one rate, by one trial: far cheaper than the search for the edge.

    Raises UnsupportedError where no miniature can be made.
    """
    decade = math.log10(rate)
    return _edges(net, param, [decade - STEP, decade], SEEDS[:1])[0] > decade


def _edges(net: Net, param: SolverParameter, decades: Sequence[float], seeds: Sequence[int]) -> list[float]:
    """The edge under each seed. The first lane does not train at all: it shows where the loss begins."""
    rates = [0.0, *(10.0**one for one in decades)]
    half = (decades[1] - decades[0]) / 2
    iterations = ITERATIONS if len(net.layers) <= DEEP else DEEP_ITERATIONS
    found = []
    for seed in seeds:
        mini = Miniature(net, param, len(rates), seed)
        losses = train(mini, param, rates, iterations, seed)
        spoilt = _spoilt(losses[:, 1:], float(losses[:, 0].mean()), mini.chance)
        lasting = spoilt & np.append(spoilt[1:], True)
        first = int(np.argmax(lasting)) if lasting.any() else len(decades)
        found.append(decades[0] - half + 2 * half * first)
    return found


def _spoilt(losses: Losses, began: float, chance: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which lanes do not train."""
    with np.errstate(all="ignore"):
        nothing = min(began, chance)
        ended = np.median(losses[-11:], 0)
        highest, idle = losses.max(0), losses[-11:].std(0) < STILL * nothing
        dead = (highest > LEAP * began) | ((highest > STIR * began) & idle)
        spoilt = ~np.isfinite(losses).all(0) | (ended > HIGHER * began) | (dead & (ended > BACK * nothing))
    return np.asarray(spoilt)

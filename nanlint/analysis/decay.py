"""Weights that weight decay alone carries past the largest float, whatever the loss says of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from nanlint.analysis.optimiser import trained
from nanlint.analysis.schedule import schedule
from nanlint.caffe.model import count
from nanlint.caffe.solver import solver_type
from nanlint.numbers.float32 import FLOAT_MAX

if TYPE_CHECKING:
    from nanlint.caffe.model import LearnedParam, Net, Param
    from nanlint.schema.caffe_pb2 import SolverParameter

# A gradient is left out of the growth. It could only stop it by cancelling the decay term in every number of
# the blob at once, to the digits that these leave no room for.
_LEAST_PRODUCT = 100.0
_MARGIN = 1e3
_LEAST_NUMBERS = 4
# one number below this share of the spread has a chance below 1e-3, four of them together below 1e-12
_SMALL = 1e-3


class Overflow(NamedTuple):
    """`update`, counted from 1, is the one that makes numbers of a blob infinite; `product`: rate times decay."""

    learned: LearnedParam
    update: int
    product: float


def overflow(param: SolverParameter, net: Net) -> Overflow | None:
    """The first blob of random weights that L2 decay makes infinite within the run; None where none is proved.

    SGD and Nesterov add rate * decay * w to the update of w (sgd_solver.cpp, Regularize and
    ComputeUpdateValue; nesterov_solver.cpp). Clipping comes before the decay, so it does not help.
    """
    rates, kind = schedule(param), solver_type(param)
    if rates is None or net.refused or kind not in ("SGD", "Nesterov") or not 0 <= param.momentum < 1:
        return None
    if param.regularization_type != "L2" or param.iter_size < 1:
        return None
    found: list[Overflow] = []
    for learned in trained(net):
        weight = _typical(learned.param)
        if weight is None or learned.lr_mult < 0:
            continue
        decay = param.weight_decay * learned.decay_mult
        velocity = 0.0
        for update in range(1, min(rates.last + 1, 50) + 1):
            product = rates.rate(update - 1) * learned.lr_mult * decay
            if not _LEAST_PRODUCT < product < math.inf:
                break
            before, velocity = velocity, param.momentum * velocity + product * weight
            weight -= velocity if kind == "SGD" else (1 + param.momentum) * velocity - param.momentum * before
            if abs(weight) > FLOAT_MAX * _MARGIN:
                found.append(Overflow(learned, update, product))
                break
    return min(found, key=lambda one: one.update, default=None)


def _typical(param: Param) -> float | None:
    """A size that some number of the blob surely has at the start; None unless its filler draws at random."""
    numbers, filler = count(param.shape), param.filler
    if numbers is None or numbers < _LEAST_NUMBERS or filler is None or not param.shape:
        return None
    if filler.type == "gaussian" and filler.sparse < 0:
        spread = filler.std
    elif filler.type in ("xavier", "msra"):
        spread = math.sqrt(param.shape[0] or 1) / math.sqrt(numbers)
    else:
        return None
    return _SMALL * spread if math.isfinite(spread) else None

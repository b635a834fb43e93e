"""Settings that make a weight NaN or infinite in the first update, whatever its gradient is.

Each holds for every BLAS: a factor of NaN in a plain scaling and 0 times infinity, which some libraries
take as 0, are left out (src/caffe/solvers/*_solver.cpp, ComputeUpdateValue; sgd_solver.cpp, Regularize).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.numbers.float32 import f32

if TYPE_CHECKING:
    from nanlint.caffe.model import LearnedParam
    from nanlint.schema.caffe_pb2 import SolverParameter

_BY_AXPBY = ("SGD", "Nesterov", "AdaGrad", "RMSProp")
"""Optimisers whose update adds the rate times something: no factor is skipped but 0."""


def rate_spoils(kind: str, param: SolverParameter, rate: float, one: LearnedParam) -> bool:
    """Whether the blob's own rate, `rate * lr_mult`, does."""
    own = f32(rate * one.lr_mult)
    if math.isfinite(own):
        return False
    if kind in _BY_AXPBY:
        return True
    if kind == "AdaDelta":
        return math.isinf(own)
    return math.isinf(own) and abs(param.momentum) < 1 and 0 <= param.momentum2 < 1


def decay_spoils(kind: str, param: SolverParameter, rate: float, one: LearnedParam) -> bool:
    """Whether the blob's own decay, `weight_decay * decay_mult`, does: it makes the gradient NaN or infinite."""
    own = f32(rate * one.lr_mult)
    if math.isfinite(f32(param.weight_decay * one.decay_mult)) or own == 0:
        return False
    return kind in _BY_AXPBY or (kind == "AdaDelta" and abs(param.momentum) < 1 and not math.isnan(own))


def momentum_spoils(kind: str, param: SolverParameter, rate: float) -> bool:
    """Whether `momentum` does: infinity times the history, which starts at 0."""
    return math.isinf(param.momentum) and kind in ("SGD", "Nesterov", "AdaDelta") and rate != 0

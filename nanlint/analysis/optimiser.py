"""What an optimiser does with a gradient: the settings that it reads, its first step, its limits.

Facts from src/caffe/solvers/*_solver.cpp (ComputeUpdateValue) and src/caffe/solvers/sgd_solver.cpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.schedule import schedule
from nanlint.numbers.float32 import divide, f32, root

if TYPE_CHECKING:
    from nanlint.caffe.model import LearnedParam, Net
    from nanlint.schema.caffe_pb2 import SolverParameter

# the settings that each optimiser reads, beside the rate, decay and clipping that all read
READS: dict[str, tuple[str, ...]] = {
    "SGD": ("momentum",),
    "Nesterov": ("momentum",),
    "AdaGrad": ("delta",),
    "RMSProp": ("rms_decay", "delta"),
    "AdaDelta": ("momentum", "delta"),
    "Adam": ("momentum", "momentum2", "delta"),
}
TYPES = tuple(READS)
ADAPTIVE = ("AdaGrad", "RMSProp", "AdaDelta", "Adam")


def learnable(net: Net) -> Iterator[LearnedParam]:
    """The blobs that the solver updates (Net::learnable_params): each once, however many layers share it."""
    return (learned for learned in net.params if learned.owner is None)


def trained(net: Net) -> Iterator[LearnedParam]:
    """The learnable blobs that are not frozen."""
    return (learned for learned in learnable(net) if learned.lr_mult != 0)


def gets_gradient(net: Net, learned: LearnedParam) -> bool:
    """Whether any layer that holds the blob runs backward; without one its gradient is 0 for ever."""
    holders = [one for one in net.params if one is learned or one.owner is learned]
    return any(one.layer.runs_backward for one in holders)


def trains(net: Net | None, decayed: bool = False) -> bool:
    """Whether the net has a weight that is not frozen, and decays."""
    return net is not None and any(not decayed or one.decay_mult for one in trained(net))


def first_rate(param: SolverParameter) -> float:
    """The learning rate of the first iteration; 0 where there is none, or where Caffe aborts at it."""
    rates = schedule(param)
    return rates.rate(0) if rates and rates.last >= 0 else 0.0


def first_step(solver_type: str, param: SolverParameter, rate: float) -> float | None:
    """By how much the first update moves a weight whatever its gradient is (well above delta); None for SGD.

    RMSProp: rate / sqrt(1 - rms_decay). Adam, AdaGrad: rate. AdaDelta: rate * sqrt(delta / (1 - momentum)).
    """
    if solver_type == "RMSProp":
        return divide(rate, root(f32(1.0 - param.rms_decay)))
    if solver_type == "AdaDelta":
        return rate * root(divide(param.delta, f32(1.0 - param.momentum)))
    return rate if solver_type in ("Adam", "AdaGrad") else None


def curvature_limit(solver_type: str, momentum: float) -> float | None:
    """The product of rate and curvature beyond which the optimiser diverges, for 0 <= momentum < 1.

    SGD: 2 (1 + m). Nesterov: 2 (1 + m) / (1 + 2 m). None for the others, whose step does not scale so.
    """
    if not 0 <= momentum < 1:
        return None
    if solver_type == "SGD":
        return 2 * (1 + momentum)
    if solver_type == "Nesterov":
        return 2 * (1 + momentum) / (1 + 2 * momentum)
    return None

"""Which rate a training net bears under its solver, on what the answer rests, or why there is none."""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

from nanlint.analysis.assumed import assume
from nanlint.analysis.fine_tuning import fine_tuned
from nanlint.analysis.linear import linear_net
from nanlint.analysis.optimiser import ADAPTIVE, TYPES, trains
from nanlint.analysis.risk import ADAPTED, bearable_rate, from_scratch, risk_of
from nanlint.analysis.schedule import schedule
from nanlint.caffe.model import Net, Solver
from nanlint.caffe.solver import solver_type

TRIED = 60
"""Iterations of a trial (analysis/bearable.py)."""
SPREAD = {True: 1.1, False: 0.9}
"""Decades to either side within which nine of ten rates lie, by whether the optimiser is adaptive
(benchmarks/rates.py)."""
ASSUMED_SPREAD = 0.25
"""So many decades more where the data is assumed."""
ROUGH = 1.5
"""The same of an estimate from the first update alone."""


class Forecast(NamedTuple):
    """`rate`: the largest `base_lr` that the net bears; nine times of ten it lies between `low` and `high`.

    `unknown`: why there is none. `assumed`: what was not read but taken. `net`: as it was looked at.
    `tried`: False where the rate is estimated from the first update alone.
    """

    net: Net | None = None
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    unknown: str | None = None
    assumed: tuple[str, ...] = ()
    tried: bool = True


_known: WeakKeyDictionary[Net, Forecast] = WeakKeyDictionary()


def forecast(solver: Solver, net: Net) -> Forecast:
    """The forecast of a solver's training net, made once. numpy is imported for it."""
    found = _known.get(net)
    if found is None:
        found = _known[net] = _made(solver, net)
    return found


def _made(solver: Solver, net: Net) -> Forecast:
    looked_at, assumed = assume(solver, net)
    reason = untried(solver, looked_at)
    if reason is not None:
        return Forecast(looked_at, unknown=reason, assumed=assumed)
    linear = linear_net(solver, looked_at)
    if linear is not None and linear.curvature > 0:
        exact = linear.limit / linear.curvature
        return Forecast(looked_at, exact, exact, exact, None, assumed)
    try:
        from nanlint.analysis.bearable import edge
        from nanlint.analysis.miniature.size import UnsupportedError
    except ImportError:
        return _estimated(solver, looked_at, "numpy is not installed (pip install numpy)", assumed)
    try:
        found = edge(looked_at, solver.param)
    except UnsupportedError as unsupported:
        return _estimated(solver, looked_at, str(unsupported), assumed)
    if found is None:
        return Forecast(looked_at, unknown="no rate, or every rate, spoils the trial", assumed=assumed)
    kind = solver_type(solver.param)
    centre = found - _rise(solver)
    spread = SPREAD[kind in ADAPTIVE] + (ASSUMED_SPREAD if assumed else 0.0)
    low, rate, high = (10.0 ** (centre + shift) for shift in (-spread, 0.0, spread))
    return Forecast(looked_at, rate, low, high, None, assumed)


def _estimated(solver: Solver, net: Net, reason: str, assumed: tuple[str, ...]) -> Forecast:
    """What the first update alone tells, where no trial can be made and all losses are known."""
    risk = risk_of(solver, net)
    rate = bearable_rate(solver, net) if risk is not None and risk.complete else None
    if rate is None:
        return Forecast(net, unknown=reason, assumed=assumed)
    said = f"no more than the first update is looked at: {reason}"
    return Forecast(net, rate, rate * 10**-ROUGH, rate * 10**ROUGH, None, (*assumed, said), tried=False)


def trains_at(solver: Solver, net: Net, rate: float) -> bool:
    """Whether one trial at this `base_lr` trains; False where none can be made. numpy is imported for it."""
    shifted = rate * 10.0 ** _rise(solver)
    try:
        from nanlint.analysis.bearable import trains as trained
        from nanlint.analysis.miniature.size import UnsupportedError
    except ImportError:
        return False
    try:
        return trained(net, solver.param, shifted)
    except UnsupportedError:
        return False


def untried(solver: Solver, net: Net) -> str | None:
    """Why a net's first steps are not those of a net that begins with its fillers; None where they are."""
    if solver.param.weights:
        return "training begins with stored weights"
    adapted = next((field.name for field in solver.bound.root.fields if field.name in ADAPTED), None)
    if adapted is not None or not from_scratch(solver):
        return f"`{adapted}` adapts the rate"
    if net.refused:
        return "Caffe cannot build the net"
    if solver_type(solver.param) not in TYPES:
        return "the optimiser is none of Caffe's"
    if not 0 <= solver.param.momentum < 1 or not 0 <= solver.param.momentum2 < 1:
        return "`momentum` is not between 0 and 1"
    if not trains(net):
        return "no weight of the net is trained"
    return fine_tuned(net)


def _rise(solver: Solver) -> float:
    """log10 of the highest rate of the first iterations over `base_lr`."""
    from math import isfinite, log10

    base, rates = abs(solver.param.base_lr), schedule(solver.param)
    if rates is None or not base:
        return 0.0
    tried = [abs(rates.rate(iteration)) for iteration in range(min(TRIED, rates.last + 1))]
    highest = max((rate for rate in tried if isfinite(rate)), default=base)
    return log10(highest / base) if highest > 0 else 0.0

"""The learning rate: settings that abort the first update, and rates that are nan, infinite, zero or rise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.schedule import FIELDS, Schedule, schedule
from nanlint.caffe.edits import written
from nanlint.caffe.solver import iterations
from nanlint.findings import Applicability, Effect, Fix, Problem
from nanlint.numbers.float32 import show
from nanlint.rules import chains
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import counted, setting

if TYPE_CHECKING:
    from nanlint.caffe.model import Solver
    from nanlint.text.source import Place

# below this share of its first value a rate moves no 32-bit weight any more
FROZEN = 2.0**-24

SMALL = 1.001e-3
BEFORE_THE_END = 0.8
LONG = 30_000
"""Iterations after which published runs are at a thousandth of their first rate."""


@rule("LR001", "poly-without-max-iter", ERROR, effect=Effect.NO_LEARNING, explained_by=chains.UNREAD)
def poly_without_max_iter(solver: Solver) -> Iterator[Problem]:
    """A `poly` schedule divides the iteration by `max_iter`, which is missing or 0.

    **In Caffe** `caffe train` runs `max_iter` iterations (solver.cpp, Solve), so it runs none, says
    "Optimization Done" and saves the untrained weights. `solver.step(n)` from Python does iterate, and
    the first rate is `base_lr * (1 - 0/0) ^ power` (sgd_solver.cpp, GetLearningRate): NaN, and so is
    every weight after the first update. Only `power: 0` keeps it at `base_lr`.

    **Instead** write the number of iterations over which the rate shall fall to zero: `max_iter: 100000`.
    """
    param = solver.param
    if param.lr_policy == "poly" and param.max_iter == 0:
        python = f"`base_lr` = {show(param.base_lr)}" if param.power == 0 else "NaN from the first update on"
        yield finding(
            solver.at("max_iter" if param.HasField("max_iter") else "lr_policy"),
            f"`poly` divides by {setting(param, 'max_iter')}: `caffe train` runs no iteration, and under "
            f"`step()` from Python the rate is {python}; write `max_iter`",
            evidence=f"rate(0) = {show(param.base_lr)} * (1 - 0/0)^{show(param.power)}",
            severity=WARNING if param.HasField("max_iter") else None,
        )


@rule("LR005", "non-finite-rate", ERROR, effect=Effect.NON_FINITE)
def non_finite_rate(solver: Solver) -> Iterator[Problem]:
    """The learning rate becomes NaN or infinite during the run.

    **In Caffe** the rate is a 32-bit float: it is infinite beyond 3.4e38, and 0 times infinity is NaN.
    The first update with such a rate makes the weights NaN or infinite (sgd_solver.cpp, ComputeUpdateValue).

    **Instead** bring the schedule into the range of the run: `gamma` below 1, a finite `base_lr` and `power`.
    """
    rates = schedule(solver.param)
    first = rates.first(lambda rate: not math.isfinite(rate)) if rates else None
    if rates is None or first is None:
        return
    yield finding(
        _at(solver, _culprit(solver)),
        f"the learning rate is {show(rates.rate(first))} at iteration {first}, and with it every weight "
        f"that is trained; {_remedy(solver)}",
        evidence=_trace(rates, first),
    )


@rule("LR006", "negative-rate", WARNING, effect=Effect.DIVERGENCE)
def negative_rate(solver: Solver) -> Iterator[Problem]:
    """The learning rate is negative: each update climbs the loss.

    **In Caffe** nothing checks the sign of `base_lr` (sgd_solver.cpp, GetLearningRate).

    **Instead** write a positive `base_lr`.
    """
    rates = schedule(solver.param)
    first = rates.first(lambda rate: rate < 0) if rates else None
    if rates is not None and first is not None:
        yield finding(
            solver.at("base_lr"),
            f"the learning rate is {show(rates.rate(first))} from iteration {first} on, so every update "
            f"raises the loss; write `base_lr: {show(-solver.param.base_lr)}`",
            evidence=_trace(rates, first),
        )


@rule("LR007", "zero-base-lr", ERROR, effect=Effect.NO_LEARNING, explained_by=chains.UNREAD)
def zero_base_lr(solver: Solver) -> Iterator[Problem]:
    """`base_lr` is missing or 0, so no weight ever changes.

    **In Caffe** a missing `base_lr` is 0 and nothing says so (sgd_solver.cpp, GetLearningRate); every
    policy multiplies it. A value below 1.4e-45 is 0 as well.

    **Instead** write `base_lr: 0.01`, or what the net needs.
    """
    param = solver.param
    if iterations(param) > 0 and param.base_lr == 0:
        said = param.HasField("base_lr")
        yield finding(
            _at(solver, "base_lr"),
            f"{setting(param, 'base_lr')} makes every learning rate 0, so no weight changes in "
            f"{counted(iterations(param), 'iteration')}; write a positive `base_lr`",
            severity=WARNING if said else None,
        )


@rule("LR008", "zero-gamma", ERROR, effect=Effect.NO_LEARNING, explained_by=chains.UNREAD)
def zero_gamma(solver: Solver) -> Iterator[Problem]:
    """`gamma` is missing or 0, so the learning rate is 0 from the first step on.

    **In Caffe** the default of `gamma` is 0 and the rate of step, exp and multistep is
    `base_lr * gamma ^ steps` (sgd_solver.cpp, GetLearningRate); nothing is said when it becomes 0.

    **Instead** write the factor of each step: `gamma: 0.1`.
    """
    rates = schedule(solver.param)
    if rates is None or rates.policy not in ("step", "exp", "multistep") or rates.gamma or not rates.base:
        return
    first = rates.first(lambda rate: rate == 0)
    if first is not None:
        yield finding(
            _at(solver, "gamma"),
            f"{setting(solver.param, 'gamma')} makes the learning rate 0 from iteration {first} on, so "
            f"nothing learns in the other {counted(rates.last + 1 - first, 'iteration')}; write `gamma: "
            "0.1` or another factor",
            evidence=_trace(rates, first),
        )


@rule("LR009", "vanishing-rate", WARNING, effect=Effect.NO_LEARNING)
def vanishing_rate(solver: Solver) -> Iterator[Problem]:
    """The learning rate falls so far that the rest of the run changes nothing.

    **In Caffe** a weight is a 32-bit float with 24 bits: an update smaller than 2^-24 of it is lost
    (net.cpp, Update). A rate below 2^-24 of its first value moves no weight that the first one moved well.

    **Instead** step less often, with a larger `gamma`, or end the run with a smaller `max_iter`.
    """
    rates = schedule(solver.param)
    if (
        rates is None
        or rates.policy == "poly"
        or not rates.base
        or not math.isfinite(rates.base)
        or rates.last < 1
    ):
        return
    if rates.gamma == 0 and rates.policy in ("step", "exp", "multistep"):
        return
    start = abs(rates.rate(0))
    first = rates.first(lambda rate: abs(rate) < start * FROZEN)
    if first is not None and start > abs(rates.rate(rates.last)):
        yield finding(
            _at(solver, "gamma"),
            f"the learning rate is {show(rates.rate(first))} at iteration {first} and falls on, too small "
            f"to move 32-bit weights in the last {counted(rates.last + 1 - first, 'iteration')} of "
            f"{rates.last + 1}; step less often, or lower `max_iter`",
            evidence=_trace(rates, first),
        )


@rule("LR010", "steps-beyond-max-iter", WARNING, effect=Effect.NONE)
def steps_beyond_max_iter(solver: Solver) -> Iterator[Problem]:
    """Every step of the schedule lies beyond the end of the run.

    **In Caffe** the last iteration is `max_iter - 1` (solver.cpp, Step), so a step at `max_iter` or later
    never comes: the rate stays at `base_lr`.

    **Instead** write steps inside the run, a longer `max_iter`, or `lr_policy: "fixed"`.
    """
    rates = schedule(solver.param)
    if rates is None or rates.last < 0 or rates.policy not in ("step", "multistep"):
        return
    if rates.policy == "multistep" and not rates.switches:
        return
    if next(rates.changes(), None) is not None:
        return
    field = "stepsize" if rates.policy == "step" else "stepvalue[0]"
    first = rates.stepsize if rates.policy == "step" else rates.switches[0]
    yield finding(
        solver.at(field),
        f"the first step would come at iteration {first}, but the run ends at `max_iter: {rates.max_iter}`, "
        f'so the rate stays {show(rates.rate(0))}; step earlier or write `lr_policy: "fixed"`',
        severity=INFO if rates.policy == "step" else None,
    )


@rule("LR011", "unsorted-stepvalue", WARNING, effect=Effect.NONE)
def unsorted_stepvalue(solver: Solver) -> Iterator[Problem]:
    """The `stepvalue`s do not rise, and steps come later than they are written.

    **In Caffe** `multistep` waits for its next `stepvalue` in the given order and takes at most one step an
    iteration (sgd_solver.cpp, GetLearningRate): `[20, 10]` steps at 20 and 21, `[5, 5]` at 5 and 6.

    **Instead** sort the values; for a larger drop at one place write a smaller `gamma`.
    """
    rates = schedule(solver.param)
    if rates is None or rates.policy != "multistep":
        return
    late = [
        i
        for i, (said, at) in enumerate(zip(solver.param.stepvalue, rates.switches, strict=True))
        if said < at
    ]
    if late:
        said, at = solver.param.stepvalue[late[0]], rates.switches[late[0]]
        yield finding(
            solver.at(f"stepvalue[{late[0]}]"),
            f"`stepvalue: {said}` comes after a larger or equal one, so its step is taken at iteration "
            f"{at}; sort the values and give each once",
            evidence="steps at " + ", ".join(map(str, rates.switches)),
        )


@rule("LR012", "multistep-without-stepvalue", WARNING, effect=Effect.NONE, explained_by=chains.UNREAD)
def multistep_without_stepvalue(solver: Solver) -> Iterator[Problem]:
    """A `multistep` schedule has no `stepvalue`, so its rate never changes.

    **In Caffe** `multistep` reads `stepvalue` alone (sgd_solver.cpp, GetLearningRate); `stepsize` belongs
    to `step`.

    **Instead** write the iterations of the steps (`stepvalue: 60000`), or `lr_policy: "step"`.
    """
    param = solver.param
    if param.lr_policy == "multistep" and not param.stepvalue:
        other = ", and `stepsize` is read by `step` alone" if param.HasField("stepsize") else ""
        fix = None
        if other:
            fix = Fix('write `lr_policy: "step"`', (written(solver, "lr_policy", '"step"'),), Applicability.UNSAFE)
        yield finding(
            solver.at("lr_policy"),
            f"`multistep` has no `stepvalue`{other}: the rate stays {show(param.base_lr)}; write `stepvalue`"
            + (', or `lr_policy: "step"`' if other else ""),
            fix=fix,
        )


@rule("LR016", "rate-over-the-run", INFO, effect=Effect.NONE, explained_by=("vanishing-rate",))
def rate_over_the_run(solver: Solver) -> Iterator[Problem]:
    """The rate falls to a thousandth of what it began with, and goes on from there.

    **In Caffe** each step multiplies the rate by `gamma` (sgd_solver.cpp, GetLearningRate), 0.1 in most examples: three
    steps are a thousandth, and hardly anything is learned after them. `nanlint lr` shows the whole schedule.

    **Instead** where that is too early, step less often, or write a larger `gamma`.
    """
    rates = schedule(solver.param)
    if rates is None or rates.policy not in ("step", "multistep", "exp") or not 0 < rates.gamma < 1 or rates.last < 1:
        return
    start = abs(rates.rate(0))
    first = rates.first(lambda rate: abs(rate) <= start * SMALL) if math.isfinite(start) and start else None
    if first is None or first > min(rates.last * BEFORE_THE_END, LONG):
        return
    yield finding(
        _at(solver, "gamma"),
        f"the rate is {show(rates.rate(0))} at first, {show(rates.rate(first))} from iteration {first} of "
        f"{rates.last + 1} on and {show(rates.rate(rates.last))} at the end: hardly anything is learned after "
        f"iteration {first}; step less often, or write a larger `gamma`, if that is too early",
    )


@rule("LR013", "rising-rate", WARNING, effect=Effect.DIVERGENCE)
def rising_rate(solver: Solver) -> Iterator[Problem]:
    """The learning rate rises during the run.

    **In Caffe** step, exp and multistep rise for `gamma` above 1, inv and poly for a negative `power`, and
    sigmoid for every `gamma` above 0: it starts low and ends at `base_lr` (sgd_solver.cpp, GetLearningRate).

    **Instead** write `gamma` below 1 and `power` above 0; no setting makes `sigmoid` fall.
    """
    rates = schedule(solver.param)
    if rates is None or rates.last < 1:
        return
    start, end = abs(rates.rate(0)), abs(rates.rate(rates.last))
    if end > start and math.isfinite(end):
        factor = f"{end / start:.3g} times" if start else "above"
        yield finding(
            _at(solver, _culprit(solver)),
            f"the learning rate rises from {show(start)} to {show(end)}, {factor} its first value, by the "
            f"last iteration {rates.last}; {_remedy(solver)}",
        )


@rule("LR014", "constant-schedule", WARNING, effect=Effect.NONE, explained_by=chains.UNREAD)
def constant_schedule(solver: Solver) -> Iterator[Problem]:
    """A schedule that is meant to change the rate leaves it as it is, because a parameter is missing.

    **In Caffe** a missing `gamma` or `power` is 0: `inv` and `poly` raise to the power 0 and give `base_lr`
    throughout, `sigmoid` gives half of it (sgd_solver.cpp, GetLearningRate). `gamma: 1` steps by factor 1.

    **Instead** write `power: 0.75` and `gamma: 0.0001` for inv, `power: 1` for poly, or `lr_policy: "fixed"`.
    """
    param = solver.param
    rates = schedule(param)
    if rates is None or rates.last < 1 or not rates.base:
        return
    fields = {"inv": ("power", "gamma"), "poly": ("power",), "sigmoid": ("gamma",)}.get(rates.policy, ())
    still = [name for name in fields if getattr(param, name) == 0]
    if rates.gamma == 1 and rates.policy in ("step", "exp", "multistep"):
        still = ["gamma"]
    if still:
        yield finding(
            _at(solver, still[0]),
            f"{setting(param, still[0])} keeps the rate of `{rates.policy}` at {show(rates.rate(0))} "
            f'throughout; write `{still[0]}`, or `lr_policy: "fixed"`',
        )


def _at(solver: Solver, name: str) -> Place:
    """The place of a setting; where it is missing, that of the policy which needs it."""
    return solver.at(name if solver.param.HasField(name) else "lr_policy")


def _culprit(solver: Solver) -> str:
    """The field that makes a rate rise or leave the numbers."""
    param = solver.param
    if not math.isfinite(param.base_lr) or not param.HasField("lr_policy"):
        return "base_lr"
    for name in ("gamma", "power"):
        if name in FIELDS[param.lr_policy] and param.HasField(name):
            unusual = param.gamma > 1 if name == "gamma" else not param.power >= 0
            if unusual or param.lr_policy == "sigmoid":
                return name
    return "base_lr"


def _remedy(solver: Solver) -> str:
    culprit = _culprit(solver)
    if solver.param.lr_policy == "sigmoid" and culprit == "gamma" and math.isfinite(solver.param.gamma):
        return "write another policy, since `sigmoid` always rises"
    return {
        "gamma": "write a `gamma` below 1",
        "power": "write a positive `power`",
        "base_lr": "write a smaller `base_lr`",
    }[culprit]


def _trace(rates: Schedule, first: int) -> str:
    around = sorted({0, first - 1, first} - {-1})
    return ", ".join(f"rate({it}) = {show(rates.rate(it))}" for it in around)

"""The optimiser: its name, the settings that it needs, refuses or ignores, and those that blow it up."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.optimiser import (
    ADAPTIVE,
    READS,
    TYPES,
    first_rate,
    first_step,
    trained,
    trains,
)
from nanlint.analysis.schedule import schedule
from nanlint.analysis.spoiling import momentum_spoils
from nanlint.analysis.stillness import without_gradient
from nanlint.caffe.solver import iterations, solver_type
from nanlint.findings import Applicability, Edit, Effect, Fix, Problem, Related
from nanlint.numbers.float32 import f32, show
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import for_a_fork, setting
from nanlint.schema.suggest import nearest

if TYPE_CHECKING:
    from nanlint.caffe.model import LearnedParam, Solver


@rule("OPT001", "unknown-solver-type", ERROR, effect=Effect.SETUP_FAILURE)
def unknown_solver_type(solver: Solver) -> Iterator[Problem]:
    """The `type` is no optimiser that Caffe has.

    **In Caffe** the name is looked up before anything is built (solver_factory.hpp, CreateSolver): "Unknown
    solver type". Names are exact, capitals too; `type: ""` is unknown.

    **Instead** write one of `SGD`, `Nesterov`, `AdaGrad`, `RMSProp`, `AdaDelta`, `Adam`.
    """
    name = solver_type(solver.param)
    if name in TYPES:
        return
    same = next((known for known in TYPES if known.lower() == name.strip().lower()), None)
    near = same or next(iter(nearest(name, TYPES)), None)
    fix = None
    if same:
        place = solver.bound.place("type", value=True)
        fix = Fix(f'write `"{same}"`', (Edit(place, f'"{same}"'),), Applicability.SAFE)
    by_enum = solver.param.HasField("solver_type") and not solver.param.HasField("type")
    written = f"solver_type: {name}" if by_enum else f'type: "{name}"'
    meant = f'did you mean `"{near}"`?' if near else "write one of " + ", ".join(TYPES)
    yield finding(
        solver.at("solver_type" if by_enum else "type"),
        f"`{written}` is no optimiser of Caffe, which aborts before it reads the net; {meant}",
        fix=fix,
        severity=WARNING if for_a_fork(solver) else None,
    )


@rule("OPT002", "two-solver-types", ERROR, effect=Effect.SETUP_FAILURE)
def two_solver_types(solver: Solver) -> Iterator[Problem]:
    """Both `type` and the old `solver_type` are given.

    **In Caffe** reading the solver aborts (upgrade_proto.cpp, UpgradeSolverType), even where both name the
    same optimiser.

    **Instead** keep `type`.
    """
    param = solver.param
    if param.HasField("type") and param.HasField("solver_type"):
        old = solver.at("solver_type")
        yield finding(
            old,
            "`solver_type` stands beside `type`, and Caffe aborts on reading both; remove `solver_type`",
            related=[Related("`type` is here", solver.at("type"))],
            fix=Fix("remove `solver_type`", (Edit(old, ""),), Applicability.SAFE),
        )


@rule("OPT003", "momentum-refused", ERROR, effect=Effect.RUN_FAILURE)
def momentum_refused(solver: Solver) -> Iterator[Problem]:
    """`momentum` is set for AdaGrad or RMSProp, which take none.

    **In Caffe** `CHECK_EQ(0, momentum)` fails after all nets are built (sgd_solvers.hpp,
    constructor_sanity_check).

    **Instead** remove `momentum`; what RMSProp has is `rms_decay`.
    """
    kind = solver_type(solver.param)
    if kind in ("AdaGrad", "RMSProp") and solver.param.momentum != 0:
        place = solver.at("momentum")
        yield finding(
            place,
            f"{setting(solver.param, 'momentum')} with `{kind}`, which takes none: Caffe aborts; remove it",
            fix=Fix("remove `momentum`", (Edit(place, ""),), Applicability.SAFE),
        )


@rule("OPT004", "rms-decay-out-of-range", ERROR, effect=Effect.RUN_FAILURE)
def rms_decay_out_of_range(solver: Solver) -> Iterator[Problem]:
    """`rms_decay` of RMSProp is not in [0, 1).

    **In Caffe** `CHECK_GE(rms_decay, 0)` and `CHECK_LT(rms_decay, 1)` look at the 32-bit float, so 0.99999999
    is 1 and fails (sgd_solvers.hpp, RMSPropSolver::constructor_sanity_check).

    **Instead** write `rms_decay: 0.99`, or leave it out.
    """
    decay = solver.param.rms_decay
    if solver_type(solver.param) == "RMSProp" and not 0 <= decay < 1:
        yield finding(
            solver.at("rms_decay"),
            f"{setting(solver.param, 'rms_decay')} is not in [0, 1), and Caffe aborts; write `rms_decay: "
            "0.99`",
        )


@rule("OPT005", "adam-momentum-one", ERROR, effect=Effect.NON_FINITE)
def adam_momentum_one(solver: Solver) -> Iterator[Problem]:
    """Adam's `momentum` is 1 or -1, and its bias correction divides by 0.

    **In Caffe** the rate is corrected by `sqrt(1 - momentum2^t) / (1 - momentum^t)` (adam_solver.cpp,
    ComputeUpdateValue), infinite at t = 1 for 1 and at t = 2 for -1. Infinity times the averaged gradient,
    which is 0 or not, is NaN or infinite. A `momentum` above 0.99999997 is 1 as a 32-bit float.

    **Instead** write `momentum: 0.9`.
    """
    param = solver.param
    if solver_type(param) != "Adam" or abs(param.momentum) != 1:
        return
    at = 1 if param.momentum == 1 else 2
    if iterations(param) < at:
        return
    corrected = math.isfinite(param.momentum2) and f32(1.0 - param.momentum2**at) > 0
    net = solver.train_net
    moves = net is not None and any(True for _ in trained(net)) and bool(param.base_lr)
    yield finding(
        solver.at("momentum"),
        f"{setting(param, 'momentum')} makes Adam divide by 1 - momentum^t = 0 at its update {at}, and the "
        "weights are not finite from there on; write `momentum: 0.9`",
        evidence=f"1 - ({show(param.momentum)})^{at} = 0",
        severity=None if corrected and moves else WARNING,
    )


@rule("OPT006", "zero-delta", WARNING, effect=Effect.NON_FINITE)
def zero_delta(solver: Solver) -> Iterator[Problem]:
    """`delta` is 0, so a weight whose gradient has been 0 so far becomes 0/0.

    **In Caffe** AdaGrad, RMSProp, Adam and AdaDelta divide by the root of a running mean of squared
    gradients plus `delta` (their ComputeUpdateValue). Where the gradient has been exactly 0, as under a dead
    ReLU, a zero input or in a layer that no loss reaches, that is 0/0: NaN at the first update. AdaDelta
    never moves any other weight. A value below 7e-46 is 0 as a 32-bit float.

    **Instead** leave `delta` at its default 1e-8.
    """
    param = solver.param
    kind = solver_type(param)
    if kind not in ADAPTIVE or param.delta != 0 or iterations(param) == 0:
        return
    proof = _zero_over_zero(solver)
    yield finding(
        solver.at("delta"),
        f"{setting(param, 'delta')} leaves `{kind}` to divide 0 by 0 for every weight whose gradient is 0, "
        "and that weight is NaN at the first update; remove `delta`",
        evidence=proof,
        severity=ERROR if proof else None,
    )


@rule("OPT007", "unusual-delta", WARNING, effect=Effect.NON_FINITE)
def unusual_delta(solver: Solver) -> Iterator[Problem]:
    """`delta` is negative, infinite or nan.

    **In Caffe** `delta` is added to a root that is at least 0 and the sum divides the gradient (AdaGrad,
    RMSProp, Adam), or stands under a root itself (AdaDelta). Negative, it turns the step round or makes the
    root NaN; infinite, it stops all learning.

    **Instead** leave `delta` at its default 1e-8.
    """
    param = solver.param
    kind = solver_type(param)
    if kind not in ADAPTIVE or 0 <= param.delta < math.inf:
        return
    what = "stops every step" if param.delta == math.inf else "turns steps round, and can make weights NaN"
    yield finding(
        solver.at("delta"),
        f"{setting(param, 'delta')} in `{kind}` {what}; remove `delta`",
        effect=Effect.NO_LEARNING if param.delta == math.inf else None,
    )


@rule("OPT008", "momentum-at-or-above-one", WARNING, effect=Effect.DIVERGENCE)
def momentum_at_or_above_one(solver: Solver) -> Iterator[Problem]:
    """`momentum` is 1 or more, so old gradients never fade.

    **In Caffe** nothing checks it (sgd_solver.cpp, ComputeUpdateValue). SGD and Nesterov multiply the last
    update by it: above 1 the updates grow by that factor each iteration, even without any gradient; at 1
    they never shrink. AdaDelta takes the root of a negative mean: NaN. Adam's averages overflow.

    **Instead** write a momentum below 1: `momentum: 0.9`.
    """
    param = solver.param
    momentum = param.momentum
    kind = solver_type(param)
    if "momentum" not in READS.get(kind, ()) or not momentum >= 1:
        return
    if kind == "Adam" and momentum == 1:
        return
    if momentum == 1:
        grows = "old updates never fade" if kind != "AdaDelta" else "its mean of squared gradients stays 0"
    elif kind == "AdaDelta":
        grows = "its mean of squared gradients turns negative, and the root of it is NaN"
    else:
        grows = f"the updates grow {show(momentum)} times each iteration, whatever the gradients are"
    infinite = momentum_spoils(kind, param, first_rate(param)) and trains(solver.train_net)
    yield finding(
        solver.at("momentum"),
        f"{setting(param, 'momentum')}: {grows}; write a value below 1 (0.9 is usual)",
        severity=ERROR if infinite else None,
        effect=Effect.NON_FINITE if infinite or (kind == "AdaDelta" and momentum > 1) else None,
    )


@rule("OPT009", "negative-momentum", WARNING, effect=Effect.NONE)
def negative_momentum(solver: Solver) -> Iterator[Problem]:
    """`momentum` or `momentum2` is negative.

    **In Caffe** nothing checks it (sgd_solver.cpp, adam_solver.cpp, adadelta_solver.cpp): each update then
    undoes part of the last one, and below -1 the updates grow.

    **Instead** write a momentum from 0 to below 1.
    """
    param = solver.param
    for name in ("momentum", "momentum2"):
        momentum = getattr(param, name)
        if name in READS.get(solver_type(param), ()) and momentum < 0:
            grows = momentum <= -1
            infinite = name == "momentum" and momentum_spoils(solver_type(param), param, first_rate(param))
            infinite = infinite and trains(solver.train_net)
            yield finding(
                solver.at(name),
                f"{setting(param, name)} undoes part of each update"
                + (", and the updates grow; " if grows else "; ")
                + "write a value from 0 to below 1",
                severity=ERROR if infinite else None,
                effect=Effect.NON_FINITE if infinite else Effect.DIVERGENCE if grows else None,
            )


@rule("OPT010", "momentum2-at-or-above-one", WARNING, effect=Effect.NO_LEARNING)
def momentum2_at_or_above_one(solver: Solver) -> Iterator[Problem]:
    """Adam's `momentum2` is 1 or more, so its step is 0 or NaN.

    **In Caffe** the rate is multiplied by `sqrt(1 - momentum2^t)` (adam_solver.cpp, ComputeUpdateValue): 0 at
    1, the root of a negative number above it, which is NaN; a BLAS that takes a NaN factor as 0 hides it and
    nothing learns. A `momentum2` above 0.99999997 is 1 as a 32-bit float.

    **Instead** leave `momentum2` at its default 0.999.
    """
    param = solver.param
    if solver_type(param) == "Adam" and not param.momentum2 < 1:
        one = param.momentum2 == 1
        yield finding(
            solver.at("momentum2"),
            f"{setting(param, 'momentum2')} makes Adam's step "
            + ("0, so nothing learns" if one else "the root of a negative number")
            + "; remove `momentum2`",
            effect=None if one else Effect.NON_FINITE,
        )


@rule("OPT011", "averaging-without-momentum", WARNING, effect=Effect.NONE)
def averaging_without_momentum(solver: Solver) -> Iterator[Problem]:
    """Adam or AdaDelta is used without `momentum`, whose default is 0.

    **In Caffe** `momentum` is Adam's first decay rate and AdaDelta's only one, and 0 where it is missing:
    Adam then does not average gradients, AdaDelta divides each gradient by itself (adam_solver.cpp,
    adadelta_solver.cpp).

    **Instead** write `momentum: 0.9` for Adam, `momentum: 0.95` for AdaDelta.
    """
    param = solver.param
    kind = solver_type(param)
    if kind in ("Adam", "AdaDelta") and not param.HasField("momentum"):
        usual = "0.9" if kind == "Adam" else "0.95"
        yield finding(
            solver.at("type" if param.HasField("type") else "solver_type"),
            f"`{kind}` without `momentum` (default 0) keeps no average of the "
            + ("gradients" if kind == "Adam" else "squared gradients, so each step has the same small size")
            + f"; write `momentum: {usual}`",
        )


@rule("OPT012", "large-first-step", WARNING, effect=Effect.DIVERGENCE)
def large_first_step(solver: Solver) -> Iterator[Problem]:
    """The first update of an adaptive optimiser moves every weight by 0.3 or more.

    **In Caffe** RMSProp's first step is `base_lr / sqrt(1 - rms_decay)` a weight whatever the gradient is (10
    times `base_lr` by default), that of Adam and AdaGrad is `base_lr` (their ComputeUpdateValue). Usual
    fillers give weights below 0.1. Nets with BatchNorm bear more: nothing is said where a trial of the net in
    miniature bears it (`nanlint scale`).

    **Instead** write a smaller `base_lr`: 0.001 for Adam, 0.0001 to 0.001 for RMSProp, 0.01 for AdaGrad.
    """
    param = solver.param
    kind = solver_type(param)
    rates = schedule(param)
    if kind == "AdaDelta" or rates is None or rates.last < 0:
        return
    rate = rates.rate(0)
    step = first_step(kind, param, rate)
    if step is not None and step >= 0.3 and math.isfinite(step) and not _tried_and_borne(solver):
        yield finding(
            solver.at("base_lr"),
            f"the first update of `{kind}` moves every weight by {step:.3g}, whatever its gradient; write a "
            "smaller `base_lr`",
            evidence=f"rate {show(rate)}"
            + (f" / sqrt(1 - {show(param.rms_decay)})" if kind == "RMSProp" else ""),
        )


def _tried_and_borne(solver: Solver) -> bool:
    """Whether a trial of the net in miniature bears the rate."""
    from nanlint.analysis.forecast import forecast

    net = solver.train_net
    found = forecast(solver, net) if net is not None and not net.refused else None
    return found is not None and found.tried and found.high is not None and abs(solver.param.base_lr) <= found.high


@rule("OPT018", "unread-optimiser-field", INFO, effect=Effect.NONE)
def unread_optimiser_field(solver: Solver) -> Iterator[Problem]:
    """A setting is given that this optimiser does not read.

    **In Caffe** `momentum` belongs to SGD, Nesterov, AdaDelta and Adam, `momentum2` to Adam, `rms_decay` to
    RMSProp, `delta` to AdaGrad, RMSProp, AdaDelta and Adam (their ComputeUpdateValue). The others do not look
    at it.

    **Instead** remove it, or choose the optimiser that reads it.
    """
    param = solver.param
    kind = solver_type(param)
    for name in ("momentum2", "rms_decay", "delta"):
        if kind in READS and name not in READS[kind] and param.HasField(name):
            by = ", ".join(known for known, fields in READS.items() if name in fields)
            yield finding(
                solver.at(name), f"`{name}` has no effect with `{kind}` (it is read by {by}); remove it"
            )
    if param.HasField("regularization_type") and param.weight_decay == 0:
        yield finding(
            solver.at("regularization_type"),
            "`regularization_type` has no effect without `weight_decay`; remove it or write `weight_decay`",
        )


@rule("OPT019", "solver-type-by-enum", INFO, effect=Effect.NONE)
def solver_type_by_enum(solver: Solver) -> Iterator[Problem]:
    """The optimiser is named by the deprecated `solver_type`.

    **In Caffe** the enum is turned into `type` on reading (upgrade_proto.cpp, UpgradeSolverType), with a
    warning that a later release will not know it.

    **Instead** write `type`, with the name in its mixed case: `type: "Nesterov"`.
    """
    param = solver.param
    if param.HasField("solver_type") and not param.HasField("type"):
        place = solver.at("solver_type")
        text = f'type: "{solver_type(param)}"'
        yield finding(
            place,
            f"`solver_type` is deprecated; write `{text}`",
            fix=Fix(f"write `{text}`", (Edit(place, text),)),
        )


def _starts_at_zero(one: LearnedParam) -> bool:
    filler = one.param.filler
    zero = one.param.default == 0 if filler is None else filler.type == "constant" and filler.value == 0
    return zero and not one.layer.param.blobs


def _zero_over_zero(solver: Solver) -> str | None:
    """Why the update of some trained weight is 0/0 for certain: it has no gradient, and no decay moves it."""
    param, net = solver.param, solver.train_net
    if net is None or net.refused or param.weights or not first_rate(param) or param.iter_size < 1:
        return None
    if solver_type(param) == "Adam" and not 0 <= param.momentum2 < 1:
        return None
    for one in trained(net):
        decay = f32(param.weight_decay * one.decay_mult)
        why = without_gradient(net, one) if not decay or _starts_at_zero(one) else None
        if why:
            return f"{why}, so the first update of its weights is 0/0"
    return None

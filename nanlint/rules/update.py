"""What is done to a gradient before the optimiser sees it, and what the updates make of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.decay import overflow
from nanlint.analysis.optimiser import (
    READS,
    curvature_limit,
    first_rate,
    learnable,
    trained,
)
from nanlint.analysis.schedule import schedule
from nanlint.analysis.spoiling import decay_spoils, rate_spoils
from nanlint.caffe.solver import iterations, solver_type
from nanlint.findings import Applicability, Edit, Effect, Fix, Problem
from nanlint.numbers.float32 import f32, show
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import for_a_fork, setting

if TYPE_CHECKING:
    from nanlint.caffe.model import LearnedParam, Solver



@rule("OPT013", "decay-beyond-stability", WARNING, effect=Effect.DIVERGENCE)
def decay_beyond_stability(solver: Solver) -> Iterator[Problem]:
    """Weight decay times learning rate is so large that decay alone makes weights grow.

    **In Caffe** L2 decay adds `weight_decay * decay_mult * w` to the gradient (sgd_solver.cpp, Regularize);
    an update then multiplies w by 1 - rate * decay. SGD diverges where the product is above 2 (1 + momentum),
    Nesterov above 2 (1 + momentum) / (1 + 2 momentum). Far above it a few updates make weights infinite: an
    error where the run is long enough for that.

    **Instead** write a smaller `weight_decay`: 0.0005 is usual.
    """
    param = solver.param
    limit = curvature_limit(solver_type(param), param.momentum)
    rates = schedule(param)
    if limit is None or rates is None or rates.last < 0 or param.regularization_type != "L2":
        return
    rate = rates.rate(0)
    worst = max(_decay_products(solver, rate), default=(0.0, None), key=lambda pair: pair[0])
    if not limit < worst[0] < math.inf:
        return
    layer = f" of `{worst[1].layer.name}`" if worst[1] else ""
    proved = overflow(param, solver.train_net) if solver.train_net else None
    end = f" (`{proved.learned.layer.name}`: to infinity in update {proved.update})" if proved else ""
    yield finding(
        solver.at("weight_decay"),
        f"rate times decay{layer} is {worst[0]:.4g}, above the limit {limit:.4g} of "
        f"`{solver_type(param)}` with momentum {show(param.momentum)}, so decay alone makes weights "
        f"grow{end}; write a smaller `weight_decay`",
        evidence=f"rate {show(rate)}, weight_decay {show(param.weight_decay)}",
        severity=ERROR if proved else None,
        effect=Effect.NON_FINITE if proved else None,
    )


@rule("OPT014", "unusual-weight-decay", WARNING, effect=Effect.DIVERGENCE)
def unusual_weight_decay(solver: Solver) -> Iterator[Problem]:
    """`weight_decay` is negative, infinite or nan.

    **In Caffe** nothing checks it (sgd_solver.cpp, Regularize): a negative one makes weights grow, an
    infinite one times a weight is infinite, and times 0 it is NaN.

    **Instead** write `weight_decay: 0.0005`, or 0.
    """
    param = solver.param
    decay = param.weight_decay
    if decay >= 0 and math.isfinite(decay):
        return
    net, kind, rate = solver.train_net, solver_type(param), first_rate(param)
    certain = net is not None and any(decay_spoils(kind, param, rate, one) for one in trained(net))
    yield finding(
        solver.at("weight_decay"),
        f"{setting(param, 'weight_decay')} "
        + ("makes every decayed weight infinite or NaN" if not math.isfinite(decay) else "makes weights grow")
        + "; write 0.0005 or 0",
        severity=ERROR if certain else None,
        effect=None if math.isfinite(decay) else Effect.NON_FINITE,
    )


@rule("OPT015", "unknown-regularization-type", ERROR, effect=Effect.RUN_FAILURE)
def unknown_regularization_type(solver: Solver) -> Iterator[Problem]:
    """`regularization_type` is neither "L1" nor "L2".

    **In Caffe** it is compared at the first update of a blob with `weight_decay * decay_mult` other than 0,
    frozen or not (sgd_solver.cpp, Regularize): "Unknown regularization type". Names are exact.

    **Instead** write `regularization_type: "L2"` or leave it out.
    """
    param = solver.param
    name = param.regularization_type
    if name in ("L1", "L2"):
        return
    place = solver.bound.place("regularization_type", value=True)
    meant = name.strip().upper()
    fix = Fix(f'write `"{meant}"`', (Edit(place, f'"{meant}"'),)) if meant in ("L1", "L2") else None
    looked_at = _decay_is_read(solver)
    yield finding(
        solver.at("regularization_type"),
        f'`regularization_type: "{name}"` is neither "L1" nor "L2"'
        + (
            ", and Caffe aborts at the first update"
            if looked_at is not False
            else ", which Caffe notices as soon as a weight decays"
        )
        + "; write one of them",
        fix=fix,
        severity=INFO if looked_at is False else WARNING if looked_at is None or for_a_fork(solver) else None,
        effect=Effect.NONE if looked_at is False else None,
    )


@rule("OPT016", "zero-clip-gradients", ERROR, effect=Effect.NO_LEARNING)
def zero_clip_gradients(solver: Solver) -> Iterator[Problem]:
    """`clip_gradients: 0` makes every gradient 0.

    **In Caffe** clipping is on wherever `clip_gradients` is not negative (sgd_solver.cpp, ClipGradients):
    with 0 all gradients are multiplied by 0 / norm. Only weight decay is left.

    **Instead** remove it to switch clipping off, or write the largest norm that you allow: `clip_gradients:
    10`.
    """
    param = solver.param
    if param.clip_gradients == 0 and iterations(param) > 0:
        place = solver.at("clip_gradients")
        yield finding(
            place,
            f"{setting(param, 'clip_gradients')} scales every gradient to 0, so nothing learns; remove it "
            "to switch clipping off",
            fix=Fix("remove `clip_gradients`", (Edit(place, ""),), Applicability.UNSAFE),
        )


@rule("OPT017", "zero-iter-size", ERROR, effect=Effect.NON_FINITE)
def zero_iter_size(solver: Solver) -> Iterator[Problem]:
    """`iter_size` is 0 or negative: the net is never run.

    **In Caffe** an iteration runs the net `iter_size` times and divides loss and gradients by it (solver.cpp,
    Step; sgd_solver.cpp, Normalize); nothing checks it. With 0 the loss is 0/0 and every trained weight is
    NaN at the first update. A negative one trains nothing but weight decay.

    **Instead** write `iter_size: 1`, or the number of batches to add up before each update.
    """
    param = solver.param
    if param.iter_size > 0 or iterations(param) == 0:
        return
    if param.iter_size == 0:
        message = "divides the loss and every gradient by 0: NaN at the first iteration"
    else:
        message = "never runs the net, so nothing learns"
    yield finding(
        solver.at("iter_size"),
        f"{setting(param, 'iter_size')} {message}; write `iter_size: 1`",
        effect=Effect.NO_LEARNING if param.iter_size else None,
    )


@rule("OPT020", "run-blows-up", ERROR, effect=Effect.NON_FINITE)
def run_blows_up(solver: Solver) -> Iterator[Problem]:
    """With these settings the run of this net ends in NaN or infinity.

    **In Caffe** every number of a net of DummyData constants, InnerProduct, ReLU and EuclideanLoss with
    constant fillers stands in its files, so nanlint runs its first iterations in the same 32-bit arithmetic
    (forward, backward, clipping, decay, the optimiser) and finds the first number that is not finite.

    **Instead** change the setting that the message names.
    """
    from nanlint.analysis.replay import blowup

    found = blowup(solver)
    if found and not _linear_limit(solver):
        culprit = _unstable_setting(solver)
        losses = ", ".join(f"{loss:.4g}" for loss in found.losses[-4:])
        yield finding(
            solver.at(culprit),
            f"{found.where} is {show(found.value)} at iteration {found.iteration} under "
            f"{setting(solver.param, culprit)}; write a value at which it stays finite",
            evidence=f"loss up to there: {'..., ' if len(found.losses) > 4 else ''}{losses}",
        )


@rule("OPT021", "unusual-multiplier", WARNING, effect=Effect.DIVERGENCE)
def unusual_multiplier(solver: Solver) -> Iterator[Problem]:
    """A `decay_mult` is negative, or it or a `lr_mult` is infinite or nan.

    **In Caffe** rate and decay of a blob are multiplied by them without a check (sgd_solver.cpp,
    ComputeUpdateValue and Regularize): a negative `decay_mult` makes weights grow, and a factor that is not
    finite makes them NaN or infinite at the first update.

    **Instead** write 0 to freeze the blob, or a positive number.
    """
    param, net = solver.param, solver.train_net
    kind, rate = solver_type(param), first_rate(param)
    for one in learnable(net) if net else ():
        for name, times in (("lr_mult", one.lr_mult), ("decay_mult", one.decay_mult)):
            wild = not math.isfinite(times)
            if not wild and (times >= 0 or name == "lr_mult"):
                continue
            spoils = rate_spoils if name == "lr_mult" else decay_spoils
            certain = wild and iterations(param) > 0 and spoils(kind, param, rate, one)
            effect = "makes them NaN or infinite" if wild else "makes them grow"
            yield finding(
                one.layer.at(f"param[{one.index}].{name}"),
                f"`{name}: {show(times)}` on the {'biases' if one.index else 'weights'} of "
                f"`{one.layer.name}` {effect}; write 0 or a positive number",
                layer=one.layer.name,
                severity=ERROR if certain else None,
                effect=Effect.NON_FINITE if wild else None,
            )


def _decay_is_read(solver: Solver) -> bool | None:
    """Whether an update looks at `regularization_type`; None where the net is not known."""
    param, net = solver.param, solver.train_net
    if iterations(param) == 0:
        return False
    if net is None or net.refused:
        return None if param.weight_decay else False
    return any(f32(param.weight_decay * one.decay_mult) != 0 for one in learnable(net))


def _decay_products(solver: Solver, rate: float) -> Iterator[tuple[float, LearnedParam | None]]:
    """Rate times decay, per trained weight; for the solver alone where the net is not known."""
    product = rate * solver.param.weight_decay
    net = solver.train_net
    if net is None:
        yield product, None
    else:
        yield from ((product * one.lr_mult * one.decay_mult, one) for one in trained(net))


def _linear_limit(solver: Solver) -> bool:
    """Whether rate-beyond-stability says it already, with the reason."""
    from nanlint.analysis.linear import diverges, linear_net, overflow_at

    net = solver.train_net
    linear = linear_net(solver, net) if net else None
    if linear is None or not diverges(linear):
        return False
    return overflow_at(linear, iterations(solver.param)) is not None


def _unstable_setting(solver: Solver) -> str:
    """The setting that most likely makes a run blow up."""
    param = solver.param
    kind = solver_type(param)
    read = READS[kind]
    if "delta" in read and param.delta <= 0:
        return "delta"
    if "momentum" in read and not 0 <= param.momentum < 1:
        return "momentum"
    limit = curvature_limit(kind, param.momentum)
    if param.weight_decay < 0 or (limit and first_rate(param) * param.weight_decay > limit):
        return "weight_decay"
    return "base_lr"

"""Blow-up: rates and fillers that this net cannot bear."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.model import TRAIN
from nanlint.caffe.solver import iterations, solver_type
from nanlint.findings import Effect, Problem, Related
from nanlint.numbers.float32 import show
from nanlint.rules import chains
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import counted, times

if TYPE_CHECKING:
    from nanlint.analysis.linear import LinearNet
    from nanlint.analysis.risk import Risk
    from nanlint.analysis.scale import Learned
    from nanlint.caffe.model import LearnedParam, Net, Solver

USUAL_MOMENTUM = 0.901
EXPLODED = 1e8
"""A root mean square whose fourth power is near the largest 32-bit float."""


def _risk(solver: Solver) -> Risk | None:
    from nanlint.analysis.risk import risk_of

    net = solver.train_net
    return None if net is None or net.refused else risk_of(solver, net)


@rule("BLW001", "rate-beyond-stability", ERROR, effect=Effect.DIVERGENCE)
def rate_beyond_stability(solver: Solver) -> Iterator[Problem]:
    """The rate is beyond the exact stability limit of a linear layer under EuclideanLoss.

    **In Caffe** EuclideanLoss is half the squared distance over the batch size, so a linear layer on constant
    input c sees a parabola of curvature `loss_weight * (fan_in * c^2 + 1)`, the 1 for the bias
    (euclidean_loss_layer.cpp, inner_product_layer.cpp). SGD with momentum m diverges on it if rate times
    curvature exceeds 2 (1 + m), Nesterov if it exceeds 2 (1 + m) / (1 + 2 m), and both stay bounded below;
    each update then multiplies the error.

    **Instead** write a rate below 2 (1 + m) / curvature, better a tenth of that, or scale the input down.
    """
    from nanlint.analysis.linear import diverges, growth, linear_net, overflow_at

    net = solver.train_net
    linear = linear_net(solver, net) if net is not None else None
    updates = iterations(solver.param)
    if linear is None or updates < 2 or not diverges(linear):
        return
    overflow = overflow_at(linear, updates)
    factor, limit = growth(linear), linear.limit
    formula = "2 (1 + m) / (1 + 2 m)" if linear.nesterov else "2 (1 + m)"
    yield finding(
        solver.at("base_lr"),
        f"`base_lr: {show(solver.param.base_lr)}` times the curvature {linear.curvature:.4g} of "
        f"`{linear.layer.name}` under `{linear.loss.name}` is {linear.step:.4g}, outside 0 .. {formula} = "
        f"{limit:.4g} for `momentum` m = {show(linear.momentum)}: the error grows {factor:.3g}-fold with "
        "each update; "
        + (
            f"write a `base_lr` below {limit / linear.curvature:.2g}"
            if linear.step > 0
            else "remove the sign that makes it climb"
        ),
        evidence=_arithmetic(linear)
        + (f"; after update {overflow} the loss is beyond the largest 32-bit float" if overflow else ""),
        related=[
            Related("the linear layer", linear.layer.at("type")),
            Related("the loss", linear.loss.at("type")),
        ],
        effect=Effect.NON_FINITE if overflow else None,
    )


def _arithmetic(linear: LinearNet) -> str:
    weights, *bias = linear.layer.params
    square = f"fan_in {linear.fan_in} * input {show(linear.input)}^2" + _multiplied(weights)
    plus = "".join(f" + 1{_multiplied(learned)}" for learned in bias)
    return f"curvature = loss_weight {show(linear.loss_weight)} * ({square}{plus})"


def _multiplied(learned: LearnedParam) -> str:
    return "" if learned.lr_mult == 1 else f" * lr_mult {show(learned.lr_mult)}"


@rule("BLW002", "rate-too-high", WARNING, effect=Effect.DIVERGENCE, explained_by=chains.SCALE)
def rate_too_high(solver: Solver) -> Iterator[Problem]:
    """The rate is far too high for this net: estimated from fillers, fan-in, data scale and losses.

    **In Caffe** an update is rate times gradient (sgd_solver.cpp, ComputeUpdateValue). The gradient at
    initialisation follows from the scale of the data, the fillers and the loss; where rate times curvature
    is beyond 2 (1 + momentum), predictions overshoot further with each update. The estimate multiplies in
    how much the first update enlarges the other layers. It is calibrated on runs of Caffe that went NaN or
    grew their loss tenfold.

    **Instead** write the `base_lr` of the message or less, scale the input, or begin with smaller fillers.
    `nanlint scale` shows the table layer by layer.
    """
    from nanlint.analysis.linear import linear_net
    from nanlint.analysis.risk import bearable_rate
    from nanlint.analysis.scale import scale_of

    risk = _risk(solver)
    if risk is None or not risk.complete or risk.worst is None or risk.figure <= risk.alarm:
        return
    if solver.train_net is None or linear_net(solver, solver.train_net) is not None:
        return
    worst = risk.worst.learned
    exploded = any(moment.rms > EXPLODED for moment in scale_of(solver.train_net).moments.values())
    safe = None if exploded else bearable_rate(solver, solver.train_net)
    if safe is None:
        return
    yield finding(
        solver.at("base_lr"),
        f"`base_lr: {show(solver.param.base_lr)}` is too high for this net, by an estimate from its fillers "
        f"and data: the first update moves {_blob(worst)} by {_percent(risk.worst.relative)} and overshoots; "
        f"write `base_lr: {safe:.1g}` or less, or scale the input or the fillers down",
        evidence=f"rate x curvature / limit = {times(risk.steepness)}, and the first update multiplies what "
        f"the other layers carry by {times(risk.growth)}",
        related=[Related("here the step is steepest", worst.param.layer.at("type"))],
    )


def _blob(learned: Learned) -> str:
    what = "weight" if learned.param.index == 0 else "bias"
    return f"the {what} of `{learned.param.layer.name}`"


def _percent(relative: float | None) -> str:
    return "far more than it is" if relative is None or relative > 10 else f"{100 * relative:.2g} % of it"


@rule("BLW006", "negative-lr-mult", WARNING, effect=Effect.DIVERGENCE)
def negative_lr_mult(net: Net) -> Iterator[Problem]:
    """A negative `lr_mult` makes these weights climb the loss.

    **In Caffe** the local rate is `base_lr * lr_mult` (sgd_solver.cpp, ComputeUpdateValue), without a check.

    **Instead** write 0 to freeze the weights, or a positive number to train them.
    """
    for learned in net.params:
        if learned.lr_mult < 0 and learned.owner is None:
            layer = learned.layer
            yield finding(
                layer.at(f"param[{learned.index}].lr_mult"),
                f"`lr_mult: {show(learned.lr_mult)}` of `{layer.name}` makes these weights climb the loss; "
                "write 0 to freeze them, or a positive number",
                layer=layer.name,
                phase=net.phase,
            )


@rule("BLW007", "saturated-first-loss", WARNING, effect=Effect.DIVERGENCE, explained_by=chains.BEGINNING)
def saturated_first_loss(net: Net) -> Iterator[Problem]:
    """Untrained logits are so large that the first loss is near its ceiling of 87.3365.

    **In Caffe** SoftmaxWithLoss takes the logarithm of a probability clamped at the smallest normal 32-bit
    float (softmax_loss_layer.cpp), so one sample costs at most -ln(1.18e-38) = 87.3365. A loss that begins
    there has a gradient that says nothing of how far off it is.

    **Instead** scale the input, or use fillers that keep the logits near 1 (`xavier`, `msra`).
    """
    from nanlint.analysis.scale import scale_of
    from nanlint.caffe.layers.pull import SATURATED

    if net.phase != TRAIN or net.refused:
        return
    for loss in scale_of(net).losses:
        logits = scale_of(net).moment(loss.layer.bottoms[0])
        if loss.layer.type != "SoftmaxWithLoss" or logits is None or loss.pull.log_room != math.inf:
            continue
        if logits.rms < SATURATED / 2:
            continue
        yield finding(
            loss.layer.at("type"),
            f"`{loss.layer.name}` begins near its ceiling of 87.3365 a sample: the logits of "
            f"`{loss.layer.bottoms[0].name}` are about {logits.rms:.2g} before any training; scale the "
            "input, or use smaller fillers",
            layer=loss.layer.name,
            phase=net.phase,
        )


@rule("BLW008", "exploding-activations", WARNING, effect=Effect.NON_FINITE, explained_by=chains.BEGINNING)
def exploding_activations(net: Net) -> Iterator[Problem]:
    """The fillers let activations grow from layer to layer, beyond all measure.

    **In Caffe** a linear layer multiplies the second moment of its input by fan_in * E[w^2]; where that
    stays far above 2 in layer after layer, the values, their squares in BatchNorm, LRN or EuclideanLoss,
    and the gradients leave the range of 32-bit floats.

    **Instead** use `msra` or `xavier`, or a `std` near sqrt(2 / fan_in).
    """
    from nanlint.analysis.scale import scale_of

    if net.phase != TRAIN or net.refused:
        return
    scale = scale_of(net)
    for layer in net.layers:
        bottom = scale.moment(layer.bottoms[0]) if layer.bottoms else None
        top = scale.moment(layer.tops[0]) if layer.tops else None
        if bottom is None or top is None or not layer.params or top.rms <= EXPLODED or bottom.rms > EXPLODED:
            continue
        yield finding(
            layer.at("type"),
            f"the activations of `{layer.name}` are about {top.rms:.2g} before any training "
            f"({bottom.rms:.2g} in its bottom), and what squares them leaves the range of 32-bit floats; "
            "use `msra` or `xavier`, or a smaller `std`",
            layer=layer.name,
            phase=net.phase,
        )
        return


@rule(
    "BLW009", "debug-info-advised", INFO, effect=Effect.NONE,
    explained_by=(*chains.SCALE, "rate-too-high", "saturated-first-loss"),
)
def debug_info_advised(solver: Solver) -> Iterator[Problem]:
    """This run is at risk, and `debug_info` would show where it breaks.

    **In Caffe** `debug_info: true` prints, each iteration, the mean absolute value of every top, of every
    gradient and of every update (net.cpp, ForwardDebugInfo, BackwardDebugInfo, UpdateDebugInfo). The first
    layer whose number is nan or leaps names the cause; a mean reads inf when the sum overflows, before any
    element does.

    **Instead** write `debug_info: true` for the first hundred iterations, and remove it again: it is slow.
    """
    risk = _risk(solver)
    if risk is None or not risk.complete or risk.figure <= risk.alarm or solver.param.debug_info:
        return
    if risk.worst is not None:
        steps = counted(min(100, max(1, solver.param.max_iter)), "iteration")
        yield finding(
            solver.at("base_lr"),
            f"this run is likely to diverge; write `debug_info: true` for {steps} and look for the first "
            f"layer whose `[Update]` line leaps, `{risk.worst.learned.param.layer.name}` most likely",
        )


@rule("BLW010", "rate-beyond-published", WARNING, effect=Effect.DIVERGENCE, explained_by=chains.SCALE)
def rate_beyond_published(solver: Solver) -> Iterator[Problem]:
    """The rate is several times the largest with which nets of this kind were published.

    **In Caffe** an update is rate times gradient (sgd_solver.cpp, ComputeUpdateValue), and nothing bounds the
    rate. Of 170 public solvers with SGD over nets without BatchNorm the largest `base_lr` is 0.05; with
    BatchNorm it is 0.1, and 1 or more goes with a warm-up or a rate for each layer. Gradients add up to rate /
    (1 - momentum): 0.99 makes ten times as much of a rate as the usual 0.9. Where the files
    show the scale of the data, `rate-too-high` judges instead.

    **Instead** begin with 0.01, or 0.1 under BatchNorm, and take a tenth if the loss rises.
    """
    from nanlint.analysis.risk import ADAPTED

    net, param = solver.train_net, solver.param
    if net is None or net.refused or solver_type(param) not in ("SGD", "Nesterov") or param.clip_gradients >= 0:
        return
    longer = 0.1 / (1 - param.momentum) if USUAL_MOMENTUM < param.momentum < 1 else 1.0
    risk = _risk(solver)
    if (risk is not None and risk.complete) or any(field.name in ADAPTED for field in solver.bound.root.fields):
        return
    trained = {one.layer for one in net.params if one.lr_mult and one.layer.runs_backward}
    weight = max((abs(weight) for layer in net.layers for weight in layer.loss_weights), default=0.0)
    normalised = any(layer.facts.keeps_statistics for layer in net.layers)
    usual = 0.1 if normalised else 0.05
    if len(trained) < 3 or weight < 0.5 or abs(param.base_lr) * longer <= (10 if normalised else 6) * usual:
        return
    kind = "with" if normalised else "without"
    with_momentum = f" with `momentum: {show(param.momentum)}` acts like {abs(param.base_lr) * longer:.2g}: it"
    yield finding(
        solver.at("base_lr"),
        f"`base_lr: {show(param.base_lr)}`{with_momentum if longer > 1 else ''} is "
        f"{abs(param.base_lr) * longer / usual:.2g} times the largest of "
        f"published nets {kind} BatchNorm under {solver_type(param)} ({usual:g}); write `base_lr: "
        f"{usual / 5 if not normalised else usual:g}`",
    )

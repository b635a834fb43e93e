"""Blow-up: rates and fillers that this net cannot bear."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.model import TRAIN
from nanlint.caffe.solver import iterations, solver_type
from nanlint.findings import Applicability, Edit, Effect, Fix, Problem, Related
from nanlint.numbers.float32 import show
from nanlint.rules import chains
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.analysis.forecast import Forecast
    from nanlint.analysis.linear import LinearNet
    from nanlint.analysis.risk import Risk
    from nanlint.analysis.scale import Learned
    from nanlint.caffe.model import LearnedParam, Net, Solver

USUAL_MOMENTUM = 0.901
EXPLODED = 1e8
"""A root mean square whose fourth power is near the largest 32-bit float."""


UNTROUBLED = -4.0
"""A risk below which no trial is made: on the nets of benchmarks/rates.py the edge never lies below -4.8."""
ALARM = 2.5
"""A rate so many times above the forecast is called too high: at half of it, every tenth net that trains would be."""
ADAPTIVE_ALARM, ASSUMED_ALARM = 2.0, 2.0
"""So many times more where steps have a size of their own, and where the data is assumed: they spread more."""
SAFETY = 3.0
"""The rate to write is so many times below the edge."""


def risk_of_net(solver: Solver, net: Net) -> Risk | None:
    """The estimate of the first update alone; None for a net that Caffe cannot build."""
    from nanlint.analysis.risk import risk_of

    return None if net.refused else risk_of(solver, net)


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
    """The rate is far too high for this net, as a trial of its first steps in miniature shows.

    **In Caffe** an update is rate times gradient (sgd_solver.cpp, ComputeUpdateValue). Where it overshoots, the
    loss grows with each update, its units saturate, or its ReLUs die and it stays at chance for ever. Which rate
    does so depends on the net, the fillers, the scale of the data, the losses and the optimiser: a net of the
    same layers with a few units each is trained at rates a quarter of a decade apart. On nets trained in Caffe
    the edge lies within a factor 3 of the forecast two times of three.

    **Instead** write the `base_lr` of the message, scale the input, or begin with smaller fillers. `nanlint scale`
    shows what each layer does, and what the forecast takes for granted.
    """
    beyond = _beyond(solver)
    if beyond is None:
        return
    found, times_too_high = beyond
    borne = found.rate or 0.0
    write = _round(min(borne, abs(solver.param.base_lr)) / SAFETY)
    place = solver.bound.place("base_lr", value=True)
    risk = risk_of_net(solver, found.net) if found.net is not None else None
    moved = f"the first update changes {_blob(risk.worst.learned)} by {_percent(risk.worst.relative)}" if (
        risk is not None and risk.worst is not None
    ) else "the first updates overshoot"
    fails = "in miniature fails" if found.tried else "overshoots"
    yield finding(
        solver.at("base_lr"),
        f"`base_lr: {show(solver.param.base_lr)}` is about {times_too_high:.1g} times what this net bears: {moved}, "
        f"and training {fails} above {borne:.1g}; write `base_lr: {write}`, or scale the input or the "
        "fillers down",
        evidence=f"nine times of ten the edge lies between {found.low:.1g} and {found.high:.1g}"
        + (f"; assumed: {', '.join(found.assumed)}" if found.assumed else ""),
        related=[Related("here the step is steepest", risk.worst.learned.param.layer.at("type"))]
        if risk is not None and risk.worst is not None
        else [],
        fix=Fix(f"write `{write}`", (Edit(place, write),), Applicability.UNSAFE)
        if solver.bound.field("base_lr")
        else None,
    )


def _beyond(solver: Solver) -> tuple[Forecast, float] | None:
    """The forecast, and how many times above it the rate is, where that is too much."""
    from nanlint.analysis.assumed import assume
    from nanlint.analysis.forecast import forecast, trains_at, untried
    from nanlint.analysis.linear import linear_net
    from nanlint.analysis.optimiser import ADAPTIVE
    from nanlint.analysis.scale import scale_of

    net = solver.train_net
    if net is None or net.refused or not 0 < abs(solver.param.base_lr) < math.inf:
        return None
    assumed = assume(solver, net)
    looked_at = assumed.net
    if untried(solver, looked_at) is not None or linear_net(solver, looked_at) is not None:
        return None
    risk = risk_of_net(solver, looked_at)
    if risk is None or not risk.complete or risk.figure < UNTROUBLED:
        return None
    alarm = ALARM * (ADAPTIVE_ALARM if solver_type(solver.param) in ADAPTIVE else 1.0)
    alarm *= ASSUMED_ALARM if assumed.assumptions else 1.0
    if trains_at(solver, looked_at, abs(solver.param.base_lr) / alarm):
        return None
    found = forecast(solver, net)
    if found.rate is None or abs(solver.param.base_lr) <= alarm * found.rate:
        return None
    exploded = any(moment.rms > EXPLODED for moment in scale_of(looked_at).moments.values())
    if exploded or not (found.tried or risk.figure > risk.alarm):
        return None
    return found, abs(solver.param.base_lr) / found.rate


def _round(rate: float) -> str:
    """A rate of one digit that is no larger: 0.003, not 0.00347."""
    decade = 10.0 ** math.floor(math.log10(rate))
    return f"{math.floor(rate / decade * (1 + 1e-9)) * decade:.1g}"


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
    from nanlint.analysis.fine_tuning import fine_tuned
    from nanlint.analysis.scale import scale_of
    from nanlint.caffe.layers.pull import SATURATED

    if net.phase != TRAIN or net.refused or fine_tuned(net) is not None:
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
            severity=INFO if _guessed(net) else None,
        )


SCALED_ALREADY = ("gcn", "zca", "white", "norm", "float", "feat")
"""Words in the names of databases that hold other numbers than bytes."""


def _guessed(net: Net) -> bool:
    """Whether values are taken for bytes where the name of their database says that they are scaled already."""
    return any(
        word in layer.param.data_param.source.lower() and layer.tops[0].name not in net.fed
        for layer in net.layers
        if layer.facts.holds_pixels and layer.tops
        for word in SCALED_ALREADY
    )


@rule("BLW008", "exploding-activations", WARNING, effect=Effect.NON_FINITE, explained_by=chains.BEGINNING)
def exploding_activations(net: Net) -> Iterator[Problem]:
    """The fillers let activations grow from layer to layer, beyond all measure.

    **In Caffe** a linear layer multiplies the second moment of its input by fan_in * E[w^2]; where that
    stays far above 2 in layer after layer, the values, their squares in BatchNorm, LRN or EuclideanLoss,
    and the gradients leave the range of 32-bit floats.

    **Instead** use `msra` or `xavier`, or a `std` near sqrt(2 / fan_in).
    """
    from nanlint.analysis.fine_tuning import fine_tuned
    from nanlint.analysis.scale import scale_of

    if net.phase != TRAIN or net.refused or fine_tuned(net) is not None:
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
    if solver.param.debug_info or (beyond := _beyond(solver)) is None:
        return
    looked_at = beyond[0].net
    risk = risk_of_net(solver, looked_at) if looked_at is not None else None
    steps = counted(min(100, max(1, solver.param.max_iter)), "iteration")
    likely = f", `{risk.worst.learned.param.layer.name}` most likely" if risk is not None and risk.worst else ""
    yield finding(
        solver.at("base_lr"),
        f"this run is likely to diverge; write `debug_info: true` for {steps} and look for the first layer whose "
        f"`[Update]` line leaps{likely}",
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
    from nanlint.analysis.assumed import assume
    from nanlint.analysis.forecast import untried

    net, param = solver.train_net, solver.param
    if net is None or net.refused or solver_type(param) not in ("SGD", "Nesterov") or param.clip_gradients >= 0:
        return
    longer = 0.1 / (1 - param.momentum) if USUAL_MOMENTUM < param.momentum < 1 else 1.0
    looked_at = assume(solver, net).net
    risk = risk_of_net(solver, looked_at)
    judged = risk is not None and risk.complete and longer == 1
    if judged or untried(solver, looked_at) is not None:
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

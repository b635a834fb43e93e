"""How far the first updates go: by optimiser, for each learned blob, and for the net as a whole.

The figures rest on `scale_of`. A step is compared with what it moves: the weight itself, the output of
its layer, and the curvature of the loss. Where the scale of a blob is unknown, so is its update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, inf, log
from typing import NamedTuple

from nanlint.analysis.optimiser import ADAPTIVE, curvature_limit, first_step
from nanlint.analysis.scale import Learned, Pressure, Scale, scale_of
from nanlint.analysis.scale_losses import Loss
from nanlint.caffe.model import Blob, Layer, Net, Solver
from nanlint.caffe.solver import solver_type
from nanlint.numbers.moments import log_sum, logarithm

FLOAT_MAX = 88.7228
"""ln of the largest float32."""
ALARM = 2.0
ADAPTIVE_ALARM = 6.5
"""Optimisers whose steps have a size of their own overshoot and come back."""
ADAPTED = (
    *("larc", "local_lr_auto", "rampup_interval", "rampup_lr", "stageiter", "stagelr"),
    *("warm_up_factor", "warm_up_iters", "warm_up_method", "warmup_iter", "warmup_start_lr"),
)
"""Solver fields of forks that scale each layer's rate, or begin with another one."""
DEEP_MARGIN = 4.0
"""Above this a net of several layers diverges (calibrated on runs of Caffe); one linear layer: above 0."""
COMPOUND = 1.5
"""The power of other layers' growth in the steepness of one (calibrated; at most 2 in theory)."""
SATURATION_MARGIN = 3.0
"""A loss at its ceiling cannot grow; weights that grow e^3-fold an update end beyond float32."""


class Update(NamedTuple):
    """The first update of one learned blob.

    `relative`: the root mean square of the update over that of the weights; None where either is
    unknown or the weights are all 0. `log_steepness`: ln of rate x curvature / limit, above 0 where
    this blob alone overshoots. `log_swing`: ln of how far the layer's output moves, relative to itself.
    """

    learned: Learned
    relative: float | None
    log_steepness: float
    log_swing: float
    log_step: float
    log_moved: float


class Risk(NamedTuple):
    """The risk that training diverges, in natural logarithms: above 0 it is likely.

    `worst` is the update that contributes most; `complete` says whether every weighted loss was known.
    Above `alarm` a rate is called too high: published nets that trained stay below.
    """

    figure: float
    alarm: float
    steepness: float
    growth: float
    updates: Sequence[Update]
    complete: bool

    @property
    def worst(self) -> Update | None:
        return max(self.updates, key=lambda update: update.log_steepness, default=None)


def risk_of(solver: Solver, net: Net) -> Risk | None:
    """The risk of one training net under its solver; None where no gradient is known."""
    if not 0 < abs(solver.param.base_lr) < inf or not from_scratch(solver):
        return None
    step = first_step(solver_type(solver.param), solver.param, 1.0)
    if step is not None and not 0 < step < inf:
        return None
    scale = scale_of(net)
    clip = _log_clip(solver, scale)
    updates = [
        update
        for learned in scale.learned
        if learned.param.lr_mult and learned.pressures
        for update in [_update(solver, learned, clip)]
    ]
    if not updates:
        return None
    return _judge(solver, scale, updates, clip)


def bearable_rate(solver: Solver, net: Net) -> float | None:
    """The largest `base_lr`, to a tenth of a decade, whose risk is not above 0; None if none is found."""
    from dataclasses import replace

    param = type(solver.param)()
    param.CopyFrom(solver.param)
    trial = replace(solver, param=param)
    highest = 1e4

    def borne(tenths: int) -> bool:
        param.base_lr = highest * 10 ** (-tenths / 10)
        risk = risk_of(trial, net)
        return risk is not None and risk.figure <= 0

    decades = next((tenths for tenths in range(10, 500, 10) if borne(tenths)), None)
    if decades is None:
        return None
    tenths = next(tenths for tenths in range(decades - 9, decades + 1) if borne(tenths))
    return highest * float(10 ** (-tenths / 10))


def from_scratch(solver: Solver) -> bool:
    """Whether fillers and `base_lr` decide about the first update: no stored weights, no adapted rate."""
    if solver.param.weights:
        return False
    return not any(field.name in ADAPTED for field in solver.bound.root.fields)


def _log_clip(solver: Solver, scale: Scale) -> float:
    """ln of the factor by which clip_gradients shrinks the first gradient."""
    clip = solver.param.clip_gradients
    known = [learned.log_gradient for learned in scale.learned]
    gradient = log_sum(*(x for x in known if x is not None)) / 2
    return min(0.0, logarithm(clip) - gradient) if clip >= 0 and gradient > -inf else 0.0


def log_step(solver: Solver, learned: Learned) -> float:
    """ln of the rate of one blob."""
    return logarithm(abs(solver.param.base_lr)) + logarithm(abs(learned.param.lr_mult))


def _update(solver: Solver, learned: Learned, clip: float) -> Update:
    rate = log_step(solver, learned)
    kind = solver_type(solver.param)
    fixed = first_step(kind, solver.param, 1.0) if kind in ADAPTIVE else None
    limit = _log_limit(solver)
    batch = _batch(learned)
    if fixed is None:
        steep = rate + log_sum(*(p.log_curvature for p in learned.pressures)) - limit
        moved = max(_moved(p, batch) for p in learned.pressures) + rate + clip
        gradient = learned.log_gradient
        size = None if gradient is None else rate + clip + (gradient - log(learned.elements)) / 2
    else:
        size = rate + logarithm(fixed)
        if kind == "AdaDelta" and learned.log_gradient is not None:
            size = min(size, rate + (learned.log_gradient - log(learned.elements)) / 2)
        moved = size + log(learned.fan_in) + learned.log_input / 2 + log(learned.outputs or 1) / 2
        steep = max(_overshoot(p, moved) for p in learned.pressures) - limit
    output = learned.log_output
    swing = -inf
    if output is not None and output > -inf:
        swing = moved - (output + log(learned.outputs or 1)) / 2
    relative = None
    if size is not None and learned.log_weight is not None and learned.log_weight > -inf:
        relative = exp(min(700.0, size - learned.log_weight / 2))
    return Update(learned, relative, steep, swing, moved if size is None else size, moved)


def _log_limit(solver: Solver) -> float:
    """ln of the product of rate and curvature beyond which a step overshoots for good."""
    momentum = abs(solver.param.momentum)
    limit = curvature_limit(solver_type(solver.param), momentum)
    return log(limit if limit is not None else 2 * (1 + momentum))


def _batch(learned: Learned) -> int:
    shape = learned.param.layer.tops[0].shape
    return (shape[0] if shape else None) or 1


def _moved(pressure: Pressure, batch: int) -> float:
    """ln of how far the layer's output moves for a rate of 1."""
    gradient = pressure.loss.log_gradient
    if gradient is None:
        return -inf
    return pressure.log_reach - pressure.log_arrived / 2 + log(batch) + gradient / 2


def _overshoot(pressure: Pressure, moved: float) -> float:
    """ln of curvature x movement of the prediction / its distance from the target."""
    residual = pressure.loss.pull.log_residual or 0.0
    return pressure.loss.log_curvature + moved + (pressure.log_arrived - residual) / 2


def _judge(solver: Solver, scale: Scale, updates: Sequence[Update], clip: float) -> Risk:
    groups: dict[Layer, list[Update]] = {}
    for update in [update for update in updates if not update.learned.normalised] or updates:
        groups.setdefault(update.learned.param.layer, []).append(update)
    steep = log_sum(*(update.log_steepness for group in groups.values() for update in group))
    memory = log(_memory(solver))
    lower = _below(scale.net, groups)
    higher = _above(scale.net, groups)
    growth = max(lower[layer] + higher[layer] for layer in groups)
    figure = steep
    if len(groups) > 1:
        compounded = [
            log_sum(*(update.log_steepness for update in group)) + COMPOUND * (lower[layer] + higher[layer])
            for layer, group in groups.items()
        ]
        figure = log_sum(*compounded) + memory / 2 - DEEP_MARGIN
    figure = min(figure, _reach(updates, growth, memory, clip))
    alarm = ADAPTIVE_ALARM if solver_type(solver.param) in ADAPTIVE else ALARM
    return Risk(max(figure, *_certain(solver, scale, updates)), alarm, steep, growth, updates, scale.complete)


def _below(net: Net, groups: Mapping[Layer, Sequence[Update]]) -> dict[Layer, float]:
    """ln of how much larger each layer's bottoms become by one update of what lies below."""
    grown: dict[Blob, float] = {}
    below: dict[Layer, float] = {}
    for layer in net.layers:
        below[layer] = _mean([grown.get(blob, 0.0) for blob in layer.bottoms] or [0.0])
        own = _growth(groups[layer], backward=False) if layer in groups else 0.0
        reset = layer.facts.normalises
        grown.update(dict.fromkeys(layer.tops, 0.0 if reset else below[layer] + own))
    return below


def _above(net: Net, groups: Mapping[Layer, Sequence[Update]]) -> dict[Layer, float]:
    """ln of how much larger the gradient at each layer's tops becomes by one update of what lies above."""
    grown: dict[Blob, list[float]] = {}
    above: dict[Layer, float] = {}
    for layer in reversed(net.layers):
        above[layer] = _mean([_mean(grown[blob]) for blob in layer.tops if blob in grown] or [0.0])
        own = _growth(groups[layer], backward=True) if layer in groups else 0.0
        for blob in layer.bottoms:
            grown.setdefault(blob, []).append(above[layer] + own)
    return above


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _memory(solver: Solver) -> float:
    """How many steps of the past momentum adds up."""
    averages = solver_type(solver.param) in ("SGD", "Nesterov", "Adam")
    momentum = abs(solver.param.momentum) if averages else 0.0
    steps = max(1, solver.param.max_iter)
    return min(1 / (1 - momentum), steps) if momentum < 1 else steps


def _reach(updates: Sequence[Update], growth: float, memory: float, clip: float) -> float:
    """ln of how far predictions move, over how far they must move for ten times the loss.

    A squared loss pulls the harder the further it is off, so only clipping keeps it from going on.
    """
    reach = -inf
    for update in updates:
        for pressure in update.learned.pressures:
            room = pressure.loss.pull.log_room
            if room == inf:
                return growth + memory - SATURATION_MARGIN
            if room is None or (pressure.loss.layer.type == "EuclideanLoss" and not clip < 0):
                return inf
            reach = log_sum(reach, update.log_moved + pressure.log_arrived / 2 - room)
    return reach + growth + memory


def _certain(solver: Solver, scale: Scale, updates: Sequence[Update]) -> list[float]:
    """Growth that needs no curvature: decay beyond its limit, momentum above 1, values beyond float32."""
    param = solver.param
    momentum = abs(param.momentum)
    limit = _log_limit(solver)
    decays = [
        log_step(solver, u.learned) + logarithm(param.weight_decay * u.learned.param.decay_mult) - limit
        for u in updates
        if solver_type(param) not in ADAPTIVE
    ]
    blow = log(momentum) * param.max_iter if momentum > 1 else -inf
    largest = max(moment.log for moment in scale.moments.values()) / 2
    squares = max((_sum_of_squares(loss) for loss in scale.losses), default=-inf)
    steps = max(update.log_step for update in updates)
    return [*decays, max(0.0, blow) - log(10) if blow > 0 else -inf, max(largest, squares, steps) - FLOAT_MAX]


def _sum_of_squares(loss: Loss) -> float:
    """ln of the sum over the batch that EuclideanLoss takes before it divides."""
    batch = (loss.layer.bottoms[0].shape or (1,))[0] or 1
    return (loss.pull.log_residual or 0.0) + log(batch) if loss.layer.type == "EuclideanLoss" else -inf


def _growth(group: Sequence[Update], *, backward: bool) -> float:
    """ln of how much more a layer carries after one update; nothing where a BatchNorm follows."""
    first = group[0].learned
    if first.normalised or first.param.layer.facts.per_channel:
        return 0.0
    if backward:
        swings = [u.log_swing + log((u.learned.outputs or 1) / u.learned.fan_in) / 2 for u in group[:1]]
        return log_sum(0.0, *swings) if first.param.index == 0 else 0.0
    return log_sum(0.0, *(update.log_swing for update in group))

"""One linear layer on constant data under EuclideanLoss: the one net whose divergence is exact arithmetic.

Every sample is the same, so the miss e = prediction - target obeys v' = m v + s e, e' = e - v', with
s = rate x curvature and curvature = loss weight x (fan_in x input^2 + 1, the 1 for a bias). It grows
without bound if and only if s < 0 or s > 2 (1 + m) (m the momentum, 0 <= m < 1; gradient descent with
momentum on a parabola). Under Nesterov e' = e - (1 + m) v' + m v, and the limit is 2 (1 + m) / (1 + 2 m).
Weight decay (L2) only adds to the curvature.
"""

from __future__ import annotations

from math import exp, inf, isfinite, sqrt
from typing import NamedTuple

from nanlint.analysis.optimiser import curvature_limit
from nanlint.caffe.initial import filled_moment
from nanlint.caffe.model import Blob, Layer, LearnedParam, Net, Solver, count
from nanlint.caffe.solver import solver_type

OVERFLOW = 1e21
"""A miss whose square is far beyond the largest float32 (3.4e38), with room for rounding."""
TAIL = 6.5
"""No normal random number lies this many standard deviations out: the odds are below 1 in 10^10."""
NEAR = 1e-6
"""No random prediction comes closer to its target, as a share of either: the odds are 1 in 10^6."""
ROUNDING = 1e-5
"""What the sum over fan_in may be off by, relative."""
SLACK = 1e-3
"""How far beyond the limit the product must be, so that rounding cannot matter."""


class LinearNet(NamedTuple):
    """The net: its layer, its loss, the input and target that every element has, the curvatures.

    `least_miss` is a lower bound on |prediction - target| before the first update, 0 where there is none.
    """

    layer: Layer
    loss: Layer
    loss_weight: float
    input: float
    fan_in: int
    bias: bool
    step: float
    curvature: float
    least_miss: float
    nesterov: bool
    momentum: float
    decays: bool

    @property
    def limit(self) -> float:
        """The largest step that is stable."""
        limit = curvature_limit("Nesterov" if self.nesterov else "SGD", self.momentum)
        return inf if limit is None else limit


def linear_net(solver: Solver, net: Net) -> LinearNet | None:
    """The net as a linear one on constants; None if it is anything else, or not under SGD."""
    param = solver.param
    plain = (
        solver_type(param) in ("SGD", "Nesterov")
        and param.lr_policy == "fixed"
        and 0 <= param.momentum < 1
        and param.weight_decay >= 0
        and (param.weight_decay == 0 or param.regularization_type == "L2")
        and not param.clip_gradients >= 0
        and param.iter_size >= 1
        and not param.weights
    )
    weighted = [layer for layer in net.layers if any(layer.loss_weights)]
    if not plain or net.refused or len(weighted) != 1 or weighted[0].type != "EuclideanLoss":
        return None
    loss = weighted[0]
    layer = loss.bottoms[0].producer
    trained = [learned for learned in net.params if learned.lr_mult != 0]
    if layer.type != "InnerProduct" or any(learned.layer is not layer for learned in net.params):
        return None
    if layer.param.blobs or not layer.runs_backward or any(learned.decay_mult < 0 for learned in trained):
        return None
    if len(loss.bottoms) != 2 or not trained or loss.bottoms[0].version:
        return None
    return _on_constants(solver, layer, loss)


def _on_constants(solver: Solver, layer: Layer, loss: Layer) -> LinearNet | None:
    value, target = _constant(layer.bottoms[0]), _constant(loss.bottoms[1])
    weights = layer.params[0]
    shape = weights.param.shape
    fan_in = count(shape, 1) if shape and not layer.param.inner_product_param.transpose else None
    rows = layer.tops[0].shape
    if value is None or target is None or not fan_in or rows is None or len(rows) != 2:
        return None
    weight = loss.loss_weights[0]
    bias = layer.params[1] if len(layer.params) > 1 else None
    pulls = fan_in * value * value * weights.lr_mult + (bias.lr_mult if bias else 0.0)
    curvature = weight * pulls
    step = solver.param.base_lr * curvature
    if not isfinite(step):
        return None
    least = _least_miss(target, value, fan_in, weights, bias)
    return LinearNet(
        layer=layer,
        loss=loss,
        loss_weight=weight,
        input=value,
        fan_in=fan_in,
        bias=bias is not None,
        step=step,
        curvature=curvature,
        least_miss=least,
        nesterov=solver_type(solver.param) == "Nesterov",
        momentum=solver.param.momentum,
        decays=solver.param.weight_decay > 0,
    )


def _least_miss(target: float, value: float, fan_in: int, weights: LearnedParam, bias: LearnedParam | None) -> float:
    """A lower bound on the first miss, from the largest prediction that the fillers can make."""
    fixed = [_fixed(weights), _fixed(bias) if bias else 0.0]
    if fixed[0] is not None and fixed[1] is not None:
        miss = abs(fan_in * value * fixed[0] + fixed[1] - target)
        return miss if miss > ROUNDING * max(abs(target), abs(fixed[1])) else 0.0
    reach = fan_in * abs(value) * _largest(weights) + (_largest(bias) if bias else 0.0)
    least = max(0.0, abs(target) - reach)
    drawn = filled_moment(weights.param.filler, weights.param.shape)
    if drawn is None or drawn.mean > 0.5 or not value:
        return least
    spread = abs(value) * sqrt(fan_in) * exp(drawn.log / 2)
    return max(least, NEAR * max(abs(target), spread))


def diverges(linear: LinearNet) -> bool:
    """Whether the miss grows without bound: it is not 0 to begin with, and the step is beyond the limit."""
    if not linear.least_miss:
        return False
    return linear.step < -SLACK or linear.step > linear.limit * (1 + SLACK)


def growth(linear: LinearNet) -> float:
    """The factor by which the miss grows with each update in the end: the larger root of the recurrence."""
    step, momentum = linear.step, linear.momentum
    trace, determinant = 1 + momentum - step, momentum
    if linear.nesterov:
        trace, determinant = trace - momentum * step, momentum - momentum * step
    discriminant = trace * trace / 4 - determinant
    return abs(trace) / 2 + sqrt(discriminant) if discriminant >= 0 else sqrt(determinant)


def overflow_at(linear: LinearNet, updates: int) -> int | None:
    """The update after which the loss is not finite, whatever the fillers drew; None if none is proved."""
    miss, velocity, momentum = linear.least_miss, 0.0, linear.momentum
    if not miss or linear.decays:
        return None
    for update in range(1, min(updates, 100_000)):
        last, velocity = velocity, momentum * velocity + linear.step * miss
        miss -= (1 + momentum) * velocity - momentum * last if linear.nesterov else velocity
        if abs(miss) > OVERFLOW:
            return update
    return None


def _constant(blob: Blob) -> float | None:
    """The value of every element of a DummyData top with a constant filler."""
    producer = blob.producer
    if producer.type != "DummyData" or blob.version:
        return None
    fillers = producer.param.dummy_data_param.data_filler
    if not fillers:
        return 0.0
    filler = fillers[blob.top_index if len(fillers) > 1 else 0]
    return filler.value if filler.type == "constant" else None


def _fixed(learned: LearnedParam) -> float | None:
    """What a constant filler, or none, puts into every element."""
    filler = learned.param.filler
    if filler is None:
        return learned.param.default
    return filler.value if filler.type == "constant" else None


def _largest(learned: LearnedParam) -> float:
    """A bound on every element after the filler; inf where there is none."""
    filler, shape = learned.param.filler, learned.param.shape
    if filler is None:
        return abs(learned.param.default)
    if filler.type == "constant":
        return abs(filler.value)
    if filler.type == "uniform":
        return max(abs(filler.min), abs(filler.max))
    if filler.type == "gaussian":
        return abs(filler.mean) + TAIL * abs(filler.std)
    spread = filled_moment(filler, shape)
    if filler.type in ("xavier", "msra") and spread is not None:
        return TAIL * exp(spread.log / 2)
    return inf

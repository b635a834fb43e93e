"""NaN and infinity that some inputs or weights can bring: likely, not certain."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.ranges import Ranges, ranges
from nanlint.caffe.layers.powers import exp_factors, log_argument, power_argument
from nanlint.caffe.model import TEST
from nanlint.findings import Effect, Problem, Severity
from nanlint.numbers.float32 import f32
from nanlint.rules.proof import spelled, trail
from nanlint.rules.registry import WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer

EXP_LIMIT = 88.72
TAIL = 4
"""How many times its root mean square the largest of many numbers is."""


def _doubtful(layer: Layer) -> Iterator[tuple[Step, Ranges]]:
    """The layer once weights have moved, unless its input or output surely is spoiled already.

    Nothing is said of what a layer of unknown type makes.
    """
    if layer.refused or not layer.bottoms or not layer.tops or layer.bottoms[0].producer.spec is None:
        return
    first = ranges(layer.net).step(layer)
    spoiled = [*first.bottoms, *first.tops, *(grad for grad in first.bottom_grads if grad is not None)]
    if any(value.surely_bad for value in spoiled):
        return
    got = ranges(layer.net, moved=True)
    yield got.step(layer), got


def _makers(layer: Layer) -> str:
    """What made the bottom, for a message."""
    maker = layer.bottoms[0].producer
    return f"`{layer.bottoms[0].name}` (from the {maker.type} `{maker.name}`)"


@rule("NUM011", "log-of-possible-zero", WARNING, effect=Effect.NON_FINITE, layers=("Log",))
def log_of_possible_zero(layer: Layer) -> Iterator[Problem]:
    """Nothing keeps the argument of a Log layer above 0.

    **In Caffe** ln 0 is minus infinity, the logarithm of a negative number NaN (log_layer.cpp). ReLU makes
    exact zeros all the time, Sigmoid below -38.1 (and 1 above 17.3, for log(1 - p)), Softmax where a score
    lies 104 below the largest.

    **Instead** write a small positive `shift`, or clip before. SoftmaxWithLoss and
    SigmoidCrossEntropyLoss compute the logarithm of a probability without forming it.
    """
    for step, got in _doubtful(layer):
        x = step.bottoms[0]
        low, _, _ = log_argument(layer.param.log_param)(x.low, x.high)
        if low > 0 or x.low != x.low:
            continue
        reach = "be 0" if low == 0 else "be 0 or negative"
        yield finding(
            layer.at("type"),
            f"nothing keeps the argument of `{layer.name}` above 0: {_makers(layer)} lets it {reach}, "
            "and then the "
            f"logarithm is {'minus infinity' if low == 0 else 'NaN'}; write a small positive `shift`, "
            "or clip before it",
            evidence=trail(got, step),
            layer=layer.name,
            phase=layer.net.phase,
        )


@rule("NUM012", "power-of-possible-zero", WARNING, effect=Effect.NON_FINITE, layers=("Power",))
def power_of_possible_zero(layer: Layer) -> Iterator[Problem]:
    """A root or an inverse of something that can be 0 or negative.

    **In Caffe** a fractional power of a negative number is NaN, a negative power of 0 infinite, and the
    gradient of every power but 0, 1 and 2 is power * top / bottom, 0/0 at exactly 0 (power_layer.cpp). Sums
    of squares, ReLU and Dropout reach 0.

    **Instead** write a small positive `shift`: `power_param { power: 0.5 shift: 1e-6 }`.
    """
    param = layer.param.power_param
    exponent = f32(param.power)
    if exponent in (0.0, 1.0, 2.0) or f32(exponent * f32(param.scale)) == 0 or not math.isfinite(exponent):
        return
    fractional = math.isfinite(exponent) and exponent != math.floor(exponent)
    for step, got in _doubtful(layer):
        x = step.bottoms[0]
        low, high, _ = power_argument(param)(x.low, x.high)
        gradient = layer.runs_backward and any(layer.propagates[:1])
        if low > 0 or (high < 0 and not fractional) or x.low != x.low:
            continue
        if low < 0 and fractional:
            does = f"lets it be negative, and a power of {spelled(exponent)} of that is NaN"
        elif exponent < 0 and (low == 0 or x.known):
            does = "lets it be 0, and the inverse of that is infinite"
        elif low == 0 and gradient:
            does = "lets it be exactly 0, where Caffe computes the gradient as 0 / 0: NaN"
        else:
            continue
        yield finding(
            layer.at("power_param.power"),
            f"nothing keeps the argument of `{layer.name}` above 0: {_makers(layer)} {does}; "
            "write a small positive `shift`, or clip before it",
            evidence=trail(got, step),
            layer=layer.name,
            phase=layer.net.phase,
        )


@rule("NUM013", "exp-without-bound", WARNING, effect=Effect.NON_FINITE, layers=("Exp",))
def exp_without_bound(layer: Layer) -> Iterator[Problem]:
    """Nothing keeps the argument of an Exp layer below 88.72, where e^x exceeds the largest 32-bit float.

    **In Caffe** exp is not clamped (exp_layer.cpp); one large activation makes the loss infinite and the
    weights NaN. A warning where the file bounds the argument and the bound is too high, or where data and
    fillers make the argument so large that it is met soon; otherwise information.

    **Instead** clip before it (`Clip` with `max: 80`), or normalise with Softmax, which subtracts the
    maximum.
    """
    inner, _ = exp_factors(layer.param.exp_param)
    for step, got in _doubtful(layer):
        x = step.bottoms[0]
        highest = max(inner * x.low, inner * x.high)
        if not highest > EXP_LIMIT:
            continue
        usual = abs(inner) * _usual_size(layer)
        near = not x.known and usual > EXP_LIMIT / TAIL
        reached = f"any number, and about {usual:.3g} before any training" if near else "any number"
        yield finding(
            layer.at("type"),
            f"nothing keeps the exponent of `{layer.name}` below {EXP_LIMIT}: {_makers(layer)} lets it reach "
            f"{spelled(highest) if x.known else reached}, and above {EXP_LIMIT} the result is "
            f"infinite; {_instead_of_exp(layer)}",
            evidence=trail(got, step),
            layer=layer.name,
            phase=layer.net.phase,
            severity=None if x.known or near else Severity.INFO,
        )


def _usual_size(layer: Layer) -> float:
    """The root mean square of a layer's input at initialisation; 0 where it is not known."""
    from nanlint.analysis.scale import scale_of

    if layer.net.refused:
        return 0.0
    moment = scale_of(layer.net).moment(layer.bottoms[0])
    return moment.rms if moment is not None and math.isfinite(moment.rms) else 0.0


def _instead_of_exp(layer: Layer) -> str:
    """BNLL for a softplus written by hand, else a clip."""
    log = next((reader for reader, _ in layer.tops[0].consumers if reader.type == "Log"), None)
    if log is not None and log.param.log_param.shift == 1:
        return f"`{log.name}` makes ln(1 + e^x) of it, which the type BNLL computes without overflow: write that"
    return "clip before it"


@rule("NUM014", "unstable-product-gradient", WARNING, effect=Effect.NON_FINITE, layers=("Eltwise",))
def unstable_product_gradient(layer: Layer) -> Iterator[Problem]:
    """Eltwise PROD with `stable_prod_grad: false` divides by bottoms that can be 0.

    **In Caffe** the gradient is then the product divided by the bottom (eltwise_layer.cpp, Backward_cpu):
    0/0, NaN, wherever a bottom is exactly 0.

    **Instead** leave `stable_prod_grad` out.
    """
    param = layer.param.eltwise_param
    if param.operation != 0 or param.stable_prod_grad or not layer.runs_backward or layer.net.phase == TEST:
        return
    for step, got in _doubtful(layer):
        names = [b.name for b, x in zip(layer.bottoms, step.bottoms, strict=True) if x.low <= 0 <= x.high]
        if not names:
            continue
        yield finding(
            layer.at("eltwise_param.stable_prod_grad"),
            f"`stable_prod_grad: false` makes `{layer.name}` divide its product by `{names[0]}`, which "
            "can be 0: 0 / 0 "
            "is NaN; leave `stable_prod_grad` out",
            evidence=trail(got, step),
            layer=layer.name,
            phase=layer.net.phase,
        )

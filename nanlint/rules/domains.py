"""Logarithms, exponentials, powers and quotients outside the numbers that they are defined for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.ranges import Ranges, ranges
from nanlint.caffe.layers.powers import (
    exp_factors,
    exp_map,
    log_argument,
    log_map,
    power_argument,
    power_map,
    power_slope,
)
from nanlint.caffe.model import TEST, Net
from nanlint.findings import Effect, Problem, Severity
from nanlint.numbers.float32 import f32
from nanlint.rules.explanations import explains, of_kind
from nanlint.rules.numerics import _gradient
from nanlint.rules.proof import Cause, culprit, spelled, spread, trail
from nanlint.rules.registry import ERROR, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.analysis.ranges import Birth
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer

EXP_LIMIT = 88.72
TAIL = 4
"""How many times its root mean square the largest of many numbers is."""


@rule("NUM002", "log-domain", ERROR, effect=Effect.NON_FINITE)
def log_domain(net: Net) -> Iterator[Problem]:
    """A Log layer surely takes the logarithm of 0 or of a negative number.

    **In Caffe** ln 0 is minus infinity and its gradient 1/0; the logarithm of a negative number is NaN
    (log_layer.cpp). ReLU, Threshold and Dropout make exact zeros, Sigmoid does below -38.1, Softmax where a
    score lies 104 below the largest. Of numbers that fillers draw at random, what fails with a chance below 1e-9
    counts as certain: 100 normal numbers surely hold a negative one.

    **Instead** add a positive `shift`, or clip the bottom. For log of Sigmoid or Softmax use
    SigmoidCrossEntropyLoss or SoftmaxWithLoss, which never form the logarithm of 0.
    """
    yield from of_kind(net, "log-domain")


@rule("NUM003", "exp-overflow", ERROR, effect=Effect.NON_FINITE)
def exp_overflow(net: Net) -> Iterator[Problem]:
    """An Exp layer surely exceeds the largest 32-bit float.

    **In Caffe** base^(shift + scale x) is computed as exp(ln(base) scale x) times base^shift
    (exp_layer.cpp); each factor is infinite on its own above 3.4e38, which is e^88.72.

    **Instead** scale the bottom down or clip it.
    """
    yield from of_kind(net, "exp-overflow")


@rule("NUM004", "power-domain", ERROR, effect=Effect.NON_FINITE)
def power_domain(net: Net) -> Iterator[Problem]:
    """A Power layer surely takes a root of a negative number, divides by 0, or overflows.

    **In Caffe** (shift + scale x)^power is C's pow (power_layer.cpp): NaN for a fractional power of a
    negative number, infinite for a negative power of 0.

    **Instead** keep shift + scale x positive.
    """
    yield from of_kind(net, "power-domain")


@rule("NUM008", "zero-over-zero-gradient", ERROR, effect=Effect.NON_FINITE)
def zero_over_zero_gradient(net: Net) -> Iterator[Problem]:
    """A gradient is computed as a quotient whose two sides are surely 0.

    **In Caffe** Power with any power but 0, 1 and 2 multiplies with power * top / bottom
    (power_layer.cpp, Backward_cpu): at exactly 0 that is 0/0, also where the true gradient is 0 (power 3).
    Eltwise PROD with `stable_prod_grad: false` divides the product by the bottom (eltwise_layer.cpp).

    **Instead** shift the argument away from 0; leave `stable_prod_grad` at its default.
    """
    yield from of_kind(net, "zero-over-zero-gradient")


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


@explains("Log")
def _log(birth: Birth) -> Cause:
    step, param = birth.step, birth.step.layer.param.log_param
    value = step.bottoms[0]
    at = culprit(value, log_map(param))
    argument = log_argument(param)(*at)
    number = "0" if argument[0] == argument[1] == 0 else spread(argument[:2])
    result = "minus infinity" if argument[1] == 0 else "NaN"
    scaled = param.scale != 1 or param.shift != 0
    where = f", where `{step.layer.bottoms[0].name}` is {spread(at)}" if scaled else ""
    return Cause(
        "log-domain",
        "log_param.shift" if scaled else "type",
        f"`{step.layer.name}` takes the logarithm of {number}{where}: {result}; "
        + _log_remedy(birth, argument[1] == 0),
    )


def _log_remedy(birth: Birth, zero: bool) -> str:
    if zero and birth.step.layer.param.log_param.scale == 1:
        return "write a `shift` that keeps it above 0, such as `log_param { shift: 1e-6 }`"
    return "keep its bottom positive (a `Clip` with a positive `min` before it, or a `shift`)"


@explains("Exp")
def _exp(birth: Birth) -> Cause:
    step, param = birth.step, birth.step.layer.param.exp_param
    at = culprit(step.bottoms[0], exp_map(param))
    inner, outer = exp_factors(param)
    if math.isinf(outer):
        return Cause(
            "exp-overflow",
            "exp_param.shift",
            f"`shift: {spelled(f32(param.shift))}` of `{step.layer.name}` alone gives "
            f"{spelled(outer)}: Caffe "
            "multiplies by base^shift, it does not add the exponents; write a smaller `shift`",
        )
    factor = f" times base^shift = {spelled(outer)}" if outer != 1 else ""
    exponent = sorted((inner * at[0], inner * at[1]))
    return Cause(
        "exp-overflow",
        "type",
        f"`{step.layer.name}` computes e^x for x = {spread((exponent[0], exponent[1]))}{factor}, which "
        "is over the "
        "3.4e38 of a 32-bit float (e^88.72): infinity; scale its bottom down, or clip it with a `Clip` "
        "before",
    )


@explains("Power")
def _power(birth: Birth) -> Cause:
    step, param = birth.step, birth.step.layer.param.power_param
    at = culprit(step.bottoms[0], power_map(param))
    argument = power_argument(param)(*at)
    exponent = spelled(f32(param.power))
    shown = spread(argument[:2])
    if argument[0] == argument[1] == 0:
        does = f"`power: {exponent}` of `{step.layer.name}` is taken of exactly 0: infinity"
        remedy = "write a small positive `shift`"
    elif argument[0] < 0 and f32(param.power) != math.floor(f32(param.power)):
        does = f"`power: {exponent}` of `{step.layer.name}` is taken of {shown}: a root of a negative "
        "number is NaN"
        remedy = "keep its bottom positive (AbsVal or Clip before it, or a `shift`)"
    else:
        does = f"`{step.layer.name}` raises {shown} to `power: {exponent}`, which is over 3.4e38: infinity"
        remedy = "scale its bottom down"
    return Cause("power-domain", "power_param.power", f"{does}; {remedy}")


@explains("Power", backward=True)
def _power_gradient(birth: Birth) -> Cause:
    step, param = birth.step, birth.step.layer.param.power_param
    at = culprit(step.tops[0] if step.in_place() else step.bottoms[0], power_slope(param))
    argument = power_argument(param)(*at)
    layer, exponent = step.layer, spelled(f32(param.power))
    if argument[0] == argument[1] == 0:
        return Cause(
            "zero-over-zero-gradient",
            "power_param.power",
            f"the gradient of `{layer.name}` (`power: {exponent}`) is power * top / bottom, and "
            f"`{layer.bottoms[0].name}` holds exact zeros: 0 / 0 is {birth.what} whatever comes from "
            "above; write a small "
            "positive `shift`" + (", or multiply with Eltwise PROD" if param.power == 3 else ""),
        )
    return _gradient(birth)


@explains("Eltwise", backward=True)
def _product_gradient(birth: Birth) -> Cause:
    layer = birth.step.layer
    if not layer.param.eltwise_param.stable_prod_grad:
        return Cause(
            "zero-over-zero-gradient",
            "eltwise_param.stable_prod_grad",
            f"with `stable_prod_grad: false` the gradient of `{layer.name}` is the product divided by "
            "the bottom, and "
            f"`{birth.blob.name}` holds exact zeros: 0 / 0 is NaN; leave `stable_prod_grad` out",
        )
    return _gradient(birth)

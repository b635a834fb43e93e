"""Why a layer makes NaN or infinity, in words, by layer type."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from nanlint.caffe.layers import batch_norm, mvn
from nanlint.caffe.layers.lrn import lrn_scale
from nanlint.caffe.layers.powers import (
    exp_factors,
    exp_map,
    log_argument,
    log_map,
    power_argument,
    power_map,
    power_slope,
)
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import is_finite
from nanlint.rules.proof import Cause, culprit, joined, problem, proved, spelled, spread

if TYPE_CHECKING:
    from nanlint.analysis.ranges import Birth
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer, Net
    from nanlint.findings import Problem

Explain = Callable[["Birth"], Cause]


@lru_cache(maxsize=16)
def problems(net: Net) -> tuple[Problem, ...]:
    """Everything in a net that surely is not finite, as problems whose `kind` names the rule."""
    found = []
    for birth, got, severity in proved(net):
        cause = explain(birth)
        if cause is not None:
            found.append(problem(birth, got, severity, cause))
    return tuple(found)


def explain(birth: Birth) -> Cause | None:
    """Why the layer does it; None where another rule says it (Pooling windows, loss weights)."""
    layer = birth.step.layer
    if layer.type == "Pooling" or not all(is_finite(f32(weight)) for weight in layer.loss_weights):
        return None
    setting = _bad_setting(layer)
    if setting is not None:
        return setting
    table = _BACKWARD if birth.backward else _FORWARD
    return table.get(layer.type, _gradient if birth.backward else _overflow)(birth)


# --- sources and settings ---

_SETTINGS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "Power": ("power_param", ("power", "scale", "shift"), "write a finite number"),
    "Exp": ("exp_param", ("scale", "shift"), "write a finite number"),
    "Log": ("log_param", ("scale", "shift"), "write a finite number"),
    "ReLU": ("relu_param", ("negative_slope",), "write a small number such as 0.1"),
    "ELU": ("elu_param", ("alpha",), "write `alpha: 1`"),
    "Swish": ("swish_param", ("beta",), "write `beta: 1`"),
    "Clip": ("clip_param", ("min", "max"), "write two finite numbers"),
    "LRN": ("lrn_param", ("alpha", "beta", "k"), "write `alpha: 0.0001`, `beta: 0.75` and `k: 1`"),
    "MVN": ("mvn_param", ("eps",), "leave `eps` out"),
    "BatchNorm": ("batch_norm_param", ("eps",), "leave `eps` out"),
    "Reduction": ("reduction_param", ("coeff",), "write a finite number"),
    "ContrastiveLoss": ("contrastive_loss_param", ("margin",), "write a margin such as 1"),
}


def _bad_setting(layer: Layer) -> Cause | None:
    if layer.type not in _SETTINGS:
        return None
    message, fields, remedy = _SETTINGS[layer.type]
    for name in fields:
        number = getattr(getattr(layer.param, message), name)
        if not is_finite(f32(number)):
            return Cause(
                "non-finite-setting",
                f"{message}.{name}",
                f"`{name}` of `{layer.name}` reads as {spelled(f32(number))}, and what it is multiplied or "
                f"compared with becomes NaN or infinite; {remedy}",
            )
    return None


def _source(birth: Birth) -> Cause:
    layer, index = birth.step.layer, birth.step.layer.tops.index(birth.blob)
    if layer.type == "DummyData":
        fillers = layer.param.dummy_data_param.data_filler
        at = index if len(fillers) > 1 else 0
        name = filler_field(fillers[at])
        route = f"dummy_data_param.data_filler[{at}].{name}"
        quoted = f"`{name}: {spelled(f32(getattr(fillers[at], name)))}`"
        words = f"{quoted} fills `{birth.blob.name}` with {birth.what}; write a finite number"
        return Cause("non-finite-source", route, words)
    return Cause(
        "non-finite-source",
        "transform_param.scale",
        f"`scale` of `{layer.name}` reads as {spelled(f32(layer.param.transform_param.scale))}, and "
        "every number of "
        f"`{birth.blob.name}` becomes {birth.what}; write a finite scale",
    )


def filler_field(filler: object) -> str:
    """The field of a filler that is not finite."""
    fields = {"constant": ("value",), "uniform": ("min", "max"), "gaussian": ("mean", "std")}
    for name in fields.get(filler.type, ()):  # type: ignore[attr-defined]
        if not is_finite(f32(getattr(filler, name))):
            return name
    return "type"


# --- elementwise ---


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


def _dropout(birth: Birth) -> Cause:
    layer = birth.step.layer
    ratio = layer.param.dropout_param.dropout_ratio
    if f32(1 - f32(ratio)) == 0:
        return Cause(
            "dropout-of-everything",
            "dropout_param.dropout_ratio",
            f"`dropout_ratio: {spelled(f32(ratio))}` of `{layer.name}` drops every element, and Caffe "
            "then multiplies 0 by "
            "1 / (1 - 1) = infinity: NaN everywhere; write a ratio below 1",
        )
    return _overflow(birth)


def _overflow(birth: Birth) -> Cause:
    """Products and sums beyond the largest float."""
    step, layer = birth.step, birth.step.layer
    inputs = [
        f"`{b.name}` ({spread((v.low, v.high))})" for b, v in zip(layer.bottoms, step.bottoms, strict=False)
    ]
    weights = [spread((v.low, v.high)) for v in step.weights[:1]]
    of = " and ".join(inputs) + (f" with weights in {weights[0]}" if weights else "")
    return Cause(
        "overflow",
        "type",
        f"`{layer.name}` ({layer.type}) of {of} surely exceeds the 3.4e38 of a 32-bit float: {birth.what}; "
        "scale its inputs or weights down",
    )


# --- normalization ---


def _batch_norm(birth: Birth) -> Cause:
    step, layer = birth.step, birth.step.layer
    eps = f32(layer.param.batch_norm_param.eps)
    bottom = layer.bottoms[0].name
    if batch_norm.global_statistics(layer):
        why = "the net is in phase TEST" if layer.phase == "TEST" else "`use_global_stats: true`"
        words = (
            f"`{layer.name}` normalises by stored statistics ({why}), whose variance is "
            f"{_stored_variance(step)}: with `eps: {spelled(eps)}` the root or the division gives "
            f"{birth.what}; "
            "leave `eps` out (1e-5), and load trained statistics"
        )
    else:
        elements = batch_norm.region(step)
        flat = "there is one element a channel" if elements == 1 else "the variance of a channel"
        flat = (
            flat
            if elements == 1
            else f"{flat} of `{bottom}` is {'0' if eps == 0 else 'below ' + spelled(-eps)}"
        )
        words = (
            f"`eps: {spelled(eps)}` of `{layer.name}` does not keep variance + eps above 0, and "
            f"{flat}: {birth.what}; "
            "leave `eps` out (1e-5)"
        )
    return Cause("batch-norm-without-variance", "batch_norm_param.eps", words)


def _stored_variance(step: Step) -> str:
    if len(step.weights) > 2 and step.weights[2].constant == 0:
        return "0 until something is stored"
    return spread((step.weights[1].low, step.weights[1].high)) if len(step.weights) > 1 else "unknown"


def _mvn(birth: Birth) -> Cause:
    layer, eps = birth.step.layer, f32(birth.step.layer.param.mvn_param.eps)
    elements = mvn.region(birth.step)
    why = (
        "each region has one element, so its deviation is 0"
        if elements == 1
        else f"`{layer.bottoms[0].name}` is constant, so its deviation is 0"
    )
    return Cause(
        "mvn-without-variance",
        "mvn_param.eps",
        f"`eps: {spelled(eps)}` of `{layer.name}` leaves 0 / 0: {why}; leave `eps` out (1e-9), or write "
        "`normalize_variance: false`",
    )


def _lrn(birth: Birth) -> Cause:
    step, layer, param = birth.step, birth.step.layer, birth.step.layer.param.lrn_param
    within = param.norm_region == 1
    low, high = lrn_scale(step)
    base = "1" if within else f"`k: {spelled(f32(param.k))}`"
    route = "lrn_param.alpha" if f32(param.alpha) < 0 else "lrn_param.k"
    if low > 0:
        words = (
            f"the running sum of `{layer.name}` along the channels loses {base} and the small squares "
            "beside a "
            f"large channel of `{layer.bottoms[0].name}`, and what is left when it leaves the window "
            "is 0 or below: "
            f"{birth.what}; scale the input down, or write a smaller `alpha`"
        )
        route = "lrn_param.alpha"
    else:
        words = (
            f"`{layer.name}` raises {base} + `alpha: {spelled(f32(param.alpha))}` times squares, which "
            "is between "
            f"{spelled(low)} and {spelled(high)}, to -`beta`: {birth.what} where it is 0 or below; write "
            + ("`alpha` above 0" if f32(param.alpha) < 0 else "`k: 1`")
        )
    return Cause("lrn-base", route, words)


# --- losses ---


def _loss(birth: Birth) -> Cause:
    step, layer = birth.step, birth.step.layer
    inputs = " and ".join(
        f"`{b.name}` ({spread((v.low, v.high))})"
        for b, v in zip(layer.bottoms[:2], step.bottoms, strict=False)
    )
    return Cause(
        "infinite-loss",
        "type",
        f"the {layer.type} `{layer.name}` of {inputs} exceeds the 3.4e38 of a 32-bit float: {birth.what}; "
        "scale its inputs down",
    )


# --- gradients ---


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


def _gradient(birth: Birth) -> Cause:
    layer = birth.step.layer
    return Cause(
        "infinite-gradient",
        "type",
        f"the gradient that `{layer.name}` ({layer.type}) passes to `{birth.blob.name}` surely is "
        f"{birth.what}; " + _gradient_remedy(layer),
    )


def _gradient_remedy(layer: Layer) -> str:
    if layer.type == "Log":
        return "keep its argument away from 0 with a `shift`"
    return f"keep {joined([b.name for b in layer.bottoms])} away from the values where the slope is infinite"


_FORWARD: dict[str, Explain] = {
    "DummyData": _source,
    "Data": _source,
    "ImageData": _source,
    "WindowData": _source,
    "Log": _log,
    "Exp": _exp,
    "Power": _power,
    "Dropout": _dropout,
    "BatchNorm": _batch_norm,
    "MVN": _mvn,
    "LRN": _lrn,
    "SoftmaxWithLoss": _loss,
    "EuclideanLoss": _loss,
    "HingeLoss": _loss,
    "SigmoidCrossEntropyLoss": _loss,
    "MultinomialLogisticLoss": _loss,
    "InfogainLoss": _loss,
    "ContrastiveLoss": _loss,
}
_BACKWARD: dict[str, Explain] = {"Power": _power_gradient, "Eltwise": _product_gradient, "Dropout": _dropout}


def of_kind(net: Net, kind: str) -> list[Problem]:
    """The problems of one rule."""
    return [found for found in problems(net) if found.kind == kind]

"""Layers that compute what has no finite value: logarithms of 0, roots of negative numbers, quotients by 0."""

from __future__ import annotations

import math

from nanlint.caffe.model import Layer
from nanlint.diagnosis.evidence import Evidence
from nanlint.findings import Severity
from nanlint.logs.finding import LogFinding
from nanlint.logs.model import FirstBad

_CAUSE_OF_RULE = {
    "zero-iter-size": "iter-size-zero",
    "log-domain": "log-of-zero",
    "log-of-possible-zero": "log-of-zero",
    "not-probabilities": "log-of-zero",
    "power-domain": "power-of-negative",
    "power-of-possible-zero": "power-of-negative",
    "exp-overflow": "exp-overflow",
    "exp-without-bound": "exp-overflow",
    "dropout-of-everything": "division-by-zero",
    "mvn-without-variance": "division-by-zero",
    "batch-norm-without-variance": "division-by-zero",
    "lrn-base": "power-of-negative",
    "lrn-base-may-be-zero": "power-of-negative",
    "unsafe-eps": "division-by-zero",
    "zero-over-zero-gradient": "division-by-zero",
    "unstable-product-gradient": "division-by-zero",
    "zero-delta": "division-by-zero",
    "adam-momentum-one": "division-by-zero",
    "infinite-loss": "loss-overflow",
    "overflow": "overflow",
    "non-finite-source": "bad-input",
    "non-finite-setting": "bad-input",
    "non-finite-weights": "bad-weights",
    "non-finite-rate": "rate-too-high",
    "infinite-gradient": "overflow",
}
DOMAINS = tuple(_CAUSE_OF_RULE)


def power_cause(layer: Layer, value: float) -> tuple[str, str]:
    """The cause and the remedy for a Power layer, by its settings and by what it gives."""
    power = layer.param.power_param.power
    if power < 0:
        return "division-by-zero", (
            f"`power: {power:g}` of 0 is infinite: keep what it reads above 0, with a small `shift`, say 1e-5"
        )
    if power != int(power) and math.isnan(value):
        return "power-of-negative", (
            f"`power: {power:g}` of a negative number is NaN: keep what it reads at 0 or above"
        )
    return "overflow", f"`power: {power:g}` of what it reads is beyond 3.4e38: scale it down, or bound it"


def _own(layer: Layer | None, bad: FirstBad) -> tuple[str, str] | None:
    """The cause and the remedy that lie in what a type of layer computes."""
    if layer is None:
        return None
    kind = layer.type
    if kind == "Log":
        if math.isnan(bad.value):
            return "log-of-negative", "the logarithm of a negative number is NaN: keep what it reads above 0"
        return "log-of-zero", "the logarithm of 0 is -inf: set `shift` in `log_param` to a small number, say 1e-5"
    if kind == "Power":
        return power_cause(layer, bad.value)
    if kind == "Exp":
        return "exp-overflow", "e to more than 88.72 is beyond 3.4e38: bound or scale what it reads"
    if layer.facts.normalises:
        return "division-by-zero", "it divides by a standard deviation of 0: raise `eps`, and look for constant inputs"
    if kind == "Dropout":
        return "division-by-zero", "it divides by 1 - `dropout_ratio`: lower the ratio"
    if kind == "LRN":
        return "power-of-negative", "its base reaches 0 or below: raise `k`, or make `alpha` positive"
    if kind == "MultinomialLogisticLoss":
        return "log-of-zero", "it takes logarithms of what should be probabilities: use SoftmaxWithLoss on the scores"
    return None


def domain(at: Evidence, bad: FirstBad, text: str) -> LogFinding | None:
    """A layer that has computed what has no finite value."""
    found = _own(at.layer(bad.layer), bad)
    rule = next(iter(at.linted.of(DOMAINS, bad.layer)), None)
    if found is None and rule is None:
        return None
    cause, remedy = found or (_CAUSE_OF_RULE[rule.name] if rule else "overflow", "")
    return at.told(
        cause,
        f"{text}; its bottoms and parameters are finite in the same pass" + (f": {remedy}" if remedy else ""),
        rule,
        layer=bad.layer,
        iteration=bad.iteration,
        line=bad.line,
        severity=Severity.ERROR,
    )


def foretold_domain(at: Evidence, bad: FirstBad, text: str) -> LogFinding | None:
    """What the rules say that a layer may compute, where the log does not show the layer."""
    rule = at.linted.first(DOMAINS)
    if rule is None:
        return None
    cause, layer = _CAUSE_OF_RULE[rule.name], at.layer(rule.layer)
    if layer is not None and layer.type == "Power":
        cause = power_cause(layer, math.nan if "negative" in rule.message else bad.value)[0]
    if layer is not None and layer.type == "Log" and _reads_negative(layer):
        cause = "log-of-negative"
    return at.told(
        cause, f"{text}; of this net's layers this one can give it", rule, iteration=bad.iteration, line=bad.line
    )


def _reads_negative(layer: Layer) -> bool:
    """Whether a layer reads weighted sums, which are as often below 0 as above."""
    maker = layer.bottoms[0].producer if layer.bottoms else None
    return maker is not None and (maker.facts.multiplies or maker.type == "TanH")


def zero_iter_size(at: Evidence, bad: FirstBad, text: str) -> LogFinding:
    return at.said(
        "iter-size-zero",
        f"{text}; `iter_size: 0` runs no batch and divides a loss of 0 by 0: leave `iter_size` out",
        iteration=bad.iteration,
        line=bad.line,
        rules=("zero-iter-size",),
        severity=Severity.ERROR,
    )

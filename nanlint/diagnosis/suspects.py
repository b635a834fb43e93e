"""The causes of bad numbers, each with what speaks for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from nanlint.caffe.model import Layer
from nanlint.diagnosis.course import explodes
from nanlint.diagnosis.domains import domain
from nanlint.diagnosis.evidence import CEILING, Evidence
from nanlint.findings import Finding, Severity
from nanlint.logs.finding import LogFinding
from nanlint.logs.model import FirstBad

SOURCES = ("non-finite-source", "non-finite-setting")

RATES = (
    "run-blows-up",
    "rate-beyond-stability",
    "momentum-at-or-above-one",
    "non-finite-rate",
    "rate-too-high",
    "rate-beyond-published",
    "large-first-step",
    "summed-loss",
    "unbalanced-losses",
    "unusual-multiplier",
    "momentum2-at-or-above-one",
)
_START = ("exploding-activations", "wide-gaussian-filler", "saturated-first-loss", "all-positive-filler")
_CALM_STEP = 0.5
"""The largest step, as a share of the weights, that does not blow a net up at once."""

_REMEDY_RATE = "divide `base_lr` by 10, and by 10 again if that is not enough"


def bad_parameters(at: Evidence, bad: FirstBad, text: str) -> Iterator[LogFinding]:
    """The weights are bad: as they were loaded, or by the update before."""
    updated = bad.iteration > at.run.from_iteration and len(at.losses[0]) > 0 and bad.iteration > at.losses[0][0]
    if bad.step == "forward" and not updated:
        loaded = at.run.weights or at.run.resumed
        origin = f"the weights in `{loaded}` hold it" if loaded else "a filler has made it"
        yield at.said(
            "bad-weights",
            f"{text}; the layer's parameters are bad before the first update: {origin}; load an earlier snapshot",
            layer=bad.layer,
            iteration=bad.iteration,
            line=bad.line,
            rules=("non-finite-weights", *SOURCES),
            severity=Severity.ERROR,
        )
        return
    rule = at.linted.first(("zero-delta", "adam-momentum-one"))
    if rule is not None and _calm(at):
        yield at.told(
            "division-by-zero",
            f"{text}; the update itself divided 0 by 0",
            rule,
            layer=bad.layer,
            iteration=bad.iteration,
            line=bad.line,
            severity=Severity.ERROR,
        )
        return
    said = f"{text}; the update before has made the layer's parameters bad"
    ratio = _step(at, bad)
    if ratio is not None and ratio < _CALM_STEP and _calm(at):
        yield at.said(
            "bad-input",
            f"{said}, though the steps shown before it were small, {ratio:.2g} of the weights at most: a batch with "
            "NaN "
            "or infinity in between does that; look at the data",
            layer=bad.layer,
            iteration=bad.iteration,
            line=bad.line,
        )
    yield from growth(at, bad, said)


def _step(at: Evidence, bad: FirstBad) -> float | None:
    """The largest step of a parameter in the pass before, rate times gradient, as a share of the parameter."""
    weights = {key: row.value for key, row in bad.earlier.items() if key.step == "forward" and key.kind == "param"}
    gradients = {key: row.value for key, row in bad.earlier.items() if key.step == "backward" and key.kind == "param"}
    rate = _rate(at)
    steps = [
        rate * gradients[key._replace(step="backward")] / weight
        for key, weight in weights.items()
        if weight > 0 and key._replace(step="backward") in gradients
    ]
    return max(steps, default=None)


def bad_gradient(at: Evidence, bad: FirstBad, text: str) -> Iterator[LogFinding]:
    """The forward pass is finite, and a gradient is not."""
    layer = at.layer(bad.layer)
    if layer is not None and layer.type == "Power" and 0 < layer.param.power_param.power < 1:
        power = layer.param.power_param.power
        yield at.said(
            "power-gradient-at-zero",
            f"{text}; the gradient of `power: {power:g}` divides by what it reads, which is 0 somewhere: give it a "
            "small "
            "`shift`, say 1e-5",
            layer=bad.layer,
            iteration=bad.iteration,
            line=bad.line,
            rules=("power-of-possible-zero", "power-domain", "infinite-gradient", "zero-over-zero-gradient"),
            severity=Severity.ERROR,
        )
    elif any(layer.loss_weights) if layer is not None else _begins_backward(bad):
        weight = max(layer.loss_weights, key=abs) if layer else max(at.run.loss_weights.values(), key=abs, default=1)
        yield at.said(
            "loss-overflow",
            f"{text}; it is a loss of weight {weight:g}, and its gradient is beyond 3.4e38: lower `loss_weight`",
            layer=bad.layer,
            iteration=bad.iteration,
            line=bad.line,
            rules=("infinite-loss", "infinite-gradient", "overflow"),
            severity=Severity.ERROR,
        )
    elif (found := domain(at, bad, text)) is not None:
        yield found
    elif bad.iteration <= at.run.from_iteration + 1:
        yield _chain(at, bad, text)
    else:
        yield from growth(at, bad, text)


def _begins_backward(bad: FirstBad) -> bool:
    """Whether the bad line is of the layer with which the backward pass begins: a loss."""
    return next((key.layer for key in bad.block if key.step == "backward"), None) == bad.layer


def _chain(at: Evidence, bad: FirstBad, text: str) -> LogFinding:
    return at.said(
        "exploding-chain",
        f"{text}; values grow from layer to layer until they are beyond 3.4e38: use `xavier` or `msra` fillers, or "
        "normalise between the layers",
        layer=bad.layer,
        iteration=bad.iteration,
        line=bad.line,
        rules=_START,
    )


def bad_from_the_start(at: Evidence, bad: FirstBad, text: str, known: bool = False) -> Iterator[LogFinding]:
    """Bad before any update: fillers, loaded weights, or the data. `known`: a layer is known that may give it."""
    loaded = at.run.weights or at.run.resumed
    if loaded:
        yield at.said(
            "bad-weights",
            f"{text}, before the first update: the weights in `{loaded}` give it; load an earlier snapshot",
            layer=bad.layer,
            iteration=bad.iteration,
            line=bad.line,
            rules=("non-finite-weights",),
        )
        return
    grown = at.linted.first(("exploding-activations",)) is not None
    raised = _raised(at)
    infinite = bad.step in ("loss", "train_output") and math.isinf(bad.value)
    heavy = any(abs(weight) >= 1e20 for weight in at.run.loss_weights.values())
    if infinite or heavy or at.linted.first(("infinite-loss",)):
        yield at.said(
            "loss-overflow",
            f"{text}, before the first update: the weighted loss is beyond 3.4e38; lower `loss_weight`, or scale what "
            "the loss is computed of",
            layer=bad.layer,
            iteration=bad.iteration,
            line=bad.line,
            rules=("infinite-loss", "large-regression-targets"),
        )
    if raised is not None:
        yield at.said(
            "overflow",
            f"{text}, before the first update: `{raised.name}` raises to the power "
            f"{raised.param.power_param.power:g}, which is beyond 3.4e38 soon; scale what it reads",
            layer=raised.name,
            iteration=bad.iteration,
            line=bad.line,
            rules=("overflow", "power-domain", "wide-gaussian-filler"),
        )
    if grown:
        yield _chain(at, bad, text)
    elif at.linted.first(("wide-gaussian-filler",)):
        yield at.said(
            "init-too-large",
            f"{text}, before the first update: the fillers make values beyond 3.4e38; use `xavier` or `msra`",
            layer=bad.layer,
            iteration=bad.iteration,
            line=bad.line,
            rules=("wide-gaussian-filler",),
        )
    if known:
        return
    if bad.layer is None:
        yield at.said(
            "bad-input",
            f"{text}, before the first update: the data holds NaN or infinity, or a layer computes it from what it "
            "reads",
            iteration=bad.iteration,
            line=bad.line,
        )
    yield at.said(
        "overflow",
        f"{text}, before the first update: a sum is beyond 3.4e38; look at the fillers and at the size of the data",
        layer=bad.layer,
        iteration=bad.iteration,
        line=bad.line,
    )
    if bad.layer is not None and not grown:
        yield _chain(at, bad, text)


def _raised(at: Evidence) -> Layer | None:
    """A layer that raises to a power of two or more."""
    layers = at.linted.train.layers if at.linted.train else []
    return next((layer for layer in layers if layer.type == "Power" and layer.param.power_param.power >= 2), None)


def grew(at: Evidence) -> float | None:
    """By how much the rate has grown before the first bad number, if by ten or more."""
    bad, (iterations, rates) = at.bad, at.rates
    until = [
        rate for iteration, rate in zip(iterations, rates, strict=True) if bad is None or iteration <= bad.iteration
    ]
    until = [rate for rate in until if math.isfinite(rate)]
    start = next((rate for rate in until if rate > 0), None)
    if start is None:
        return None
    factor = until[-1] / start
    return factor if factor >= 10 else None


def _calm(at: Evidence) -> bool:
    """Whether the losses before the bad number are no larger than at the start."""
    finite = at.finite
    return not finite or max(map(abs, finite)) <= 3 * abs(finite[0]) + 1e-6


def growth(at: Evidence, bad: FirstBad, text: str) -> Iterator[LogFinding]:
    """The weights have run away."""
    losses = at.finite
    calm = not explodes(losses)
    if not losses:
        course = "the loss was bad at once"
    elif calm:
        course = f"the loss shown before it is calm, at {losses[-1]:g}, but may run away between displayed iterations"
    else:
        course = f"the loss went from {losses[0]:g} to {losses[-1]:g}"
    rate = _rate(at)
    factor = grew(at)
    layer = bad.layer
    if at.linted.first(("negative-loss-weight", "negative-lr-mult", "negative-rate")):
        yield at.said(
            "negative-loss-weight",
            f"{text}; {course}: training climbs the loss instead of descending it; turn the sign round",
            iteration=bad.iteration,
            line=bad.line,
            rules=("negative-loss-weight", "negative-lr-mult", "negative-rate"),
        )
    if factor:
        yield at.said(
            "rate-grows",
            f"{text}; the rate has grown {factor:.3g}-fold to {rate:g} by then: the schedule raises it; make `gamma` "
            "less than 1, or mend the policy",
            layer=layer,
            iteration=bad.iteration,
            line=bad.line,
            rules=("rising-rate", "non-finite-rate"),
        )
    if at.linted.first(("decay-beyond-stability",)):
        yield at.said(
            "decay-too-high",
            f"{text}; {course}: weight decay times rate is so large that decay alone makes weights grow",
            layer=layer,
            iteration=bad.iteration,
            line=bad.line,
            rules=("decay-beyond-stability",),
        )
    too_high = at.said(
        "rate-too-high",
        f"{text}; {course}{'' if math.isnan(rate) else f', at a rate of {rate:g}'}: each step overshoots more than the "
        f"last; {_REMEDY_RATE}, or set `clip_gradients`",
        layer=layer,
        iteration=bad.iteration,
        line=bad.line,
        rules=RATES,
    )
    if len(losses) <= 2 and at.linted.first(("exploding-activations",)):
        yield _chain(at, bad, text)
    raw = _raw_input(at, bad)
    if raw and rate > 0.1:
        yield too_high
    if raw:
        yield at.said(
            "input-scale",
            f"{text}; {course}: the data is large and the rate is that for small data; scale it, with `scale: "
            "0.00390625` "
            "for bytes, and subtract the mean",
            layer=layer,
            iteration=bad.iteration,
            line=bad.line,
            rules=("unscaled-pixels",),
        )
    yield too_high


def _rate(at: Evidence) -> float:
    bad, (iterations, rates) = at.bad, at.rates
    known = [rate for it, rate in zip(iterations, rates, strict=True) if bad is None or it <= bad.iteration]
    return known[-1] if known else math.nan


def _raw_input(at: Evidence, bad: FirstBad) -> bool:
    """Whether the data is of the size of bytes: as `debug_info` shows it, or as the rules tell it."""
    if at.linted.first(("unscaled-pixels",)):
        return True
    first = next(iter(bad.block), None)
    sizes = [
        value.value for key, value in bad.block.items() if first and key.layer == first.layer and key.kind == "top"
    ]
    if sizes:
        return math.isfinite(sizes[0]) and sizes[0] > 20
    finite = at.finite
    return bool(finite) and at.only_softmax and finite[0] > 0.5 * CEILING * at.total_weight and at.fresh


def sudden(at: Evidence, bad: FirstBad, text: str, before: Sequence[float]) -> Iterator[LogFinding]:
    """Calm losses, then NaN for good."""
    level = f"the loss is calm before it, at {before[-1]:g}"
    rule = at.linted.first(RATES)
    apart = bad.shown_before is not None and bad.iteration - bad.shown_before > 3
    doubts = [
        at.said(
            "bad-input",
            f"{text}; {level}: a batch with NaN or infinity does that, since the update then makes every weight NaN; "
            "look "
            "at the data of that batch",
            iteration=bad.iteration,
            line=bad.line,
        )
    ]
    likely = rule is not None or apart or len(before) < 3 or _raw_input(at, bad)
    suspect = [*growth(at, bad, text)] if likely else []
    early = len(before) <= 2 and at.linted.first(("exploding-activations",)) is not None
    if suspect and (_strong(rule) or _rate(at) >= 1 or early):
        doubts = suspect + doubts
    else:
        doubts += suspect
    yield from doubts


def _strong(rule: Finding | None) -> bool:
    """Whether a rule alone is reason enough to think of the rate first."""
    return rule is not None and (rule.severity is Severity.ERROR or rule.name in RATES[:4])


def one_bad_batch(at: Evidence, bad: FirstBad, text: str, recovered: tuple[int, int]) -> LogFinding:
    good, of = recovered
    return at.said(
        "bad-input",
        f"{text}; from there on {good} of {of} displayed training outputs are finite, so the weights are, and single "
        "batches are bad: look for rows with NaN or infinity. The loss line says nan for ever after one such "
        "iteration, "
        "because Caffe keeps it as a running sum",
        iteration=bad.iteration,
        line=bad.line,
    )

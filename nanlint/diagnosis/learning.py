"""Runs with finite losses that learn nothing, or the wrong way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median

from nanlint.diagnosis import course
from nanlint.diagnosis.evidence import CEILING, Evidence
from nanlint.diagnosis.suspects import RATES
from nanlint.findings import Severity
from nanlint.logs.finding import LogFinding

_EXACT = 1e-4
_NEAR_CHANCE = 0.02
_USUAL_CLASSES = (100, 101, 102, 196, 200, 205, 256, 257, 365, 397, 1000, 1001)
"""Numbers of classes of public data sets: beyond a hundred every loss is near the logarithm of some number."""

_ENOUGH = 1000
"""Iterations after which a loss that has not moved is not merely at its start."""


def learning(at: Evidence) -> Iterator[LogFinding]:
    """Why the loss does not fall, the most exact cause first; nothing where it does, or where it is too early.

    A net without a parameter, such as one that only reads the data, has nothing to learn.
    """
    if at.linted.train is not None and not at.linted.train.params:
        return
    values = at.finite
    if len(values) < len(at.losses[1]) or len(values) < 2:
        return
    still = list(_standing_still(at, values))
    yield from still
    if still or (len(values) < course.LEAST and not _saturated_outputs(at)):
        return
    found = list(_stuck(at, values)) or list(_wrong_way(at, values))
    yield from found


def _standing_still(at: Evidence, values: Sequence[float]) -> Iterator[LogFinding]:
    """No update can change anything."""
    last, rates = at.losses[0][-1], at.rates[1]
    if rates and all(rate == 0 for rate in rates):
        yield at.said(
            "lr-zero",
            "the rate is 0 in every line of the log, so no weight ever changes: set `base_lr`",
            iteration=at.rates[0][0],
            rules=("zero-base-lr", "zero-gamma", "vanishing-rate"),
            severity=Severity.ERROR,
        )
    elif at.linted.first(("everything-frozen",)):
        yield at.said(
            "all-frozen",
            "no parameter of the net is trained: every `lr_mult` is 0, and the loss stays where it is",
            iteration=last,
            rules=("everything-frozen",),
        )
    elif at.run.clipped and at.run.clip_norm == 0:
        yield at.said(
            "no-learning",
            f"`clip_gradients: 0` scales every gradient to 0, in {at.run.clipped} iterations of the log: leave it out, "
            "or set it to 35 or so",
            iteration=last,
            rules=("zero-clip-gradients",),
            severity=Severity.ERROR,
        )
    elif all(value == 0 for value in values) and len(values) > 2:
        yield from _zero_loss(at, last)
    elif (vanished := _vanished(at)) is not None:
        iteration, rate, first = vanished
        yield at.said(
            "schedule-zero",
            f"the rate falls from {first:g} to {rate:g} by iteration {iteration}, and the run goes on to {last} "
            f"without learning anything more: let `stepvalue`, `stepsize` or `gamma` fit `max_iter`",
            iteration=iteration,
            rules=("vanishing-rate", "zero-gamma"),
        )


def _zero_loss(at: Evidence, last: int) -> Iterator[LogFinding]:
    rule = at.linted.first(("no-loss", "softmax-of-one-class", "loss-cut-off", "dropped-loss-weight"))
    if rule is not None and rule.name == "no-loss":
        said = "the loss is exactly 0 in every line, because the net has no loss: add a loss layer, or a `loss_weight`"
        yield at.told("no-loss", said, rule, iteration=last)
    yield at.told(
        "loss-zero",
        "the loss is exactly 0 in every line: no label counts (all equal `ignore_label`), there is one class only, or "
        "the net has no loss; nothing is learnt",
        rule,
        iteration=last,
    )


def _vanished(at: Evidence) -> tuple[int, float, float] | None:
    """Where the rate has fallen to nothing though a fifth of the run and more is to come."""
    iterations, rates = at.rates
    first = next((rate for rate in rates if rate > 0), None)
    if first is None or len(rates) < 5:
        return None
    small = [at for at, rate in enumerate(rates) if abs(rate) <= 1e-7 * first]
    if not small or small[-1] != len(rates) - 1:
        return None
    start = small[0]
    span = iterations[-1] - iterations[0]
    if (
        start == 0
        or iterations[-1] - iterations[start] < 0.2 * span
        or any(abs(rate) > 1e-7 * first for rate in rates[start:])
    ):
        return None
    return iterations[start], rates[start], first


def _stuck(at: Evidence, values: Sequence[float]) -> Iterator[LogFinding]:
    """The loss stays at a level that has a name, or its values come again to the last digit."""
    last = at.losses[0][-1]
    now = course.level(values)
    saturated = _saturated(at, values)
    if saturated is not None:
        yield from _ceiling(at, saturated, last)
        return
    chance = _chance(at, values)
    long = at.over or at.span >= _ENOUGH or (at.run.max_iter is not None and at.span >= 0.3 * at.run.max_iter)
    dead = _dead_relu(at)
    if chance is not None and long:
        name, near = chance
        constant = list(_constant(at, values, name, now, last))
        if dead is not None and not constant:
            yield dead
        yield from constant
        said = (
            f"the loss stays at {now:g} from iteration {at.losses[0][1]} to {last}; {name} is what a net gives that "
            f"knows nothing{near}"
        )
        if constant or dead is not None:
            yield at.said("stuck-ln-k", said, iteration=last, severity=Severity.INFO)
            return
        rates = at.rates[1]
        other = "larger" if not rates or max(rates) < 1e-3 else "smaller"
        yield at.said(
            "stuck-ln-k",
            f"{said}; look at the fillers and at the scale of the data, and try a rate ten times {other}",
            iteration=last,
            rules=("constant-weights", "missing-weight-filler", "vanishing-input", "unscaled-pixels", *RATES),
        )
    elif course.repeats(values) and at.rates[1]:
        rate = max(at.rates[1])
        said = (
            f"the losses of the later half are those of the first half again, to the last digit, so the weights do not "
            f"move at a rate of {rate:g}"
        )
        if rate < 1e-5:
            yield at.said("lr-too-small", f"{said}: raise `base_lr`", iteration=last, rules=("vanishing-rate",))
        if dead is not None:
            yield dead
        yield at.said(
            "no-learning",
            f"{said}: no gradient reaches them; look for `lr_mult: 0`, for dead units and for a cut between loss and "
            "weights",
            iteration=last,
            rules=("everything-frozen", "loss-reaches-no-weight", "weights-without-loss", "zero-clip-gradients"),
        )
    elif dead is not None and long and course.no_better(values):
        yield dead
    elif at.fresh and at.over and course.flat(values, 1e-3) and now > 0.7 * abs(values[0]):
        yield at.said(
            "stuck",
            f"the loss stays at {now:g} from iteration {at.losses[0][1]} to {last}, within a thousandth: nothing is "
            "learnt; look at the rate, the fillers and the scale of the data",
            iteration=last,
            rules=("constant-weights", "vanishing-input", *RATES),
        )


def _constant(at: Evidence, values: Sequence[float], name: str, now: float, last: int) -> Iterator[LogFinding]:
    """Whether the output does not depend on the input: as the rules or `debug_info` tell it."""
    said = f"the loss stays at {now:g}, which is {name}: the output does not depend on the input, since "
    rule = at.linted.first(("constant-weights", "missing-weight-filler"))
    forward = [(key, track) for key, track in at.run.debug.items() if key.step == "forward"]
    zero = next((key for key, track in forward if key.kind == "param" and key.blob == "0" and track.peak == 0), None)
    source = forward[0][0].layer if forward else None
    empty = next((key for key, track in forward if key.layer == source and track.peak == 0), None)
    if rule is not None:
        yield at.told(
            "constant-output", f"{said}the weights are all alike: use `xavier` or `msra`", rule, iteration=last
        )
    elif zero is not None:
        yield at.said(
            "constant-output",
            f"{said}the weights of `{zero.layer}` are 0 in every displayed iteration: give it a `weight_filler`, "
            "`xavier` "
            "or `msra`",
            layer=zero.layer,
            iteration=last,
        )
    elif empty is not None:
        yield at.said(
            "constant-output",
            f"{said}the data layer `{empty.layer}` gives 0 in every displayed iteration: look at the data and its "
            "scale",
            layer=empty.layer,
            iteration=last,
        )


def _chance(at: Evidence, values: Sequence[float]) -> tuple[str, str] | None:
    """The level of guessing, in words, where the later half of the losses lies at it, and never was below."""
    now = course.level(values)
    level = at.chance_level
    if level is None:
        if not (at.only_softmax or at.linted.train is None):
            return None
        classes = math.exp(min(now / at.total_weight, 50.0))
        likely = round(classes) in range(2, 100) or round(classes) in _USUAL_CLASSES
        level = math.log(max(2, round(classes))) * at.total_weight
        if not likely or abs(level - now) > 1e-3 * now or min(values) < 0.97 * level:
            return None
        if not course.mostly_flat(values, 1e-3 if classes < 100 else 5e-3):
            return None
        heads = "ln" if at.total_weight == 1 else f"{at.total_weight:g} ln"
        return f"{heads} {round(classes)}", ", with as many classes"
    if abs(now - level) > _NEAR_CHANCE * level or not course.mostly_flat(values, 0.01):
        return None
    if min(values) < 0.97 * level or abs(median(values[-5:]) - level) > 0.01 * level:
        return None
    weights = {round(weight, 6) for weight, _ in at.softmax_weights}
    sizes = {count for _, count in at.softmax_weights}
    total = at.total_weight
    words = f"ln {next(iter(sizes))}" if len(sizes) == 1 else "the sum of ln(classes)"
    if total != 1 or len(weights) > 1:
        words = f"{total:g} {words}" if len(sizes) == 1 else "the weighted sum of ln(classes)"
    return words, ""


def _saturated(at: Evidence, values: Sequence[float]) -> float | None:
    """The loss's share of its ceiling, where it stays there."""
    if not (at.only_softmax or at.linted.train is None):
        return None
    ceiling = CEILING * at.total_weight
    rows = course.tail(values)
    if len(values) >= 5 and all(abs(value - ceiling) < 1e-3 * ceiling for value in rows):
        return 1.0
    if _saturated_outputs(at):
        return 1.0
    if _steps(at, values):
        share = median(rows) / ceiling
        if share > 0.3 or (not at.fresh and values[0] > 0.3 * ceiling):
            return share
    return None


def _steps(at: Evidence, values: Sequence[float]) -> bool:
    """Whether nearly all losses are whole rows at the ceiling, the other rows at 0: multiples of 87.3365 / batch."""
    net = at.linted.train
    batch = next((blob.shape[0] for blob in net.blobs if blob.shape), None) if net and net.blobs else None
    if not batch or len(at.softmax_weights) != 1:
        return False
    step = CEILING * at.total_weight / batch
    near = sum(abs(value / step - round(value / step)) < 1e-3 * max(1, value / step) for value in values)
    return near >= 0.8 * len(values) and max(values) >= 0.9 * step


def _saturated_outputs(at: Evidence) -> bool:
    """Whether one of the loss outputs is at its ceiling in nearly every line of the later part, four at least."""
    for rows in at.outputs.values():
        late = rows[len(rows) // 2 :]
        whole = [value for value in late if abs(value - CEILING) < 1e-3]
        if len(late) >= 3 and len(whole) >= max(3, 0.9 * len(late)):
            return True
    return False


def _ceiling(at: Evidence, share: float, last: int) -> Iterator[LogFinding]:
    rows = "every row" if share > 0.999 else f"{100 * share:.0f} % of the rows"
    said = (
        f"the loss stands at its ceiling of 87.3365 for {rows}: the net gives the right class the probability 0, and "
        "with "
        "it no gradient that would lead back"
    )
    loaded = at.run.weights or at.run.resumed
    if loaded and at.losses[1][0] > 0.3 * CEILING * at.total_weight:
        yield at.said(
            "bad-weights",
            f"{said}; so it is from the first line on, with the weights of `{loaded}`: they do not fit this data or "
            "net",
            iteration=at.losses[0][0],
        )
    yield at.said(
        "stuck-87",
        f"{said}; start again with a rate ten times smaller, and look at the fillers and the scale of the data",
        iteration=last,
        rules=("exploding-activations", "wide-gaussian-filler", "unscaled-pixels", *RATES),
    )


def _dead_relu(at: Evidence) -> LogFinding | None:
    """A ReLU that gives 0 alone, in all later displayed iterations."""
    for key, track in at.run.debug.items():
        if key.step != "forward" or key.kind != "top":
            continue
        layer = at.layer(key.layer)
        relu = layer.type in ("ReLU", "PReLU") if layer else "relu" in key.layer.lower()
        if relu and track.count >= 3 and track.zero_streak >= 0.5 * track.count:
            always = track.zeros == track.count
            began = (
                "in every displayed iteration" if always else f"in the last {track.zero_streak} displayed iterations"
            )
            return at.said(
                "dead-relu",
                f"every unit of the ReLU `{key.layer}` gives 0 {began}, so no gradient passes it: lower the rate, "
                "begin "
                "with biases of 0 or a little above, or use a `negative_slope`",
                layer=key.layer,
                iteration=at.losses[0][-1],
                rules=() if always else RATES,
            )
    return None


def _wrong_way(at: Evidence, values: Sequence[float]) -> Iterator[LogFinding]:
    """The loss rises, or swings."""
    last, rates = at.losses[0][-1], at.rates[1]
    rate = rates[-1] if rates else math.nan
    harmless = at.chance_level is not None and course.level(values) < 0.2 * at.chance_level
    if len(values) >= course.LEAST and course.rises(values) and not harmless:
        fast = abs(values[-1]) > 1000 * max(abs(values[0]), 1e-6)
        first = rates[0] if rates else 0
        if first > 0 and rate >= 10 * first:
            yield at.said(
                "rate-grows",
                f"the loss rises from {values[0]:g} to {values[-1]:g} while the rate rises from {first:g} to {rate:g}",
                iteration=last,
                rules=("rising-rate",),
            )
        said = f"the loss rises from {min(values[: len(values) // 2]):g} to {values[-1]:g} at a rate of {rate:g}"
        if fast:
            yield at.said(
                "rate-too-high",
                f"{said}, and will end in infinity: divide `base_lr` by 10",
                iteration=last,
                rules=RATES,
            )
        yield at.said(
            "diverging", f"{said}: divide `base_lr` by 10, or set `clip_gradients`", iteration=last, rules=RATES
        )
    elif len(values) >= course.LEAST and course.swings(values) and course.level(values) > abs(values[0]):
        yield at.said(
            "oscillating",
            f"the loss swings about {course.level(values):g} from line to line, above the {values[0]:g} with which it "
            "began: the steps overshoot; divide `base_lr` by 10, and see whether batches of different rows contradict "
            "each other",
            iteration=last,
            rules=RATES,
        )

"""How a finding about numbers is put into words: the value that does it, how it gets there, where it goes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nanlint.analysis.ranges import Birth, Ranges, births, fate, path, ranges
from nanlint.caffe.model import TEST
from nanlint.findings import Problem, Related, Severity
from nanlint.numbers.float32 import show
from nanlint.numbers.intervals import Interval, Map
from nanlint.numbers.values import Value, certain, is_bad

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Net

SHOWN_LAYERS = 6


class Cause(NamedTuple):
    """Why a layer makes something that is not finite: the rule that documents it, the field, the words."""

    kind: str
    route: str
    words: str


def proved(net: Net) -> Iterator[tuple[Birth, Ranges, Severity]]:
    """What surely is not finite in a net, and how sure it is.

    A net that first meets trained weights (a TEST net, one whose solver names `weights`) is judged by what
    they cannot change: what rests on the fillers is then no more than likely.
    """
    got = ranges(net)
    found = [birth for birth in births(got) if not birth.step.layer.refused]
    lasting = None
    if found and not begins_fresh(net):
        lasting = {(birth.step.layer.index, birth.backward) for birth in births(ranges(net, moved=True))}
    for birth in found:
        sure = lasting is None or (birth.step.layer.index, birth.backward) in lasting
        sure = sure and comes_to_light(got, birth.backward)
        yield birth, got, Severity.ERROR if sure else Severity.WARNING


def comes_to_light(got: Ranges, backward: bool = False) -> bool:
    """Whether the run meets it: without a training iteration there is no more than one forward pass for the
    closing display, which shows the loss alone. A test net that runs at all runs in full."""
    net = got.net
    if not net.runs:
        return False
    return not net.trained or net.iterations != 0 or (not backward and got.loss.surely_bad)


def sure_of(net: Net) -> Severity | None:
    """The severity of what rests on fillers and settings: None where the run surely meets it untrained."""
    return None if begins_fresh(net) and comes_to_light(ranges(net)) else Severity.WARNING


def begins_fresh(net: Net) -> bool:
    """Whether a net first runs with what its fillers make; a net alone does so unless it is a TEST net."""
    return net.phase != TEST if net.fresh is None else net.fresh


def problem(birth: Birth, got: Ranges, severity: Severity, cause: Cause) -> Problem:
    """The finding: the cause, its evidence and its consequence."""
    layer = birth.step.layer
    return Problem(
        layer.at(cause.route),
        cause.words,
        cause.kind,
        "; ".join(part for part in (trail(got, birth.step), fate(got, birth)) if part),
        tuple(_origin(birth.step)),
        layer=layer.name,
        phase=got.net.phase,
        severity=severity,
    )


def _origin(step: Step) -> Iterator[Related]:
    for blob in step.layer.bottoms[:2]:
        maker = blob.producer
        yield Related(f"`{blob.name}` is made here", maker.at())


def trail(got: Ranges, step: Step) -> str:
    """`x` in [-1, 1] -> `relu` in [0, 1]: the values on the way to a layer."""
    steps = path(got, step)
    shown = steps if len(steps) <= SHOWN_LAYERS else [steps[0], *steps[-SHOWN_LAYERS + 1 :]]
    words = [f"`{layer.name}`: {described(value)}" for layer, value in shown]
    if len(shown) < len(steps):
        words.insert(1, "...")
    return " -> ".join(words)


def described(value: Value) -> str:
    """A value in words: `in -1..1`, `0`, `NaN`."""
    if value.constant is not None:
        return spelled(value.constant)
    if not value.known:
        return "any numbers" if value.low < 0 else f"{spelled(value.low)} and above"
    sure = [
        word
        for word, test in (
            ("NaN", lambda low, high: low != low),
            ("0", lambda low, high: low == 0 == high),
        )
        if value.surely(test)
    ]
    bounds = f"{spelled(value.low)}..{spelled(value.high)}" if value.low == value.low else ""
    return f"{bounds} with {' and '.join(sure)} among them" if sure else bounds


def spelled(number: float) -> str:
    """A number as messages print it."""
    if number != number:
        return "NaN"
    if math.isinf(number):
        return "infinity" if number > 0 else "-infinity"
    return f"{number:.4g}" if abs(number) < 1e-37 else show(float(f"{number:.6g}"))


def spread(interval: Interval) -> str:
    """An interval in words."""
    low, high = interval
    return spelled(low) if low == high or low != low else f"{spelled(low)}..{spelled(high)}"


def culprit(value: Value, image: Map) -> Interval:
    """The values of a blob, surely there, that a function makes something not finite of."""
    passing: list[tuple[float, Interval]] = []
    for part in value.parts:
        low, high, nan = image(part.low, part.high)
        if part.chance and (nan == 2 or (nan == 0 and is_bad(low, high))):
            passing.append((part.chance, (part.low, part.high)))
    for interval in value.found:
        low, high, nan = image(*interval)
        if nan == 2 or (nan == 0 and is_bad(low, high)):
            return interval
    if passing and certain(min(1.0, sum(chance for chance, _ in passing)), value.number):
        return min(low for _, (low, _) in passing), max(high for _, (_, high) in passing)
    return value.low, value.high


def joined(names: Sequence[str]) -> str:
    """`a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"

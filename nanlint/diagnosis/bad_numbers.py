"""The first NaN or infinity of a run: where it arose, and from what."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nanlint.diagnosis import domains, suspects
from nanlint.diagnosis.course import explodes
from nanlint.diagnosis.evidence import Evidence
from nanlint.findings import Severity
from nanlint.logs.finding import LogFinding
from nanlint.logs.model import TEST, DebugKey, FirstBad

_SOURCES = ("Data", "ImageData", "HDF5Data", "MemoryData", "WindowData", "DummyData", "Input", "Python")
_LOSSES = "Loss"


def bad_numbers(at: Evidence) -> Iterator[LogFinding]:
    """The causes of the first bad number, the likeliest first."""
    bad = at.run.first_bad
    if bad is None:
        return
    said = where(at, bad) + advice(at, bad)
    if at.run.first_bad_trained is None:
        cause = domains.domain(at, bad, said) if bad.layer is not None else domains.foretold_domain(at, bad, said)
        found, other = [_test_only(at, bad), *([cause] if cause else [])], "that comes of this"
    else:
        found = list(_in_layer(at, bad) if bad.layer is not None else _in_scores(at, bad))
        other = "the same number may have this cause instead"
    yield from found[:1]
    for one in found[1:]:
        yield one._replace(message=one.message.replace(said, other, 1), severity=Severity.INFO)


def where(at: Evidence, bad: FirstBad) -> str:
    """`iteration 4 gives nan in the forward pass of `conv3`, top `conv3``."""
    value = "NaN" if math.isnan(bad.value) else str(bad.value)
    if bad.layer is not None:
        kind = "parameter" if bad.kind in ("param", "diff") else bad.kind
        net = "the test net" if bad.phase == TEST else "the net"
        place = f"the {bad.step} pass of {net}, layer `{bad.layer}`, {kind} `{bad.blob}`"
    elif bad.step == "loss":
        place = "the loss line"
    else:
        place = f"the {'test' if bad.phase == TEST else 'training'} output `{bad.blob}`"
    return f"the first {value} is in {place}, at iteration {bad.iteration}{_since(at, bad)}"


def _since(at: Evidence, bad: FirstBad) -> str:
    """Between which iterations it arose, where `display` hides that."""
    before = bad.shown_before
    if bad.phase == TEST or before is None or bad.iteration - before <= 1:
        return ""
    return f" (it arose after {before}: only displayed iterations are printed)"


def advice(at: Evidence, bad: FirstBad) -> str:
    """What to write so that the log shows the layer, where it does not."""
    if bad.layer is not None and (bad.shown_before is None or bad.iteration - bad.shown_before <= 1):
        return ""
    lines = "`display: 1`" if bad.layer is not None else "`debug_info: true` and `display: 1`"
    return f"; to see the layer and the iteration, run again with {lines}"


def _test_only(at: Evidence, bad: FirstBad) -> LogFinding:
    layer = at.layer(bad.layer)
    rule = at.linted.first(domains.DOMAINS, bad.layer)
    source = bad.layer is not None and (layer is None or layer.type in _SOURCES) and "data" in (bad.blob or "")
    remedy = "look at the test data" if source else "look at the layers and the data that only the test net has"
    return at.told(
        "test-only-bad",
        f"{where(at, bad)}; the training net stays finite, so training itself is not harmed; {remedy}",
        rule,
        layer=bad.layer,
        iteration=bad.iteration,
        line=bad.line,
        severity=Severity.WARNING,
    )


def _in_layer(at: Evidence, bad: FirstBad) -> Iterator[LogFinding]:
    """By the lines of the same pass: whether the layer's bottoms and parameters were still finite."""
    assert bad.layer is not None
    layer = at.layer(bad.layer)
    made = [key for key in bad.block if key.step == "forward" and key.kind == "top"]
    source = layer.type in _SOURCES if layer else bool(made) and bad.layer == made[0].layer
    params_bad = any(
        key.step == "forward" and key.layer == bad.layer and key.kind == "param" and not math.isfinite(value.value)
        for key, value in bad.block.items()
    )
    if bad.step == "forward" and source:
        yield at.said(
            "bad-input",
            f"{where(at, bad)}: a data layer, so the data itself holds it; look for rows with NaN or infinity, or for "
            "a division by a standard deviation of 0 when they were made",
            layer=bad.layer,
            iteration=bad.iteration,
            line=bad.line,
            rules=suspects.SOURCES,
            severity=Severity.ERROR,
        )
    elif bad.step == "forward" and params_bad:
        yield from suspects.bad_parameters(at, bad, where(at, bad) + advice(at, bad))
    elif bad.step == "forward":
        yield from _own_doing(at, bad)
    elif bad.step == "backward":
        yield from suspects.bad_gradient(at, bad, where(at, bad) + advice(at, bad))
    else:
        yield from suspects.bad_parameters(at, bad, where(at, bad) + advice(at, bad))


def _own_doing(at: Evidence, bad: FirstBad) -> Iterator[LogFinding]:
    """Finite bottoms and parameters, and a bad top."""
    text = where(at, bad) + advice(at, bad)
    domain = domains.domain(at, bad, text)
    if domain is not None:
        yield domain
        return
    if jump := _input_jump(at, bad):
        key, value, before = jump
        yield at.said(
            "bad-input",
            f"{text}; `{key.blob}` of the data layer `{key.layer}` has a mean size of {value:g} by then, where it "
            f"began with {before:g}: the data holds a huge number; look for rows of another scale",
            layer=bad.layer,
            iteration=bad.iteration,
            line=bad.line,
        )
    layer = at.layer(bad.layer)
    if layer is not None and layer.type.endswith(_LOSSES) and _at_first(at, bad):
        yield at.said(
            "loss-overflow",
            f"{text}: the loss is beyond the largest 32-bit float, 3.4e38, while what it is computed of is finite; "
            "lower the loss's weight, or scale its inputs",
            layer=bad.layer,
            iteration=bad.iteration,
            line=bad.line,
            rules=("infinite-loss", "large-regression-targets", "overflow"),
            severity=Severity.ERROR,
        )
    elif _at_first(at, bad):
        yield from suspects.bad_from_the_start(at, bad, text)
    else:
        yield from suspects.growth(at, bad, text)


def _input_jump(at: Evidence, bad: FirstBad) -> tuple[DebugKey, float, float] | None:
    """A blob of the first layer that has been a thousand times what it was at first."""
    first = next(iter(bad.block), None)
    for key, track in at.run.debug.items():
        if first is None or key.layer != first.layer or key.step != "forward":
            continue
        if math.isfinite(track.peak) and track.peak > 1000 * max(track.first, 1e-6):
            return key, track.peak, track.first
    return None


def _at_first(at: Evidence, bad: FirstBad) -> bool:
    """Whether it is bad before any update."""
    iterations = at.losses[0]
    first = iterations[0] if len(iterations) else bad.iteration
    return bad.iteration <= first and bad.iteration <= at.run.from_iteration + 1


def _in_scores(at: Evidence, bad: FirstBad) -> Iterator[LogFinding]:
    """Without `debug_info`: by the losses before, by what came after, and by what the rules foretell."""
    text = where(at, bad) + advice(at, bad)
    domain = domains.foretold_domain(at, bad, text)
    before = [value for value in at.losses[1][: _position(at, bad)] if math.isfinite(value)]
    if at.linted.first(("zero-iter-size",)):
        yield domains.zero_iter_size(at, bad, text)
        return
    recovered = _recovers(at)
    if recovered:
        yield suspects.one_bad_batch(at, bad, text, recovered)
    elif not before:
        if domain is not None:
            yield domain
        yield from suspects.bad_from_the_start(at, bad, text, known=domain is not None)
    elif explodes(before) or suspects.grew(at):
        yield from suspects.growth(at, bad, text)
        if domain is not None:
            yield domain
    else:
        if domain is not None:
            yield domain
        yield from suspects.sudden(at, bad, text, before)


def _position(at: Evidence, bad: FirstBad) -> int:
    """How many loss lines stand before the bad number."""
    count = 0
    for iteration, value in zip(*at.losses, strict=True):
        if iteration > bad.iteration or not math.isfinite(value):
            break
        count += 1
    return count


def _recovers(at: Evidence) -> tuple[int, int] | None:
    """Of the displayed iterations from the first bad output or loss on: how many outputs are finite, of how many."""
    bad = at.run.first_bad_trained
    if bad is None:
        return None
    rows: list[bool] = []
    outputs = at.outputs
    if not outputs:
        return None
    finite = [all(math.isfinite(value) for value in row) for row in zip(*outputs.values(), strict=False)]
    iterations = at.losses[0]
    for iteration, fine in zip(iterations, finite, strict=False):
        if iteration >= bad.iteration:
            rows.append(fine)
    good = sum(rows)
    lasts = any(rows[-max(1, len(rows) // 4) :])
    return (good, len(rows)) if len(rows) > 1 and good >= 0.2 * len(rows) and lasts else None

"""Runs that did not go to their end, and those that did and then crashed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nanlint.diagnosis.evidence import Evidence
from nanlint.diagnosis.failures import explanation
from nanlint.findings import Effect, Finding, Severity
from nanlint.logs.finding import LogFinding
from nanlint.logs.model import Outcome

_STOPS = (Effect.PARSE_FAILURE, Effect.SETUP_FAILURE, Effect.RUN_FAILURE, Effect.MEMORY_ERROR)
_WORDS = re.compile(r"[A-Za-z_]{4,}")
_OF_EVERY_CHECK = set("check failed layer layers param this size must caffe than with that".split())


def endings(at: Evidence) -> Iterator[LogFinding]:
    """What ended the run."""
    run, outcome = at.run, at.run.outcome
    if outcome is Outcome.ABORTED:
        yield from _aborted(at)
    elif outcome is Outcome.CRASHED and run.crash is not None:
        what, line = run.crash
        yield at.said(
            "abort",
            f"Caffe dies without a word of its own: `{what[:200]}`; memory outside a blob was read or written, most "
            "often by a label that is no class, or the machine ran out of memory; look at the labels, and at the "
            "layer that the stack trace names",
            line=line,
            severity=Severity.ERROR,
            rules=("label-out-of-range",),
        )
    elif outcome is Outcome.INTERRUPTED:
        yield at.said(
            "interrupted",
            f"the run was stopped by a signal after iteration {_last(at)}{_of(at)}, and Caffe ended in order; "
            "go on with `--snapshot`",
            iteration=_last(at),
            severity=Severity.INFO,
        )
    elif outcome is Outcome.CUT:
        yield from _cut(at)
    if run.crash is not None and run.done:
        yield at.said(
            "label-out-of-range",
            f"after `Optimization Done` the process dies: `{run.crash[0][:200]}`; it has written outside a blob "
            "during the run, so its numbers and weights are suspect; look for labels that are no class",
            line=run.crash[1],
        )


def _aborted(at: Evidence) -> Iterator[LogFinding]:
    failure = at.run.failure
    assert failure is not None
    rule = _foretold(at)
    where = f" ({failure.file}:{failure.line})" if failure.file else ""
    cause, remedy = explanation(failure)
    message = f"Caffe aborts: `{failure.message[:300]}`{where}"
    yield at.told(
        cause or "abort",
        f"{message}; {remedy}" if remedy else message,
        rule,
        layer=rule.layer if rule else None,
        iteration=_last(at),
        line=failure.at,
        severity=Severity.ERROR,
    )


def _foretold(at: Evidence) -> Finding | None:
    """The finding of the rules that speaks of what failed: by the words that both use, and by the layer."""
    failure, layer = at.run.failure, at.run.setting_up
    assert failure is not None
    words = set(_WORDS.findall(f"{failure.message} {(failure.file or '').replace('_layer.cpp', '')}".lower()))
    words -= _OF_EVERY_CHECK
    best, most = None, 0
    for finding in at.linted.findings:
        if finding.effect not in _STOPS or finding.severity is not Severity.ERROR:
            continue
        text = f"{finding.message} {finding.evidence or ''} {finding.place.route} {finding.name}".lower()
        said = set(_WORDS.findall(text)) & words
        score = len(said) + 3 * (finding.layer is not None and finding.layer == layer)
        if score > most:
            best, most = finding, score
    return best


def _cut(at: Evidence) -> Iterator[LogFinding]:
    run = at.run
    if run.killed is not None:
        yield at.said(
            "killed",
            f"the process was killed after iteration {_last(at)}{_of(at)}: `{run.killed[0][:100]}`",
            iteration=_last(at),
            line=run.killed[1],
            severity=Severity.INFO,
        )
    elif run.max_iter and at.following is None:
        yield at.said(
            "killed",
            f"the log ends after iteration {_last(at)}{_of(at)} without a word: the run still goes on, or it was "
            "killed, by the system for memory or by a queue for time",
            iteration=_last(at),
            severity=Severity.INFO,
        )


def _last(at: Evidence) -> int | None:
    iterations = at.losses[0]
    return iterations[-1] if len(iterations) else None


def _of(at: Evidence) -> str:
    return f" of {at.run.max_iter}" if at.run.max_iter else ""

"""From a log to the causes of what went wrong: each in a module of its kind, with the rules that foretell it."""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.diagnosis.bad_numbers import bad_numbers
from nanlint.diagnosis.endings import endings
from nanlint.diagnosis.evidence import Evidence
from nanlint.diagnosis.generalising import overfitting
from nanlint.diagnosis.learning import learning
from nanlint.diagnosis.lint import lint_files, lint_run
from nanlint.findings import Severity
from nanlint.logs.finding import LogFinding
from nanlint.logs.model import Log, Outcome

__all__ = ["diagnose"]


def diagnose(log: Log, solver: str | None = None) -> list[LogFinding]:
    """What went wrong in the last run, the likeliest cause first; what did in earlier ones follows as information.

    The solver and the nets are those that the log echoes; where it echoes none, those of the file `solver`.
    """
    found: list[LogFinding] = []
    for number in reversed(range(len(log.runs))):
        run = log.runs[number]
        following = log.runs[number + 1] if number + 1 < len(log.runs) else None
        linted = lint_run(run, log.path)
        if linted.train is None and solver is not None:
            linted = lint_files(solver)
        causes = _distinct(_of_run(Evidence(log, run, following, linted)))
        causes.sort(key=lambda one: one.severity is Severity.INFO)
        found += causes if following is None else [_earlier(one, number, len(log.runs)) for one in causes]
    return found


def _of_run(at: Evidence) -> Iterator[LogFinding]:
    ended = list(endings(at))
    aborted = at.run.outcome in (Outcome.ABORTED, Outcome.CRASHED)
    if aborted:
        yield from ended
    yield from bad_numbers(at)
    if at.run.first_bad_trained is None:
        yield from learning(at)
    if not aborted:
        yield from ended
    yield from overfitting(at)


def _earlier(one: LogFinding, number: int, runs: int) -> LogFinding:
    return one._replace(severity=Severity.INFO, message=f"in run {number + 1} of {runs}: {one.message}")


def _distinct(findings: Iterator[LogFinding]) -> list[LogFinding]:
    """Each cause once."""
    kept: dict[str, LogFinding] = {}
    told: set[str | None] = set()
    for one in findings:
        if one.cause not in kept:
            kept[one.cause] = one if one.told not in told else one._replace(told=None)
            told.add(one.told)
    return list(kept.values())

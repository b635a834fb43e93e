"""Findings as people read them: causes with what they explain, the most severe first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nanlint.findings import Effect, Finding, Reference, Report

ADVICE = "debug-info-advised"
"""A rule whose finding closes the summary."""

_EARLIEST_FIRST = (
    Effect.PARSE_FAILURE,
    Effect.SETUP_FAILURE,
    Effect.MEMORY_ERROR,
    Effect.RUN_FAILURE,
    Effect.NON_FINITE,
    Effect.DIVERGENCE,
    Effect.NO_LEARNING,
    Effect.NONE,
)


class Cause(NamedTuple):
    """A finding that nothing else explains, and all that it explains, by place."""

    finding: Finding
    notes: tuple[Finding, ...]

    @property
    def rank(self) -> int:
        """How severe it is, with what comes of it."""
        return max(one.severity.rank for one in (self.finding, *self.notes))


def causes(report: Report) -> list[Cause]:
    """The causes of a report: most severe first, then what Caffe meets first, then by place."""
    by_reference: dict[Reference, list[int]] = {}
    for number, finding in enumerate(report.findings):
        by_reference.setdefault(finding.reference, []).append(number)
    notes: dict[int, list[Finding]] = {}
    for number, finding in enumerate(report.findings):
        root = _root(number, report.findings, by_reference)
        notes.setdefault(root, [])
        if root != number and finding.name != ADVICE:
            notes[root].append(finding)
    found = [Cause(report.findings[root], tuple(explained)) for root, explained in notes.items()]
    found = [cause for cause in found if cause.finding.name != ADVICE]
    return sorted(found, key=_precedence)


def advice(report: Report) -> Finding | None:
    """The advice that closes the summary, once for the run."""
    return next((finding for finding in report.findings if finding.name == ADVICE), None)


def _precedence(cause: Cause) -> tuple[object, ...]:
    finding = cause.finding
    return (
        -cause.rank,
        -finding.severity.rank,
        _EARLIEST_FIRST.index(finding.effect),
        -len(cause.notes),
        finding.place.source.path,
        finding.place.span,
        finding.code,
    )


def _root(number: int, findings: Sequence[Finding], by_reference: dict[Reference, list[int]]) -> int:
    seen = {number}
    while True:
        found = [
            other
            for reference in findings[number].explained_by
            for other in by_reference.get(reference, ())
            if other not in seen
        ]
        if not found:
            return number
        number = max(found, key=lambda other: (findings[other].severity.rank, -other))
        seen.add(number)

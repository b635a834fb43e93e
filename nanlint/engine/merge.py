"""One claim once, and in order."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nanlint.findings import Finding

_NUMBER = re.compile(r"\d+")


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Equal claims about one place as one finding: the surest, of no phase where it holds in several."""
    return _across_phases(_equal(findings))


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By path, place and code."""
    return sorted(
        findings,
        key=lambda one: (one.place.source.path, one.place.span, one.code, one.message, one.phase or ""),
    )


def _equal(findings: Iterable[Finding]) -> list[Finding]:
    kept: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        key = (*_about(finding), finding.message)
        before = kept.get(key)
        kept[key] = finding if before is None else _both(before, finding)
    return list(kept.values())


def _across_phases(findings: list[Finding]) -> list[Finding]:
    """Claims that differ in numbers alone, as the batch sizes of two phases make them, as one."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((*_about(finding), _NUMBER.sub("#", finding.message)), []).append(finding)
    kept: list[Finding] = []
    for group in groups.values():
        phases = [finding.phase for finding in group]
        if len(group) == 2 and None not in phases and phases[0] != phases[1]:
            group = [_both(*group)]
        kept += group
    return kept


def _about(finding: Finding) -> tuple[object, ...]:
    return finding.code, finding.place.source.path, finding.place.span


def _both(one: Finding, other: Finding) -> Finding:
    surest = max(one, other, key=lambda finding: finding.severity.rank)
    phase = one.phase if one.phase == other.phase else None
    return surest if surest.phase == phase else surest._replace(phase=phase)

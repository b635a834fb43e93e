"""One claim once, and in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nanlint.findings import Finding


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Equal claims about one place as one finding: the surest, of no phase where it holds in several."""
    kept: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        key = (finding.code, finding.place.source.path, finding.place.span, finding.message)
        before = kept.get(key)
        if before is None:
            kept[key] = finding
            continue
        surest = max(before, finding, key=lambda one: one.severity.rank)
        phase = before.phase if before.phase == finding.phase else None
        kept[key] = surest if surest.phase == phase else replace(surest, phase=phase)
    return list(kept.values())


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By path, place and code."""
    return sorted(
        findings,
        key=lambda one: (one.place.source.path, one.place.span, one.code, one.message, one.phase or ""),
    )

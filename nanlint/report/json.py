"""Findings as JSON, for programs: one object, the same bytes for the same input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

from nanlint import __version__
from nanlint.findings import Finding, Fix, Reference, Report, Severity
from nanlint.text.source import Place, Position


def dumps(report: Report) -> str:
    return encode(
        {
            "version": 1,
            "tool": {"name": "nanlint", "version": __version__},
            "summary": summary_object(report),
            "findings": [finding_object(finding) for finding in report.findings],
        }
    )


def lines(report: Report) -> Iterator[str]:
    """JSON Lines: an object a finding, without the frame of `dumps`."""
    for finding in report.findings:
        yield encode(finding_object(finding), indent=None)


def encode(document: Any, indent: int | None = 1) -> str:
    """ASCII alone, so that names in any encoding, and bytes in none, pass through every pipe.

    Raises ValueError for nan and infinity, which JSON has no number for: `number` gives what to write. Nothing that a
    job of a continuous integration takes for a command is left in it.
    """
    return json.dumps(document, indent=indent, allow_nan=False).replace("##", "#\\u0023")


def number(value: float) -> float | str:
    """A number as JSON has it: `"nan"`, `"inf"`, `"-inf"` as strings."""
    return value if isfinite(value) else str(value)


def summary_object(report: Report) -> dict[str, Any]:
    """How many files and findings there are."""
    return {
        "files": len(report.files),
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "infos": report.count(Severity.INFO),
        "fixable": report.fixable,
    }


def finding_object(finding: Finding) -> dict[str, Any]:
    """One finding, for any report."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "effect": finding.effect.value,
        "message": finding.message,
        "evidence": finding.evidence,
        **_place(finding.place),
        "route": finding.place.route,
        "layer": finding.layer,
        "phase": finding.phase,
        "related": [{"message": other.message, **_place(other.place)} for other in finding.related],
        "explains": [reference(other) for other in finding.explains],
        "explained_by": [reference(other) for other in finding.explained_by],
        "fix": _fix(finding.fix) if finding.fix else None,
        "url": finding.url,
    }


def reference(other: Reference) -> dict[str, Any]:
    """Another finding of the run, as its code and place."""
    place = other.place
    return {"code": other.code, "path": place.source.path, "start": _position(place.start)}


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "title": fix.title,
        "applicability": fix.applicability.value,
        "edits": [{**_place(edit.place), "text": edit.text} for edit in fix.edits],
    }


def _place(place: Place) -> dict[str, Any]:
    return {"path": place.source.path, "start": _position(place.start), "end": _position(place.end)}


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column}

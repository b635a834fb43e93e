"""Findings as reviewdog's Diagnostic Format, with fixes as suggestions."""

from __future__ import annotations

from typing import Any

from nanlint import SITE
from nanlint.findings import Finding, Fix, Report
from nanlint.report.json import encode
from nanlint.text.source import Place, Position


def dumps(report: Report) -> str:
    return encode(
        {
            "source": {"name": "nanlint", "url": SITE},
            "diagnostics": [_diagnostic(finding) for finding in report.findings],
        }
    )


def _diagnostic(finding: Finding) -> dict[str, Any]:
    diagnostic: dict[str, Any] = {
        "message": finding.message,
        "location": _location(finding.place),
        "severity": finding.severity.value.upper(),
        "code": {"value": finding.code, "url": finding.url},
    }
    if finding.related:
        diagnostic["related_locations"] = [
            {"message": other.message, "location": _location(other.place)} for other in finding.related
        ]
    if finding.fix and _within(finding.place.source.path, finding.fix):
        diagnostic["suggestions"] = [
            {"range": _range(edit.place), "text": edit.text} for edit in finding.fix.edits
        ]
    return diagnostic


def _within(path: str, fix: Fix) -> bool:
    """A suggestion has no path of its own: it is about the file of its diagnostic."""
    return all(edit.place.source.path == path for edit in fix.edits)


def _location(place: Place) -> dict[str, Any]:
    return {"path": place.source.path.replace("\\", "/"), "range": _range(place)}


def _range(place: Place) -> dict[str, Any]:
    text = place.source.text
    return {
        "start": _position(place.start, text, place.span.start),
        "end": _position(place.end, text, place.span.end),
    }


def _position(position: Position, text: str, offset: int) -> dict[str, int]:
    """reviewdog counts columns in bytes of UTF-8."""
    line = text[offset - (position.column - 1) : offset]
    return {"line": position.line, "column": len(line.encode("utf-8", "surrogateescape")) + 1}

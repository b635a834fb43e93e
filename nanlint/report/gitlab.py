"""Findings as GitLab's Code Quality report, which shows them beside the lines of a merge request."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import Any

from nanlint.findings import Finding, Report, Severity
from nanlint.report.json import encode

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def dumps(report: Report) -> str:
    """One array; findings that differ in nothing but their lines are told apart by a number."""
    seen: Counter[tuple[str, ...]] = Counter()
    return encode([_issue(finding, seen) for finding in report.findings])


def _issue(finding: Finding, seen: Counter[tuple[str, ...]]) -> dict[str, Any]:
    start, end = finding.place.start, finding.place.end
    return {
        "description": finding.message,
        "check_name": f"{finding.code} {finding.name}",
        "fingerprint": fingerprint(finding, seen),
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": finding.place.source.path.replace("\\", "/"),
            "positions": {
                "begin": {"line": start.line, "column": start.column},
                "end": {"line": end.line, "column": end.column},
            },
            "lines": {"begin": start.line, "end": end.line},
        },
    }


def fingerprint(finding: Finding, seen: Counter[tuple[str, ...]]) -> str:
    """64 hexadecimal digits that stay when lines move; `seen` counts those of the report so far."""
    number = seen[finding.identity]
    seen[finding.identity] += 1
    words = "\0".join((*finding.identity, str(number)))
    return sha256(words.encode("utf-8", "surrogateescape")).hexdigest()

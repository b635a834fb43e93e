"""How often each rule found something, instead of where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nanlint.findings import Finding, Report, Severity
from nanlint.report.json import encode


def lines(report: Report) -> Iterator[str]:
    """`   3  error    POOL001  empty-pooling-window`, the most frequent first."""
    for (code, name, severity), number in _counted(report):
        yield f"{number:5}  {severity.value:8} {code:8} {name}"


def dumps(report: Report) -> str:
    return encode(
        {
            "version": 1,
            "rules": [
                {"code": code, "name": name, "severity": severity.value, "count": number}
                for (code, name, severity), number in _counted(report)
            ],
        }
    )


def _counted(report: Report) -> list[tuple[tuple[str, str, Severity], int]]:
    counts = Counter(_kind(finding) for finding in report.findings)
    return sorted(counts.items(), key=lambda one: (-one[1], -one[0][2].rank, one[0][0]))


def _kind(finding: Finding) -> tuple[str, str, Severity]:
    return finding.code, finding.name, finding.severity

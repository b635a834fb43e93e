"""One line a finding: `path:line:column: severity[code] message`."""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.findings import Report


def lines(report: Report) -> Iterator[str]:
    for finding in report.findings:
        place = f"{finding.place.source.path}:{finding.place.start.line}:{finding.place.start.column}"
        yield f"{place}: {finding.severity.value}[{finding.code}] {finding.message}"

"""Findings as logging commands of Azure Pipelines."""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.findings import Report, Severity

_TYPES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "warning"}
_ESCAPES = {"%": "%AZP25", ";": "%3B", "\r": "%0D", "\n": "%0A", "]": "%5D"}


def lines(report: Report) -> Iterator[str]:
    for finding in report.findings:
        start = finding.place.start
        properties = {
            "type": _TYPES[finding.severity],
            "sourcepath": finding.place.source.path,
            "linenumber": str(start.line),
            "columnnumber": str(start.column),
            "code": f"{finding.code} {finding.name}",
        }
        words = "".join(f"{key}={_escaped(value)};" for key, value in properties.items())
        yield f"##vso[task.logissue {words}]{_escaped(finding.message)}"


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)

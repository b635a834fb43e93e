"""Findings as GitHub workflow commands, which show them beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.findings import Report, Severity
from nanlint.report.concise import explained
from nanlint.report.order import causes
from nanlint.safety.printable import escaped

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def lines(report: Report) -> Iterator[str]:
    for finding, notes in causes(report):
        start, end = finding.place.start, finding.place.end
        properties = {
            "file": finding.place.source.path,
            "line": start.line,
            "endLine": end.line,
            "title": f"{finding.code} {finding.name}",
        }
        if start.line == end.line:
            properties |= {"col": start.column, "endColumn": end.column}
        words = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
        yield f"::{_COMMANDS[finding.severity]} {words}::{_data(finding.message + explained(notes))}"


def _data(text: str) -> str:
    return escaped(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

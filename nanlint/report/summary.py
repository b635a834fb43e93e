"""The last line for people: how much was found, and in how many files."""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.findings import Report, Severity
from nanlint.report.style import Paint


def summary(report: Report, paint: Paint) -> Iterator[str]:
    """`2 errors, 1 warning in 2 files; --fix mends 1`; nothing if no file could be read."""
    if not report.files:
        return
    files = _count(len(report.files), "file")
    counts = ((report.count(severity), severity.value) for severity in Severity)
    parts = [paint(word, _count(number, word)) for number, word in counts if number]
    fixable = f"; `--fix` mends {report.fixable}" if report.fixable else ""
    yield f"{', '.join(parts)} in {files}{fixable}" if parts else f"nothing found in {files}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

"""The last lines for people: how much was found, in how many files, and what to watch."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from nanlint.findings import Report, Severity
from nanlint.report.order import advice
from nanlint.report.style import Paint


def summary(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """`2 errors, 1 warning in 2 files; --fix mends 1`, and advice on watching the run, if there is some;
    nothing if no file could be read."""
    if not report.files:
        return
    files = _count(len(report.files), "file")
    counts = ((report.count(severity), severity.value) for severity in Severity)
    parts = [paint(word, _count(number, word)) for number, word in counts if number]
    fixes = f"; `--fix` mends {report.fixable}" if report.fixable else ""
    if report.unsafely_fixable:
        more = f"{report.unsafely_fixable} more" if fixes else f"mends {report.unsafely_fixable}"
        fixes += f"{',' if fixes else ';'} `--unsafe-fixes` {more}"
    yield f"{', '.join(parts)} in {files}{fixes}" if parts else f"nothing found in {files}"
    closing = advice(report)
    if closing is not None:
        yield from wrap(closing.message, width, break_long_words=False, break_on_hyphens=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

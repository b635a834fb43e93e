"""Findings for people: the claim, its lines with the span underlined, evidence and remedy."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from nanlint.findings import Applicability, Finding, Report
from nanlint.report.snippet import Mark, snippet
from nanlint.report.style import Paint
from nanlint.report.summary import summary

_LEAST_WIDTH = 50


def lines(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """The findings with a blank line after each, and a summary of the files, if any could be read.

    `width` columns wide where words allow it.
    """
    width = max(width, _LEAST_WIDTH)
    for finding in report.findings:
        yield from _finding(finding, width, paint)
        yield ""
    yield from summary(report, paint)


def _finding(finding: Finding, width: int, paint: Paint) -> Iterator[str]:
    place, role = finding.place, finding.severity.value
    where = f"{place.source.path}:{place.start.line}:{place.start.column}:"
    code = paint(role, f"{role}[{finding.code}]")
    yield f"{paint('title', where)} {code} {finding.name}{_context(finding)}"
    for line in wrap(finding.message, width - 2, break_long_words=False, break_on_hyphens=False):
        yield "  " + paint("title", line)
    marks = [Mark(place, "", True), *(Mark(other.place, other.message, False) for other in finding.related)]
    gutter = len(str(max(mark.place.start.line for mark in marks))) + 2
    yield from snippet(marks, role, gutter, width, paint)
    if finding.evidence:
        yield from _note("evidence", finding.evidence, gutter, width, paint)
    if finding.fix:
        mended = " (`--fix` does it)" if finding.fix.applicability is Applicability.SAFE else ""
        yield from _note("fix", finding.fix.title + mended, gutter, width, paint)


def _context(finding: Finding) -> str:
    parts = [f"layer `{finding.layer}`"] if finding.layer else []
    if finding.phase:
        parts.append(finding.phase)
    return f" ({', '.join(parts)})" if parts else ""


def _note(label: str, text: str, gutter: int, width: int, paint: Paint) -> Iterator[str]:
    lead = f"{' ' * gutter} = {label}: "
    room = max(width - len(lead), _LEAST_WIDTH // 2)
    paragraphs = [
        line
        for part in text.splitlines()
        for line in wrap(part, room, break_long_words=False, break_on_hyphens=False) or [""]
    ]
    for number, line in enumerate(paragraphs):
        head = (
            f"{' ' * gutter} {paint('frame', '=')} {paint('remedy', label)}: "
            if number == 0
            else " " * len(lead)
        )
        yield (head + line).rstrip()

"""Findings for people: the claim, its lines with the span underlined, evidence, what comes of it, and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from nanlint.findings import Applicability, Finding, Report
from nanlint.report.order import Cause, causes
from nanlint.report.snippet import Mark, snippet
from nanlint.report.style import Paint
from nanlint.report.summary import summary
from nanlint.safety import printable

UNQUOTED = ("not-a-prototxt",)
"""Rules whose findings show no line of the file: a solver may name any, and its lines are nobody's business."""

_LEAST_WIDTH = 50
_PLACES_SHOWN = 4
_FIRST_CLAUSE = re.compile(r"(?:`[^`]*`|[^`;:]|[;:](?! ))*")


def lines(report: Report, width: int, paint: Paint, quiet: bool = False) -> Iterator[str]:
    """The causes with a blank line after each, and a summary of the files, if any could be read.

    What a finding explains is a note of it. `width` columns wide where words allow it. `quiet`: no summary.
    """
    width = max(width, _LEAST_WIDTH)
    for cause in causes(report):
        yield from _cause(cause, width, paint)
        yield ""
    if not quiet:
        yield from summary(report, width, paint)


def _cause(cause: Cause, width: int, paint: Paint) -> Iterator[str]:
    finding = cause.finding
    place, role = finding.place, finding.severity.value
    where = f"{place.source.path}:{place.start.line}:{place.start.column}:"
    code = paint(role, f"{role}[{finding.code}]")
    yield f"{paint('title', where)} {code} {finding.name}{_context(finding)}"
    for line in wrap(finding.message, width - 2, break_long_words=False, break_on_hyphens=False):
        yield "  " + paint("title", line)
    marks = [Mark(place, "", True), *(Mark(other.place, other.message, False) for other in finding.related)]
    gutter = len(str(max(mark.place.start.line for mark in marks))) + 2
    if finding.name not in UNQUOTED:
        yield from snippet(marks, role, gutter, width, paint)
    if finding.evidence:
        yield from _note("evidence", finding.evidence, gutter, width, paint)
    for words in _consequences(cause):
        yield from _note("hence", words, gutter, width, paint)
    if finding.fix:
        safe = finding.fix.applicability is Applicability.SAFE
        yield from _note("fix", f"{finding.fix.title} ({_how(safe)})", gutter, width, paint)


def _how(safe: bool) -> str:
    return "`--fix` does it" if safe else "`--unsafe-fixes` does it; look at it first"


def _consequences(cause: Cause) -> Iterator[str]:
    """One clause for each rule whose findings are explained, with the first of their places."""
    by_code = sorted(cause.notes, key=lambda one: one.code)
    for code, group in groupby(by_code, key=lambda one: one.code):
        found = list(group)
        if code == cause.finding.code:
            yield f"the same {_places(found)}"
        else:
            clause = _FIRST_CLAUSE.match(found[0].message)
            severity = max(found, key=lambda one: one.severity.rank).severity.value
            yield f"{severity}[{code}] {_places(found)}: {clause[0] if clause else ''}"


def _places(found: Sequence[Finding]) -> str:
    """`at net.prototxt:4, 9 and 3 more places`."""
    named = list(dict.fromkeys((one.place.source.path, one.place.start.line) for one in found))
    words, before = [], ""
    for path, line in named[:_PLACES_SHOWN]:
        words.append(str(line) if path == before else f"{path}:{line}")
        before = path
    more = len(named) - _PLACES_SHOWN
    return f"at {', '.join(words)}" + (f" and {more} more places" if more > 0 else "")


def _context(finding: Finding) -> str:
    parts = [f"layer `{printable.name(finding.layer)}`"] if finding.layer else []
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

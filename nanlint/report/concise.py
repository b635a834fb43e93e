"""One line a cause: `path:line:column: severity[code] name: message`, with the places of what it explains.

`[*]` at the end: `--fix` mends it.
"""

from __future__ import annotations

from collections.abc import Iterator

from nanlint.findings import Applicability, Finding, Report
from nanlint.report.order import causes

_SHOWN = 4


def lines(report: Report) -> Iterator[str]:
    for finding, notes in causes(report):
        place = f"{finding.place.source.path}:{finding.place.start.line}:{finding.place.start.column}"
        what = f"{finding.severity.value}[{finding.code}] {finding.name}: {finding.message}{explained(notes)}"
        mended = finding.fix is not None and finding.fix.applicability is Applicability.SAFE
        yield f"{place}: {what}{' [*]' if mended else ''}"


def explained(notes: tuple[Finding, ...]) -> str:
    """` (explains BLW002 at solver.prototxt:4 and 2 more)`; nothing where there are no notes."""
    if not notes:
        return ""
    named = list(dict.fromkeys(f"{note.code} at {note.place}" for note in notes))
    more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    return f" (explains {', '.join(named[:_SHOWN])}{more})"

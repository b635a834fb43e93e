"""What can be done about a finding: its fix, all safe fixes at once, or a comment that hides it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nanlint.findings import Applicability, Edit, Finding
from nanlint.text.edits import collides
from nanlint.text.source import Place, Source, Span


class Action(NamedTuple):
    """Edits with a title. `finding` is what they are for; None where they are for all of a file's."""

    title: str
    edits: tuple[Edit, ...]
    finding: Finding | None
    safe: bool


def actions(findings: Sequence[Finding], source: Source, start: int, end: int) -> list[Action]:
    """The actions for what is found between two offsets of a file, and `fix all` for the whole file."""
    found: list[Action] = []
    for one in findings:
        if one.place.span.start > end or one.place.span.end < start:
            continue
        if one.fix is not None:
            safe = one.fix.applicability is Applicability.SAFE
            found.append(Action(one.fix.title if safe else f"{one.fix.title} (look at it)", one.fix.edits, one, safe))
        found.append(Action(f"ignore {one.code} here", (_ignore(one, source),), one, False))
    everything = fix_all(findings)
    if everything:
        found.append(Action("fix all that is safe to fix", tuple(everything), None, True))
    return found


def fix_all(findings: Iterable[Finding]) -> list[Edit]:
    """The edits of all safe fixes of which none touches another."""
    chosen: list[Edit] = []
    for one in findings:
        if one.fix is None or one.fix.applicability is not Applicability.SAFE:
            continue
        if not any(collides(edit, _beside(edit, chosen)) for edit in one.fix.edits):
            chosen += one.fix.edits
    return chosen


def _beside(edit: Edit, others: Iterable[Edit]) -> list[Edit]:
    return [other for other in others if other.place.source.path == edit.place.source.path]


def _ignore(finding: Finding, source: Source) -> Edit:
    """A comment on the line above, at the same depth, that waits for its reason."""
    line = source.text.rfind("\n", 0, finding.place.span.start) + 1
    depth = len(source.text[line:]) - len(source.text[line:].lstrip(" \t"))
    indent = source.text[line : line + depth]
    place = Place(source, Span(line, line))
    return Edit(place, f"{indent}# nanlint: ignore[{finding.code}] because\n")

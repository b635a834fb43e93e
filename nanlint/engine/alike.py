"""Many findings of one kind in one file as one, with their number and the first places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nanlint.engine.causes import linked
from nanlint.findings import Applicability, Edit, Effect, Finding, Fix, Related

_NAMES = re.compile(r"`[^`]*`|\d[\w.+-]*")
_SHOWN = 4
_MANY = 3


def repeated(findings: Iterable[Finding]) -> list[Finding]:
    """Equal words about the text of one file, as one finding that counts its places; its fix mends them all."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for number, finding in enumerate(findings):
        about_text = finding.effect is Effect.PARSE_FAILURE
        key = (finding.code, finding.place.source.path, finding.message) if about_text else (number,)
        groups.setdefault(key, []).append(finding)
    return [group[0] if len(group) == 1 else _as_one(group) for group in groups.values()]


def _as_one(group: Sequence[Finding]) -> Finding:
    ordered = sorted(group, key=lambda one: one.place.span)
    first, rest = ordered[0], ordered[1:]
    more = f" (here and at {len(rest)} more {'place' if len(rest) == 1 else 'places'})"
    return first._replace(
        message=first.message + more,
        related=(*first.related, *(Related("and here", other.place) for other in rest[:_SHOWN])),
        fix=_joined([one.fix for one in ordered]),
    )


def _joined(fixes: Sequence[Fix | None]) -> Fix | None:
    """One fix that makes all of them; None where one place has none."""
    made = [fix for fix in fixes if fix is not None]
    if len(made) < len(fixes):
        return None
    edits: dict[Edit, None] = dict.fromkeys(edit for fix in made for edit in fix.edits)
    unsafe = any(fix.applicability is Applicability.UNSAFE for fix in made)
    return Fix(made[0].title, tuple(edits), Applicability.UNSAFE if unsafe else Applicability.SAFE)


def alike(findings: Sequence[Finding]) -> list[Finding]:
    """Of three or more claims in one file that differ in names and numbers alone, the first explains the rest;
    so it does of two about the layers that do the same in TRAIN and in TEST."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, finding in enumerate(findings):
        if not finding.explained_by:
            masked = _NAMES.sub("#", finding.message)
            groups.setdefault((finding.code, finding.severity, finding.place.source.path, masked), []).append(number)
    causes: dict[int, list[int]] = {}
    for group in groups.values():
        first, *rest = sorted(group, key=lambda number: findings[number].place.span)
        phases = {findings[number].phase for number in group}
        if len(group) >= _MANY or (len(group) == len(phases) > 1 and None not in phases):
            causes |= {number: [first] for number in rest}
    return linked(findings, causes) if causes else list(findings)

"""`# nanlint: ignore` comments applied, and those that hide nothing reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from nanlint.engine.run import Run
from nanlint.findings import Finding, Hidden
from nanlint.rules.registry import rules
from nanlint.text.directives import Directive, directives
from nanlint.text.tree import Document


class Sifted(NamedTuple):
    """The findings to report, and those that comments hide."""

    shown: list[Finding]
    hidden: list[Hidden]


def suppress(findings: Iterable[Finding], documents: Iterable[Document], run: Run) -> Sifted:
    """The findings that no comment hides, with those of `unused-ignore` among them, and the others."""
    comments = [found for document in documents for found in directives(document)]
    if not comments:
        return Sifted(list(findings), [])
    used: dict[Directive, set[str]] = {comment: set() for comment in comments}
    shown, hidden = [], []
    for finding in findings:
        hiding = [comment for comment in comments if comment.hides(finding.place, finding.code, finding.name)]
        for comment in hiding:
            used[comment] |= {finding.code, finding.name}
        if hiding:
            hidden.append(Hidden(finding, by_comment=True, reason=hiding[0].reason))
        else:
            shown.append(finding)
    before = len(run.findings)
    for comment, names in used.items():
        idle = _idle(comment, names, run)
        if idle is not None:
            run.directive(idle)
    return Sifted(shown + run.findings[before:], hidden)


def _idle(comment: Directive, used: set[str], run: Run) -> Directive | None:
    """The part of a comment that hid nothing, though every rule that it names has run on the file."""
    idle = comment.unused(used)
    if idle is None or not idle.codes:
        return idle if run.complete else None
    path = comment.place.source.path
    silent = {name.upper() for rule in rules() if not run.applied(rule, path) for name in (rule.code, rule.name)}
    codes = tuple(code for code in idle.codes if code not in silent)
    return replace(idle, codes=codes) if codes else None

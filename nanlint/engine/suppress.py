"""`# nanlint: ignore` comments applied, and those that hide nothing reported."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from nanlint.engine.run import Run
from nanlint.findings import Finding, Hidden
from nanlint.rules.registry import family, names_of_rules, rules
from nanlint.text.directives import Directive, directives
from nanlint.text.tree import Document

_EVERYTHING = ""


class Sifted(NamedTuple):
    """The findings to report, and those that comments hide."""

    shown: list[Finding]
    hidden: list[Hidden]


def suppress(findings: Iterable[Finding], documents: Iterable[Document], run: Run) -> Sifted:
    """The findings that no comment hides, with those of `unused-ignore` among them, and the others."""
    comments = {document.source.path: directives(document) for document in documents}
    if not any(comments.values()):
        return Sifted(list(findings), [])
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        by_path.setdefault(finding.place.source.path, []).append(finding)
    sifted = Sifted([], [])
    before = len(run.findings)
    for path, found in {**dict.fromkeys(comments, ()), **by_path}.items():
        here = comments.get(path, ())
        used = _sweep(found, here, sifted)
        silent = _silent(run, path) if here else set()
        for comment, names in zip(here, used, strict=True):
            idle = _idle(comment, names, run.complete, silent)
            if idle is not None:
                run.directive(idle)
    sifted.shown.extend(run.findings[before:])
    return sifted


def _sweep(findings: Sequence[Finding], comments: Sequence[Directive], sifted: Sifted) -> list[set[str]]:
    """Sort the findings of a file into shown and hidden ones; what each of its comments hid."""
    if not comments:
        sifted.shown.extend(findings)
        return []
    sweep = _Sweep(comments)
    for finding in sorted(findings, key=lambda one: one.place.span):
        by = sweep.hides(finding)
        if by is None:
            sifted.shown.append(finding)
        else:
            sifted.hidden.append(Hidden(finding, by_comment=True, reason=by.reason))
    return sweep.used


class _Sweep:
    """One pass over findings and comments in the order of their places.

    Linear however many comments cover however many findings: a comment is looked at when it begins to cover, when it
    ends, and when one of its names hides for the first time.
    """

    def __init__(self, comments: Sequence[Directive]) -> None:
        self.comments = comments
        self.used: list[set[str]] = [set() for _ in comments]
        self.coming = sorted(range(len(comments)), key=lambda one: comments[one].covers.start, reverse=True)
        self.open: dict[str, deque[int]] = {}
        self.fresh: dict[str, list[int]] = {}

    def hides(self, finding: Finding) -> Directive | None:
        """The first comment that hides a finding, the findings coming in the order of their places."""
        at = finding.place.span.start
        while self.coming and self.comments[self.coming[-1]].covers.start <= at:
            one = self.coming.pop()
            for name in self.comments[one].codes or (_EVERYTHING,):
                self.open.setdefault(name, deque()).append(one)
                self.fresh.setdefault(name, []).append(one)
        names = (finding.code, finding.name.upper(), family(finding.code), _EVERYTHING)
        hiding = [one for one in [self.first_open(name, at) for name in names] if one is not None]
        return self.comments[min(hiding)] if hiding else None

    def first_open(self, name: str, at: int) -> int | None:
        for one in self.fresh.pop(name, ()):
            if self.comments[one].covers.end >= at:
                self.used[one].add(name)
        open_ = self.open.get(name, deque())
        while open_ and self.comments[open_[0]].covers.end < at:
            open_.popleft()
        return open_[0] if open_ else None


def _silent(run: Run, path: str) -> set[str]:
    """The names of rules that have not looked at a file, and of families with such a rule."""
    idle = [rule for rule in rules() if not run.applied(rule, path)]
    return {name for rule in idle for name in (rule.code, rule.name.upper(), family(rule.code))}


def _idle(comment: Directive, used: set[str], complete: bool, silent: set[str]) -> Directive | None:
    """The part of a comment that hid nothing, though every rule that it names has run on the file."""
    if not comment.codes:
        return comment if not used and complete else None
    meant = [code for code in comment.codes if code in names_of_rules()]
    codes = tuple(code for code in meant if code not in used and code not in silent)
    return replace(comment, codes=codes) if codes else None

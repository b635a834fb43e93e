"""A rule's page, with its example as the run sees it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff

from nanlint.engine import cases
from nanlint.engine.cases import Case
from nanlint.findings import Report
from nanlint.report import text
from nanlint.report.style import painter
from nanlint.rules.registry import Rule

_WIDTH = 96
_CONTEXT_LINES = 2


def explain(rule: Rule) -> str:
    """Markdown: what the rule finds, why it matters, what Caffe does, the edit; then its example."""
    parts = [f"# {rule.code} {rule.name}", f"{rule.severity.value} · {rule.effect.value}", rule.page]
    case = cases.find(rule.name)
    if case is not None:
        parts += ["**Example**", _shown(rule, case), "**Mended**", _fenced("diff", difference(case))]
    return "\n\n".join(parts)


def difference(case: Case) -> str:
    """The change that mends a case, as a diff."""
    before, after = ({part.name: part.text for part in side} for side in (case.bad, case.good))
    return "\n".join(
        line for name in sorted({*before, *after}) for line in _changes(name, before.get(name, ""), after.get(name, ""))
    )


def _shown(rule: Rule, case: Case) -> str:
    try:
        return _fenced("", _findings(rule, cases.lint(case, case.bad)))
    except ModuleNotFoundError as missing:
        return f"(its data is made with `{missing.name}`, which is not installed)"


def _findings(rule: Rule, report: Report) -> str:
    own = tuple(one for one in report.findings if one.code == rule.code)
    return "\n".join(text.lines(Report(own, report.files), _WIDTH, painter(False)))


def _changes(name: str, before: str, after: str) -> Iterator[str]:
    return unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="", n=_CONTEXT_LINES)


def _fenced(language: str, body: str) -> str:
    return f"```{language}\n{body}\n```"

"""A rule's page, with its example as the run sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff
from pathlib import Path

from nanlint import config, engine
from nanlint.engine import cases
from nanlint.engine.cases import Case, working_in
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
    folder = example(rule)
    if folder is not None:
        parts += ["**Example**", _fenced("", _findings(rule, lint_example(folder / "bad"))), "**Mended**"]
        parts.append(_fenced("diff", _difference(_texts(folder / "bad"), _texts(folder / "good"))))
    return "\n\n".join(parts)


def difference(case: Case) -> str:
    """The change that mends a case, as a diff."""
    before, after = ({part.name: part.text for part in side} for side in (case.bad, case.good))
    return _difference(before, after)


def example(rule: Rule) -> Path | None:
    """The folder with the rule's bad and good files: in the installed package, or beside it in a checkout."""
    folder = cases.folder().parent / rule.name
    return folder if (folder / "bad").is_dir() else None


def lint_example(folder: Path) -> Report:
    """What the example in a folder gives, with paths relative to the folder."""
    with working_in(folder):
        return engine.check(["solver.prototxt"], config.load(folder))


def _shown(rule: Rule, case: Case) -> str:
    try:
        return _fenced("", _findings(rule, cases.lint(case, case.bad)))
    except ModuleNotFoundError as missing:
        return f"(its data is made with `{missing.name}`, which is not installed)"


def _findings(rule: Rule, report: Report) -> str:
    own = tuple(one for one in report.findings if one.code == rule.code)
    return "\n".join(text.lines(Report(own, report.files), _WIDTH, painter(False)))


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    return "\n".join(
        line
        for name in sorted({*before, *after})
        for line in _changes(name, before.get(name, ""), after.get(name, ""))
    )


def _changes(name: str, before: str, after: str) -> Iterator[str]:
    return unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="", n=_CONTEXT_LINES)


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*.prototxt")}


def _fenced(language: str, body: str) -> str:
    return f"```{language}\n{body}\n```"

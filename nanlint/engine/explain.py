"""A rule's page, with its example as the run sees it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path

from nanlint import config, engine
from nanlint.findings import Report
from nanlint.report import text
from nanlint.report.style import painter
from nanlint.rules.registry import Rule

_WIDTH = 96
_CONTEXT_LINES = 2


def explain(rule: Rule) -> str:
    """Markdown: what the rule finds, why it matters, what Caffe does, the edit; then its example."""
    parts = [f"# {rule.code} {rule.name}", f"{rule.severity.value} · {rule.effect.value}", rule.page]
    folder = example(rule)
    if folder is not None:
        parts += ["**Example**", _fenced("", _findings(rule, folder / "bad")), "**Mended**"]
        parts.append(_fenced("diff", _difference(folder)))
    return "\n\n".join(parts)


def example(rule: Rule) -> Path | None:
    """The folder with the rule's bad and good files: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    for examples in (package / "examples", package.parent / "examples"):
        if (examples / rule.name / "bad").is_dir():
            return examples / rule.name
    return None


def lint_example(folder: Path) -> Report:
    """What the example in a folder gives, with paths relative to the folder."""
    with _working_in(folder):
        return engine.check(["solver.prototxt"], config.load(folder))


def _findings(rule: Rule, folder: Path) -> str:
    report = lint_example(folder)
    own = tuple(one for one in report.findings if one.code == rule.code)
    return "\n".join(text.lines(Report(own, report.files), _WIDTH, painter(False)))


def _difference(folder: Path) -> str:
    lines: list[str] = []
    for bad in sorted((folder / "bad").glob("*.prototxt")):
        good = folder / "good" / bad.name
        before, after = bad.read_text().splitlines(), good.read_text().splitlines() if good.is_file() else []
        lines += unified_diff(before, after, bad.name, bad.name, lineterm="", n=_CONTEXT_LINES)
    return "\n".join(lines)


def _fenced(language: str, body: str) -> str:
    return f"```{language}\n{body}\n```"


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)

"""Every rule has an example, and every example shows what its rule finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.engine import cases
from nanlint.engine.explain import lint_example
from nanlint.findings import Report
from nanlint.report import text
from nanlint.report.style import painter
from nanlint.rules.registry import Rule, rules
from tests.conftest import PROJECT

EXAMPLES = PROJECT / "examples"
CASES = EXAMPLES / "cases"
EXPECTED = Path(__file__).parent / "expected"
RULES = rules()


def lint(rule: Rule, side: str) -> Report:
    case = cases.find(rule.name)
    if case is None:
        return lint_example(EXAMPLES / rule.name / side)
    return cases.lint(case, case.bad if side == "bad" else case.good)


def expected_of(rule: Rule) -> Path:
    in_folder = EXAMPLES / rule.name / "expected.txt"
    return in_folder if in_folder.parent.is_dir() else EXPECTED / f"{rule.name}.txt"


def name(rule: Rule) -> str:
    return rule.name


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_rule_has_a_page(rule: Rule) -> None:
    assert rule.summary.endswith((".", "?"))
    assert "**In Caffe**" in rule.page
    assert "**Instead**" in rule.page


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_bad_example_shows_the_rule(rule: Rule, request: pytest.FixtureRequest) -> None:
    report = lint(rule, "bad")
    assert report.failures == ()
    assert rule.name in {finding.name for finding in report.findings}
    shown = "\n".join(text.lines(report, 100, painter(False))) + "\n"
    expected = expected_of(rule)
    if request.config.getoption("update_expected"):
        expected.write_text(shown)
    assert shown == expected.read_text()


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_good_example_is_silent(rule: Rule) -> None:
    report = lint(rule, "good")
    assert report.failures == ()
    assert [finding for finding in report.findings if finding.severity.rank > 0] == []
    assert rule.name not in {finding.name for finding in report.findings}


def test_no_example_is_left_of_a_rule_that_is_gone() -> None:
    folders = {folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()} - {"cases", "stories"}
    files = [*CASES.glob(f"*{cases.SUFFIX}"), *EXPECTED.glob("*.txt")]
    assert folders | {path.stem for path in files} <= {rule.name for rule in RULES}

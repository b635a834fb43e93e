"""Every rule has an example, and every example shows what its rule finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import config, engine
from nanlint.findings import Report
from nanlint.report import text
from nanlint.report.style import painter
from nanlint.rules.registry import Rule, rules
from tests.conftest import PROJECT

EXAMPLES = PROJECT / "examples"
RULES = rules()


def lint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    monkeypatch.chdir(folder)
    return engine.check(["solver.prototxt"], config.load(folder))


def name(rule: Rule) -> str:
    return rule.name


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_rule_has_a_page(rule: Rule) -> None:
    assert rule.summary.endswith((".", "?"))
    assert "**In Caffe**" in rule.page
    assert "**Instead**" in rule.page


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_bad_example_shows_the_rule(
    rule: Rule, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    report = lint(EXAMPLES / rule.name / "bad", monkeypatch)
    assert report.failures == ()
    assert rule.name in {finding.name for finding in report.findings}
    shown = "\n".join(text.lines(report, 100, painter(False))) + "\n"
    expected = EXAMPLES / rule.name / "expected.txt"
    if request.config.getoption("update_expected"):
        expected.write_text(shown)
    assert shown == expected.read_text()


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_good_example_is_silent(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    report = lint(EXAMPLES / rule.name / "good", monkeypatch)
    assert report.failures == ()
    assert [finding for finding in report.findings if finding.severity.rank > 0] == []
    assert rule.name not in {finding.name for finding in report.findings}


def test_no_example_is_left_of_a_rule_that_is_gone() -> None:
    folders = {folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()}
    assert folders <= {rule.name for rule in RULES}

"""Every rule has an example, and every example shows what its rule finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import engine
from nanlint.engine import cases
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
    assert case is not None, f"examples/cases/{rule.name}.case is missing"
    return cases.lint(case, case.bad if side == "bad" else case.good)


def held_to(expected: Path, report: Report, request: pytest.FixtureRequest) -> None:
    """What a report shows is what the file says."""
    shown = "\n".join(text.lines(report, 100, painter(False))) + "\n"
    if request.config.getoption("update_expected"):
        expected.write_text(shown)
    assert shown == expected.read_text()


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
    held_to(EXPECTED / f"{rule.name}.txt", report, request)


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_good_example_is_silent(rule: Rule) -> None:
    report = lint(rule, "good")
    assert report.failures == ()
    assert [finding for finding in report.findings if finding.severity.rank > 0] == []
    assert rule.name not in {finding.name for finding in report.findings}


def test_no_case_is_left_of_a_rule_that_is_gone() -> None:
    files = [*CASES.glob(f"*{cases.SUFFIX}"), *EXPECTED.glob("*.txt")]
    assert {path.stem for path in files} <= {rule.name for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_a_case_is_read_at_a_glance(rule: Rule) -> None:
    lines = (CASES / f"{rule.name}{cases.SUFFIX}").read_text().splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 120


STORIES = {
    "changed-crop": "test-net-mismatch",
    "forgotten-filler": "missing-weight-filler",
    "frozen-batch-norm": "global-statistics-in-training",
    "labels-out-of-range": "label-out-of-range",
    "log-of-softmax": "log-of-possible-zero",
    "loss-out-of-balance": "unbalanced-losses",
    "loss-without-softmax": "not-probabilities",
    "poly-without-max-iter": "poly-without-max-iter",
    "pooling-off-the-edge": "empty-pooling-window",
    "rate-too-high": "rate-too-high",
}


@pytest.mark.parametrize("story", STORIES)
def test_a_story_shows_its_rule_and_ends_well(
    story: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(EXAMPLES / "stories" / story)
    report = engine.check(["bad/solver.prototxt"])
    assert STORIES[story] in {finding.name for finding in report.findings}
    held_to(EXPECTED / "stories" / f"{story}.txt", report, request)
    report = engine.check(["good/solver.prototxt"])
    assert [finding for finding in report.findings if finding.severity.rank > 0] == []


def test_every_story_is_told_in_the_table() -> None:
    table = (EXAMPLES / "README.md").read_text()
    assert {folder.name for folder in (EXAMPLES / "stories").iterdir()} == {*STORIES}
    assert [story for story in STORIES if f"`stories/{story}`" not in table] == []

"""What people really did wrong: the first finding printed is the one that matters, and every fix mends."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from nanlint import engine
from nanlint.findings import Finding, Report, Severity
from nanlint.report.order import causes
from nanlint.text.edits import edited
from nanlint.text.source import Source

pytestmark = pytest.mark.slow

def scenarios(shared: Path) -> list[Path]:
    folders = sorted((shared / "scenarios" / "cases").iterdir())
    return [one for one in folders if json.loads((one / "scenario.json").read_text())["visible"] == "files"]


def lint(half: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    monkeypatch.chdir(half)
    return engine.check(sorted(one.name for one in half.glob("*solver*.prototxt")) or ["."])


def matches(finding: Finding, expect: dict[str, Any]) -> bool:
    at_least = Severity(expect["severity_at_least"])
    if finding.effect.value not in expect["effects"] or finding.severity.rank < at_least.rank:
        return False
    layers, routes = expect["layers"], expect["routes"]
    named = finding.layer in layers or any(re.search(route, finding.place.route) for route in routes)
    return named or not (layers or routes)


def test_the_first_finding_printed_is_the_one_that_matches(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = []
    for folder in scenarios(shared):
        expect = json.loads((folder / "scenario.json").read_text())["expect"]
        shown = causes(lint(folder / "bad", monkeypatch))
        if not shown or not matches(shown[0].finding, expect):
            wrong.append((folder.name, shown[0].finding.code if shown else None))
    assert wrong == []


def test_every_fix_takes_its_finding_away_and_adds_no_other(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = []
    for folder in scenarios(shared):
        before = lint(folder / "bad", monkeypatch)
        mended = lint(folder / "good", monkeypatch)  # what is left there is no fix's doing
        known = {about(one) for one in (*before.findings, *mended.findings)}
        for number, finding in enumerate(before.findings):
            if finding.fix is None:
                continue
            copy = tmp_path / f"{folder.name}-{number}"
            shutil.copytree(folder / "bad", copy)
            by_source: dict[Source, list[Any]] = {}
            for edit in finding.fix.edits:
                by_source.setdefault(edit.place.source, []).append(edit)
            for source, edits in by_source.items():
                (copy / source.path).write_text(edited(source.text, edits))
            after = lint(copy, monkeypatch)
            if any(about(one) == about(finding) for one in after.findings):
                wrong.append((folder.name, finding.code, finding.fix.title, "stays"))
            new = [one.code for one in after.findings if one.severity.rank and about(one) not in known]
            if new:
                wrong.append((folder.name, finding.code, finding.fix.title, f"adds {new}"))
    assert not wrong, "\n".join(map(str, wrong))


def about(finding: Finding) -> tuple[str, str, str | None]:
    route = re.sub(r"\d+", "", finding.place.route)
    return finding.code, finding.layer or route, finding.phase

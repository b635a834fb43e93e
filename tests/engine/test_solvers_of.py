"""A net alone is linted through the solvers that name it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import engine
from nanlint.findings import Report
from tests.conftest import PROJECT

NET = (PROJECT / "examples" / "cases" / "net.prototxt").read_text()
SOLVER = (PROJECT / "examples" / "cases" / "solver.prototxt").read_text().replace("0.01", "1e9")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net.prototxt").write_text(NET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def codes(report: Report) -> set[str]:
    return {one.code for one in report.findings if one.severity.rank}


def test_the_solver_beside_it(project: Path) -> None:
    (project / "models" / "solver.prototxt").write_text(SOLVER)
    alone = engine.check(["models/net.prototxt"])
    assert alone.notes == ("`models/net.prototxt` is linted with `models/solver.prototxt`, which names it",)
    assert codes(alone) == codes(engine.check(["models/solver.prototxt"])) != set()


def test_the_solver_above_it_in_the_repository(project: Path) -> None:
    (project / "solver.prototxt").write_text(SOLVER.replace("net.prototxt", "models/net.prototxt"))
    assert "solver.prototxt" in engine.check(["models/net.prototxt"]).notes[0]


def test_not_a_solver_outside_of_the_repository(project: Path) -> None:
    (project / ".git").rename(project / "models" / ".git")
    (project / "solver.prototxt").write_text(SOLVER.replace("net.prototxt", "models/net.prototxt"))
    assert engine.check(["models/net.prototxt"]).notes == ()


def test_not_a_solver_of_another_net_of_that_name(project: Path) -> None:
    (project / "models" / "other").mkdir()
    (project / "models" / "other" / "net.prototxt").write_text(NET)
    (project / "models" / "solver.prototxt").write_text(SOLVER)
    assert engine.check(["models/other/net.prototxt"]).notes == ()


def test_not_where_the_call_names_a_solver_for_it(project: Path) -> None:
    for name in ("a", "b"):
        (project / "models" / f"{name}.prototxt").write_text(SOLVER)
    assert engine.check(["models/net.prototxt", "models/a.prototxt"]).notes == ()


def test_a_path_that_leads_nowhere_beside_the_file_itself(project: Path) -> None:
    solver = project / "models" / "solver.prototxt"
    solver.write_text(SOLVER.replace("net.prototxt", "elsewhere/net.prototxt"))
    report = engine.check(["models/solver.prototxt"])
    moved = next(one for one in report.findings if one.code == "SET001")
    assert moved.fix is not None
    assert [edit.text for edit in moved.fix.edits] == ['"net.prototxt"']
    assert codes(report) > {"SET001"}
    assert "models/net.prototxt" in report.files


def test_a_net_found_twice_is_one(project: Path) -> None:
    (project / "models" / "solver.prototxt").write_text(SOLVER)
    once = engine.check(["models/solver.prototxt"])
    twice = engine.check(["models/solver.prototxt", "./models/net.prototxt", str(project / "models" / "net.prototxt")])
    assert len(twice.findings) == len(once.findings)

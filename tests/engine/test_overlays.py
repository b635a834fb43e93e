"""Texts that are not saved stand for what is on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import engine
from nanlint.findings import Report

SOLVER = 'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 10 display: 1 snapshot_prefix: "x"\n'
NET = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 } } }\n'
WRONG = NET + 'layer { name: "fc" type: "InnerProduct" bottom: "y" top: "z" inner_product_param { num_output: 1 } }\n'


@pytest.fixture
def solver(tmp_path: Path) -> Path:
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    (tmp_path / "net.prototxt").write_text(NET)
    return tmp_path / "solver.prototxt"


def names(report: Report) -> set[str]:
    return {finding.name for finding in report.findings}


def test_an_edited_net_is_linted_as_its_solver_reads_it(solver: Path) -> None:
    net = str(solver.with_name("net.prototxt"))
    assert "unknown-bottom" not in names(engine.check([str(solver)]))
    report = engine.check([str(solver)], overlays={net: WRONG})
    assert "unknown-bottom" in names(report)
    assert net in report.files


def test_a_file_need_not_be_on_the_disk(tmp_path: Path) -> None:
    solver, net = str(tmp_path / "solver.prototxt"), str(tmp_path / "net.prototxt")
    report = engine.check([solver], overlays={solver: SOLVER, net: WRONG})
    assert report.failures == ()
    assert "unknown-bottom" in names(report)


def test_a_text_that_the_run_does_not_meet_is_no_part_of_it(solver: Path) -> None:
    other = str(solver.with_name("other.prototxt"))
    report = engine.check([str(solver)], overlays={other: "x: 1  # nanlint: ignore\n"})
    assert other not in report.files
    assert all(finding.place.source.path != other for finding in report.findings)


def test_the_disk_stays_as_it_is(solver: Path) -> None:
    net = solver.with_name("net.prototxt")
    engine.check([str(solver)], overlays={str(net): WRONG})
    assert net.read_text() == NET

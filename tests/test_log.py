"""`nanlint log` as its callers see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nanlint.commands import log
from nanlint.config import UsageError
from tests.logs.samples import DONE, begun, shown


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    path = tmp_path / "train.log"
    losses = (line for n in range(0, 50, 10) for line in shown(n, 1.5 / (1 + n)))
    path.write_text("\n".join([*begun(), *losses, *DONE]) + "\n")
    return path


def test_a_healthy_run(healthy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log.run(log.Options(str(healthy))) == 0
    said = capsys.readouterr().out
    assert "iterations 0 to 40 of 40; finished" in said
    assert "loss  1.5 at 0" in said


def test_formats(healthy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert log.run(log.Options(str(healthy), output_format="json")) == 0
    assert json.loads(capsys.readouterr().out)["iterations"] == [0, 40]
    assert log.run(log.Options(str(healthy), output_format="csv")) == 0
    assert capsys.readouterr().out.startswith("kind,iteration,net,index,name,value\nloss,0,,,,1.5\n")


def test_csv_beside_another_format(healthy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.run(log.Options(str(healthy), csv=str(tmp_path / "out.csv")))
    assert "finished" in capsys.readouterr().out
    assert (tmp_path / "out.csv").read_text().count("\n") == 16
    with pytest.raises(UsageError, match="read by this call"):
        log.run(log.Options(str(healthy), csv=str(healthy)))


def test_what_is_no_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("Dear diary\n")
    assert log.run(log.Options(str(other))) == 2
    assert "no line that Caffe writes" in capsys.readouterr().err
    with pytest.raises(UsageError, match="cannot read"):
        log.run(log.Options(str(tmp_path / "missing.log")))

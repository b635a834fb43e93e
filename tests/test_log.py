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


def test_a_curve_on_a_terminal(healthy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("plotext")
    log.run(log.Options(str(healthy), plot="terminal"))
    said = capsys.readouterr().out
    assert "loss" in said
    assert "┤" in said


@pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml")])
def test_a_picture(healthy: Path, tmp_path: Path, name: str, begins: bytes) -> None:
    pytest.importorskip("matplotlib")
    assert log.run(log.Options(str(healthy), plot=str(tmp_path / name))) == 0
    assert (tmp_path / name).read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (log.Options("x", plot="a.gif"), "no picture"),
        (log.Options("x", follow=True, output_format="json"), "`--follow` shows text"),
        (log.Options("x", follow=True), "cannot read `x`"),
    ],
)
def test_calls_that_make_no_sense(options: log.Options, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        log.run(options)


def test_a_picture_does_not_replace_the_log(healthy: Path) -> None:
    pytest.importorskip("matplotlib")
    target = healthy.rename(healthy.with_suffix(".png"))
    with pytest.raises(UsageError, match="read by this call"):
        log.run(log.Options(str(target), plot=str(target)))

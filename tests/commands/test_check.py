"""What `check` writes, where, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nanlint.report.formats import FORMATS
from tests.calls import Call


def test_exit_zero_reports_and_does_not_fail(nanlint: Call) -> None:
    done = nanlint("bad.prototxt", "--exit-zero")
    assert done.returncode == 0
    assert "error[LR002]" in done.stdout


def test_exit_zero_does_not_hide_a_wrong_call(nanlint: Call) -> None:
    assert nanlint("missing.prototxt", "--exit-zero").returncode == 2


def test_quiet_is_findings_alone(nanlint: Call) -> None:
    assert nanlint("good.prototxt", "-q").stdout == ""
    done = nanlint("bad.prototxt", "--quiet")
    assert "error[LR002]" in done.stdout
    assert "1 error in" not in done.stdout
    assert len(nanlint("bad.prototxt", "-q", "--output-format", "concise").stdout.splitlines()) == 1


def test_statistics_count_rules(nanlint: Call) -> None:
    done = nanlint("bad.prototxt", "--statistics")
    assert done.stdout.split() == ["1", "error", "LR002", "unknown-lr-policy"]
    assert done.returncode == 1
    (counted,) = json.loads(nanlint("bad.prototxt", "--statistics", "--output-format", "json").stdout)["rules"]
    assert counted == {"code": "LR002", "name": "unknown-lr-policy", "severity": "error", "count": 1}
    assert nanlint("bad.prototxt", "--statistics", "--output-format", "sarif").returncode == 2


def test_a_report_goes_to_a_file_and_a_summary_to_standard_error(project: Path, nanlint: Call) -> None:
    done = nanlint("bad.prototxt", "--output-format", "json", "--output-file", "report.json")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "1 error in 2 files\n")
    assert json.loads((project / "report.json").read_text())["summary"]["errors"] == 1


def test_a_report_is_not_written_over_what_is_linted(project: Path, nanlint: Call) -> None:
    before = (project / "net.prototxt").read_bytes()
    done = nanlint("bad.prototxt", "--output-file", "net.prototxt")
    assert done.returncode == 2
    assert "is not written over" in done.stderr
    assert (project / "net.prototxt").read_bytes() == before


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_and_names_the_rule(name: str, nanlint: Call) -> None:
    done = nanlint("bad.prototxt", "--output-format", name)
    assert done.returncode == 1
    assert "LR002" in done.stdout
    assert done.stderr == ""


def test_a_hidden_finding_is_suppressed_in_sarif(project: Path, nanlint: Call) -> None:
    text = (project / "bad.prototxt").read_text()
    (project / "bad.prototxt").write_text(text.replace('"staircase"', '"staircase" # nanlint: ignore[LR002] ours'))
    done = nanlint("bad.prototxt", "--output-format", "sarif")
    assert done.returncode == 0
    (result,) = json.loads(done.stdout)["runs"][0]["results"]
    assert result["suppressions"] == [{"kind": "inSource", "justification": "ours"}]

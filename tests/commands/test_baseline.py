"""A project takes nanlint up with all that it finds today, and hears of what is new."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.calls import BAD, NET, Call


@pytest.fixture
def taken_up(project: Path, nanlint: Call) -> Path:
    """A project whose baseline holds LR002 of `bad.prototxt`."""
    assert nanlint("bad.prototxt", "--write-baseline").returncode == 0
    (project / "nanlint.toml").write_text('baseline = "nanlint-baseline.json"\n')
    return project


def test_writing_says_how_much_and_how_to_use_it(project: Path, nanlint: Call) -> None:
    done = nanlint("bad.prototxt", "--write-baseline")
    assert done.returncode == 0
    assert "`nanlint-baseline.json`: 1 finding, 1 new, 0 pruned" in done.stderr
    assert 'write `baseline = "nanlint-baseline.json"` in nanlint.toml' in done.stderr
    (kept,) = json.loads((project / "nanlint-baseline.json").read_text())["findings"]
    assert kept == {"path": "bad.prototxt", "code": "LR002", "layer": "", "route": "lr_policy"}


def test_what_it_lists_is_silent_and_what_is_new_is_not(taken_up: Path, nanlint: Call) -> None:
    assert nanlint("bad.prototxt").stdout == "nothing found in 2 files\n"
    (taken_up / "bad.prototxt").write_text("\n\n" + BAD + "test_interval: 5\n")
    done = nanlint("bad.prototxt", "--output-format", "json")
    assert [finding["code"] for finding in json.loads(done.stdout)["findings"]] == ["SOL006"]


def test_it_is_found_from_anywhere(taken_up: Path, nanlint: Call, tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    assert nanlint("../bad.prototxt", folder=tmp_path / "deeper").returncode == 0


def test_one_more_of_the_same_is_new(project: Path, nanlint: Call) -> None:
    top = 'top: "fc" top: "fc"'
    (project / "net.prototxt").write_text(NET.replace('top: "fc"', top, 1))
    before = len(json.loads(nanlint("net.prototxt", "--output-format", "json").stdout)["findings"])
    nanlint("net.prototxt", "--write-baseline")
    done = nanlint("net.prototxt", "--baseline", "nanlint-baseline.json", "--output-format", "json")
    assert before > 0
    assert json.loads(done.stdout)["findings"] == []


def test_what_is_gone_is_reported_and_pruned_when_asked(taken_up: Path, nanlint: Call) -> None:
    (taken_up / "bad.prototxt").write_text(BAD.replace("staircase", "fixed"))
    done = nanlint("bad.prototxt")
    assert done.returncode == 0
    assert "1 finding of `nanlint-baseline.json` is gone (LR002 in bad.prototxt)" in done.stderr.replace(
        str(taken_up) + "/", ""
    )
    assert "is gone" not in nanlint("good.prototxt").stderr
    assert "is gone" not in nanlint("bad.prototxt", "--select", "POOL").stderr
    assert "1 pruned" in nanlint("bad.prototxt", "--write-baseline").stderr
    assert json.loads((taken_up / "nanlint-baseline.json").read_text())["findings"] == []


def test_what_a_run_does_not_see_stays(taken_up: Path, nanlint: Call) -> None:
    nanlint("good.prototxt", "--write-baseline")
    assert nanlint("bad.prototxt").returncode == 0


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2, "findings": []}', '{"version": 1, "findings": [{}]}'])
def test_what_is_no_baseline(project: Path, nanlint: Call, text: str) -> None:
    (project / "list.json").write_text(text)
    done = nanlint("bad.prototxt", "--baseline", "list.json")
    assert done.returncode == 2
    assert "`list.json` is no baseline" in done.stderr
    done = nanlint("bad.prototxt", "--baseline", "missing.json")
    assert "cannot read the baseline `missing.json`: no such file or directory" in done.stderr


def test_what_it_hides_is_suppressed_in_sarif(taken_up: Path, nanlint: Call) -> None:
    done = nanlint("bad.prototxt", "--output-format", "sarif")
    (result,) = json.loads(done.stdout)["runs"][0]["results"]
    assert result["suppressions"][0]["kind"] == "external"

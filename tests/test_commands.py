"""The command line as its callers see it: output, exit status, clean messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.calls import BAD, GOOD, NET, Call, caller, small_project
from tests.conftest import PROJECT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_project(tmp_path)


@pytest.fixture
def nanlint(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    return caller(folder, monkeypatch, capsys)


def test_nothing_found_is_status_0(folder: Path, nanlint: Call) -> None:
    done = nanlint("good.prototxt")
    assert (done.returncode, done.stdout, done.stderr) == (0, "nothing found in 2 files\n", "")


def test_findings_are_status_1(folder: Path, nanlint: Call) -> None:
    done = nanlint("check", "bad.prototxt")
    assert done.returncode == 1
    assert done.stdout.startswith("bad.prototxt:3:1: error[LR002] unknown-lr-policy\n")


def test_json_stands_alone_on_standard_output_and_is_the_same_every_time(folder: Path, nanlint: Call) -> None:
    done = nanlint("--output-format", "json", "bad.prototxt", "missing.prototxt")
    assert done.returncode == 2
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["code"], finding["path"], finding["start"]) == (
        "LR002",
        "bad.prototxt",
        {"line": 3, "column": 1},
    )
    assert done.stderr == "nanlint: cannot read `missing.prototxt`: no such file or directory\n"
    assert done.stdout == nanlint("--output-format", "json", "missing.prototxt", "bad.prototxt").stdout


def test_the_least_severity_that_fails(folder: Path, nanlint: Call) -> None:
    (folder / "net.prototxt").write_text(NET.replace('top: "fc"', 'top: "fc" top: "fc"', 1))
    assert nanlint("good.prototxt", "--fail-on", "error").returncode == 1
    (folder / "bad.prototxt").write_text(GOOD.replace("0.01", "-0.01"))
    (folder / "net.prototxt").write_text(NET)
    assert nanlint("bad.prototxt", "--select", "LR006").returncode == 1
    assert nanlint("bad.prototxt", "--select", "LR006", "--fail-on", "error").returncode == 0


def test_a_folder_and_a_net_that_is_reached_twice(folder: Path, nanlint: Call) -> None:
    done = nanlint(".", "--output-format", "json")
    report = json.loads(done.stdout)
    assert report["summary"]["files"] == 3
    assert [finding["code"] for finding in report["findings"] if finding["severity"] == "error"] == ["LR002"]


def test_a_net_on_standard_input_has_the_name_given(folder: Path, nanlint: Call) -> None:
    broken = NET.replace("num_output", "num_outputs")
    done = nanlint("-", "--stdin-filename", "models/net.prototxt", stdin=broken)
    assert done.returncode == 1
    assert done.stdout.startswith("models/net.prototxt:11:")


def test_a_net_that_cannot_be_parsed_is_a_finding(folder: Path, nanlint: Call) -> None:
    (folder / "net.prototxt").write_text("layer { name: ")
    done = nanlint("net.prototxt")
    assert done.returncode == 1
    assert "error[TXT" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["missing.prototxt"], "nanlint: cannot read `missing.prototxt`: no such file or directory"),
        (["empty"], "nanlint: no `*.prototxt` in the folder `empty`"),
        (["good.prototxt", "--select", "LR02"], "nanlint: no rule `LR02` (did you mean `LR0"),
        (["good.prototxt", "--ignore", "unknown-feild"], "(did you mean `unknown-field`?)"),
        (["good.prototxt", "--input", "data"], "nanlint: `--input data` is not of the form"),
        (["good.prototxt", "--config", "nanlint.toml"], "unknown key `selct` (did you mean `select`?)"),
        (["good.prototxt", "--no-such-option"], "--no-such-option"),
        (["explain", "POOL01"], "nanlint: no rule `POOL01` (did you mean `POOL001`?)"),
        (["check"], "Missing argument"),
        (["chek", "good.prototxt"], "nanlint: no command and no file `chek` (did you mean `check`?)"),
    ],
)
def test_a_wrong_call_is_status_2_with_one_message(
    folder: Path, nanlint: Call, arguments: list[str], complaint: str
) -> None:
    (folder / "empty").mkdir()
    if "--config" in arguments:
        (folder / "nanlint.toml").write_text("selct = []")
    done = nanlint(*arguments, stdin="")
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file_is_status_2(folder: Path, nanlint: Call) -> None:
    (folder / "net.prototxt").chmod(0)
    done = nanlint("net.prototxt")
    assert done.returncode == 2
    assert "permission denied" in done.stderr


def test_a_reader_that_goes_away_is_no_failure(folder: Path, nanlint: Call) -> None:
    command = f"'{sys.executable}' -m nanlint explain LR002 | head -1"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
    assert done.stdout == "# LR002 unknown-lr-policy\n"
    assert done.stderr == ""


def test_fixes_are_made_in_the_files(folder: Path, nanlint: Call) -> None:
    (folder / "net.prototxt").write_bytes(
        NET.replace("num_output", "num_outputs").replace("\n", "\r\n").encode()
    )
    done = nanlint("good.prototxt", "net.prototxt", "--fix")
    assert done.returncode == 0
    assert (folder / "net.prototxt").read_bytes() == NET.replace("\n", "\r\n").encode()


def test_a_comment_hides_a_finding_and_one_that_hides_nothing_is_reported(
    folder: Path, nanlint: Call
) -> None:
    hidden = BAD.replace('"staircase"\n', '"staircase"  # nanlint: ignore[LR002] our own fork\n')
    (folder / "bad.prototxt").write_text(hidden)
    assert nanlint("bad.prototxt").returncode == 0
    (folder / "good.prototxt").write_text(hidden.replace("staircase", "fixed"))
    done = nanlint("good.prototxt")
    assert done.returncode == 1
    assert "warning[TXT015] unused-ignore" in done.stdout
    assert nanlint("good.prototxt", "--select", "POOL").returncode == 0


def test_the_configuration_is_found_and_the_call_wins(folder: Path, nanlint: Call) -> None:
    (folder / "pyproject.toml").write_text('[tool.nanlint]\nignore = ["LR002"]\n')
    inner = folder / "inner"
    inner.mkdir()
    assert nanlint("../bad.prototxt", folder=inner).returncode == 0
    assert nanlint("../bad.prototxt", "--ignore", "POOL", folder=inner).returncode == 1


def test_rules_of_single_files_can_be_left_out(folder: Path, nanlint: Call) -> None:
    (folder / "nanlint.toml").write_text('[per-file-ignores]\n"bad*" = ["unknown-lr-policy"]\n')
    assert nanlint("bad.prototxt").returncode == 0


def test_colour_is_for_terminals_and_for_those_who_ask(folder: Path, nanlint: Call) -> None:
    assert "\x1b[" not in nanlint("bad.prototxt").stdout
    assert "\x1b[" in nanlint("bad.prototxt", FORCE_COLOR="1").stdout
    assert "\x1b[" in nanlint("bad.prototxt", "--color", "always", NO_COLOR="1").stdout


def test_version_and_help(folder: Path, nanlint: Call) -> None:
    assert nanlint("--version").stdout.startswith("nanlint ")
    done = nanlint()
    assert done.returncode == 0
    assert "Commands:" in done.stdout


def test_every_rule_is_one_line(folder: Path, nanlint: Call) -> None:
    lines = nanlint("rules").stdout.splitlines()
    assert lines == sorted(lines)
    assert any(line.startswith("LR002     error    unknown-lr-policy") for line in lines)


def test_explain_shows_the_page_and_the_example(folder: Path, nanlint: Call) -> None:
    page = nanlint("explain", "unknown-lr-policy").stdout
    assert page.startswith("# LR002 unknown-lr-policy\n")
    assert "**In Caffe**" in page
    assert "solver.prototxt:3:1: error[LR002]" in page
    assert '-lr_policy: "staircase"\n+lr_policy: "step"' in page


@pytest.mark.parametrize("command", ["shapes", "graph", "ranges", "scale", "forks"])
def test_what_is_shown_is_shown_as_json_too(folder: Path, nanlint: Call, command: str) -> None:
    document = json.loads(nanlint(command, "--output-format", "json", "good.prototxt").stdout)
    assert document["version"] == 1
    assert [file["path"] for file in document["files"]] == ["good.prototxt"]
    assert nanlint(command, "good.prototxt").returncode == 0


def test_shapes_as_promised(folder: Path, nanlint: Call) -> None:
    (file,) = json.loads(nanlint("shapes", "--output-format", "json", "good.prototxt").stdout)["files"]
    (net,) = file["nets"]
    assert (net["phase"], net["source"]) == ("TRAIN", "net.prototxt")
    assert net["layers"][1] == {
        "name": "fc",
        "type": "InnerProduct",
        "tops": [{"blob": "fc", "shape": [4, 2]}],
        "params": [[2, 3], [2]],
    }


def test_rates_as_promised(folder: Path, nanlint: Call) -> None:
    done = nanlint("lr", "--output-format", "json", "--every", "4", "good.prototxt")
    assert json.loads(done.stdout) == {
        "version": 1,
        "files": [
            {
                "path": "good.prototxt",
                "policy": "fixed",
                "rates": [[0, 0.01], [4, 0.01], [8, 0.01], [9, 0.01]],
            }
        ],
    }


def test_rates_past_the_end_of_the_run_and_as_csv(folder: Path, nanlint: Call) -> None:
    poly = 'lr_policy: "poly" base_lr: 0.1 power: 0.5 max_iter: 2 net: "net.prototxt"'
    (folder / "poly.prototxt").write_text(poly)
    done = nanlint("lr", "--output-format", "csv", "--until", "4", "poly.prototxt")
    assert [line.split(",")[1:] for line in done.stdout.splitlines()] == [
        ["iteration", "rate"],
        ["0", "0.1"],
        ["1", "0.07071068"],
        ["2", "0.0"],
        ["3", "nan"],
    ]


def test_a_solver_without_a_rate_says_why(folder: Path, nanlint: Call) -> None:
    (folder / "bad.prototxt").write_text('lr_policy: "step" max_iter: 2 net: "net.prototxt"')
    done = nanlint("lr", "bad.prototxt")
    assert "`stepsize` is not positive" in done.stderr
    assert done.returncode == 0


def test_rates_as_a_picture(folder: Path, nanlint: Call) -> None:
    assert nanlint("lr", "--output-format", "svg", "good.prototxt").stdout.startswith("<svg")


def test_a_page_is_written_where_the_call_says(folder: Path, nanlint: Call) -> None:
    done = nanlint("view", "good.prototxt", "-o", "net.html")
    assert (done.returncode, done.stdout) == (0, "")
    assert (folder / "net.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert nanlint("view", "good.prototxt").stdout == (folder / "net.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["view", "good.prototxt", "-o", "net.prototxt"], "no page"),
        (["graph", "good.prototxt", "-o", "net.prototxt"], "is read by this call"),
        (["graph", "good.prototxt", "-o", "nowhere/net.svg"], "cannot write"),
        (["graph", "good.prototxt", "-o", "."], "cannot write"),
    ],
)
def test_what_a_call_reads_is_never_written_over(
    folder: Path, nanlint: Call, arguments: list[str], word: str
) -> None:
    done = nanlint(*arguments)
    assert done.returncode == 2
    assert word in done.stderr
    assert (folder / "net.prototxt").read_text() == NET


def test_a_graph_is_drawn_for_a_file_of_that_ending(folder: Path, nanlint: Call) -> None:
    assert nanlint("graph", "net.prototxt", "-o", "net.svg").returncode == 0
    assert (folder / "net.svg").read_text(encoding="utf-8").startswith("<svg ")
    assert nanlint("graph", "net.prototxt", "--output-format", "svg", "--phase", "TEST").stdout.startswith("<svg ")


def test_a_file_is_laid_out_to_standard_output_and_over_itself(folder: Path, nanlint: Call) -> None:
    (folder / "wild.prototxt").write_text("base_lr:1,  lr_policy : 'fixed' # why\n")
    tidy = "base_lr: 1\nlr_policy: 'fixed'  # why\n"
    assert nanlint("format", "wild.prototxt").stdout == tidy
    assert nanlint("format", "wild.prototxt", "-o", "wild.prototxt").returncode == 0
    assert (folder / "wild.prototxt").read_text() == tidy


def test_a_broken_file_is_not_laid_out(folder: Path, nanlint: Call) -> None:
    (folder / "broken.prototxt").write_text("layer {\n  name: \n")
    done = nanlint("format", "broken.prototxt", "-o", "broken.prototxt")
    assert done.returncode == 2
    assert "its syntax is broken at line 2" in done.stderr


def test_explain_says_what_stands_at_a_place(folder: Path, nanlint: Call) -> None:
    assert "**lr_policy**" in nanlint("explain", "--at", "good.prototxt:3:2").stdout
    assert nanlint("explain", "--at", "good.prototxt:99:1").returncode == 2
    assert nanlint("explain").returncode == 2

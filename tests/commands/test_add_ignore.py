"""Comments that hide findings, written by nanlint."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.calls import BAD, Call


def test_a_comment_with_the_reason_hides_the_finding(project: Path, nanlint: Call) -> None:
    done = nanlint("bad.prototxt", "--add-ignore", "our own fork")
    assert (done.returncode, done.stdout) == (0, "nothing found in 2 files\n")
    assert "`bad.prototxt`: comments written in 1 of its lines" in done.stderr
    assert 'lr_policy: "staircase"  # nanlint: ignore[LR002] our own fork\n' in (project / "bad.prototxt").read_text()
    assert nanlint("bad.prototxt").returncode == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# steps", "# nanlint: ignore[LR002] why # steps"),
        ("# nanlint: ignore[LR006] up", "# nanlint: ignore[LR006, LR002] up"),
        ("\r", "  # nanlint: ignore[LR002] why\r"),
    ],
)
def test_comments_that_are_there_stay(project: Path, nanlint: Call, before: str, after: str) -> None:
    text = BAD.replace('"staircase"', f'"staircase"{"" if before[0] == chr(13) else " "}{before}')
    (project / "bad.prototxt").write_bytes(text.encode())
    nanlint("bad.prototxt", "--add-ignore", "why", "--select", "LR002")
    written = (project / "bad.prototxt").read_bytes().decode()
    assert after in written
    assert written.replace(after, before) == text


def test_one_comment_for_all_findings_of_a_line(project: Path, nanlint: Call) -> None:
    (project / "bad.prototxt").write_text(BAD.replace("\n", " ").rstrip() + "\n")
    nanlint("bad.prototxt", "--add-ignore", "why")
    assert (project / "bad.prototxt").read_text().count("# nanlint: ignore[") == 1
    assert nanlint("bad.prototxt").returncode == 0


def test_a_file_that_the_call_does_not_name_is_left_alone(project: Path, nanlint: Call) -> None:
    net = (project / "net.prototxt").read_text().replace('type: "xavier"', 'type: "Xavier"')
    (project / "net.prototxt").write_text(net)
    done = nanlint("good.prototxt", "--add-ignore", "why")
    assert done.returncode == 1
    assert "`net.prototxt` is not named by this call" in done.stderr
    assert (project / "net.prototxt").read_text() == net


def test_standard_input_has_no_place_for_comments(nanlint: Call) -> None:
    assert nanlint("-", "--add-ignore", "why", stdin=BAD).returncode == 2

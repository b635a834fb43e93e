"""Inputs that once broke nanlint, each in its folder, through the door of the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fuzz.test_commands import called, sound


def faulty(shared: Path) -> list[Path]:
    return sorted((shared / "repro" / "fuzz").glob("*/*.prototxt"))


def test_none_of_them_breaks_it_again(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = faulty(shared)
    assert len(found) >= 20
    for path in found:
        folder = tmp_path / path.parent.name
        if not folder.exists():
            shutil.copytree(path.parent, folder)
        monkeypatch.chdir(folder)
        for arguments in (["--output-format", "json"], ["--caffe", "bvlc", "--output-format", "json"]):
            sound(called([path.name, *arguments], capsys, monkeypatch), folder, {"path": str(path)})
        shown = called([path.name], capsys, monkeypatch)
        assert "internal error" not in shown.err
        assert not any(letter in shown.out for letter in "\x1b\x07\u202e")

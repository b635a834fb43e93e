"""Files as chance spoils them, through the door of the command line: no traceback, no internal error, sound output.

`NANLINT_FUZZ=FIRST,NUMBER` runs other seeds, and more of them.
"""

from __future__ import annotations

import base64
import io
import json
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest

from nanlint.__main__ import run
from tests.fuzz.mutations import mutated

pytestmark = pytest.mark.slow

FIRST, NUMBER = map(int, os.environ.get("NANLINT_FUZZ", "0,20").split(","))
INPUTS_A_SEED = 150
COMMANDS = (
    *(["shapes"], ["ranges"], ["scale"], ["graph"], ["forks"], ["lr"], ["format"], ["upgrade"], ["deploy"]),
    *(["check", "--output-format", name] for name in ("text", "concise", "sarif", "github", "junit", "rdjson")),
    ["check", "--caffe", "bvlc"],
)


class Pair(NamedTuple):
    """A solver with its files."""

    files: dict[str, str]


@pytest.fixture(scope="session")
def pairs(shared: Path) -> list[Pair]:
    """One in forty of the cases that a Caffe ran."""
    return [
        Pair({name: _text(content) for name, content in json.loads(line)["files"].items()})
        for path in sorted((shared / "oracle" / "cases").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()[::40]
    ]


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return base64.b64decode(content["base64"]).decode("utf-8", "surrogateescape")


class Done(NamedTuple):
    status: int
    out: str
    err: str


def called(arguments: Sequence[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Done:
    monkeypatch.setattr(sys, "argv", ["nanlint", *arguments])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(SystemExit) as left:
        run()
    out, err = capsys.readouterr()
    return Done(left.value.code if isinstance(left.value.code, int) else 0, out, err)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + NUMBER))
def test_spoilt_files_give_findings_and_nothing_else(
    seed: int,
    pairs: list[Pair],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(seed)
    monkeypatch.chdir(tmp_path)
    for _ in range(INPUTS_A_SEED):
        files = dict(chance.choice(pairs).files)
        for name in sorted(files):
            if name.endswith(".prototxt") and (name != "solver.prototxt" or chance.random() < 0.3):
                files[name] = mutated(files[name], chance)
        for name, text in files.items():
            (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape" if _plain(text) else "replace"))
        checked = called(["solver.prototxt", "--output-format", "json"], capsys, monkeypatch)
        sound(checked, tmp_path, files)
        command = chance.choice(COMMANDS)
        words = [*command, chance.choice(sorted(name for name in files if name.endswith(".prototxt")))]
        other = called(words, capsys, monkeypatch)
        assert other.status in (0, 1, 2), (words, files)
        assert "internal error" not in other.err, (words, other.err, files)
        assert "Traceback" not in other.err, (words, other.err, files)


def sound(done: Done, folder: Path, files: dict[str, str]) -> None:
    """The promise of JSON: one object, numbers that are numbers, places inside their files."""
    assert done.status in (0, 1, 2), (done, files)
    assert "internal error" not in done.err, (done.err, files)
    assert "Traceback" not in done.err, (done.err, files)
    report = json.loads(done.out, parse_constant=_refused)
    for finding in report["findings"]:
        path = folder / finding["path"]
        if path.is_file():
            lines = path.read_bytes().decode("utf-8", "surrogateescape").split("\n")
            start, end = finding["start"], finding["end"]
            assert 1 <= start["line"] <= end["line"] <= len(lines), (finding, files)
            assert 1 <= start["column"] <= len(lines[start["line"] - 1]) + 1, (finding, files)
            assert 1 <= end["column"] <= len(lines[end["line"] - 1]) + 1, (finding, files)


def _plain(text: str) -> bool:
    """Whether every surrogate in a text stands for a byte."""
    return all(0xDC80 <= ord(letter) <= 0xDCFF for letter in text if "\ud800" <= letter <= "\udfff")


def _refused(word: str) -> NoReturn:
    raise AssertionError(f"{word} is no JSON")

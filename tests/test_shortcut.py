"""What the shortcut takes, the option parser reads the same way."""

from __future__ import annotations

from typing import Any

import pytest

from nanlint import cli, commands, shortcut

DEFAULTS = {
    "output_format": "text",
    "fail_on": None,
    "select": None,
    "ignore": None,
    "caffe": None,
    "proto": None,
    "root": None,
    "input_": None,
    "range_": None,
    "fix": False,
    "stdin_filename": None,
    "color": "auto",
    "config_file": None,
}

TAKEN = [
    "solver.prototxt",
    "check solver.prototxt net.prototxt",
    "-",
    "check --caffe bvlc --output-format json a/solver.prototxt b/solver.prototxt",
    "--output-format=concise a --fail-on error b",
    "a --select POOL --select=LR001 --ignore unused-top,LR",
    "a --root models --root /data --input data:1,3,224,224 --range data:0,255 --range=label:0,9",
    "--fix a --color never --config nanlint.toml --proto fork.proto",
    "- --stdin-filename dir/net.prototxt",
    "./check",
    "--stdin-filename= -",
]

LEFT_TO_THE_PARSER = [
    "",
    "check",
    "--help",
    "check --help",
    "--version",
    "a --no-such-option",
    "a --output-format xml",
    "a --caffe",
    "a --caffe -x",
    "--caffe bvlc",
    "-- -file",
    "a --fail-on error --fail-on info",
    "a --fix=yes",
    "-h",
    "rules",
    "explain POOL001",
    "shapes net.prototxt",
]


def test_every_command_is_known_to_both() -> None:
    assert tuple(cli.COMMANDS) == shortcut.COMMANDS


@pytest.mark.parametrize("line", TAKEN)
def test_what_is_taken(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = shortcut.read(line.split())
    assert taken is not None
    parsed: dict[str, Any] = {}

    def check(**arguments: Any) -> int:
        parsed.update(arguments)
        return 0

    monkeypatch.setattr(commands, "check", check)
    with pytest.raises(SystemExit) as left:
        cli.main(line.split())
    assert left.value.code == 0
    assert {**DEFAULTS, **taken} == parsed


@pytest.mark.parametrize("line", LEFT_TO_THE_PARSER)
def test_what_is_left_to_the_parser(line: str) -> None:
    assert shortcut.read(line.split()) is None

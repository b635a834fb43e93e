"""What the shortcut takes, the option parser reads the same way."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from nanlint import cli, shortcut
from nanlint.commands import COMMANDS, module
from nanlint.options import Option, fields_of

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
    "rules",
    "explain POOL001",
    "shapes net.prototxt --input data:1,3,8,8",
    "lr solver.prototxt --every 10 --until=0",
    "graph --output-format mermaid net.prototxt",
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
    "rules POOL001",
    "explain POOL001 LR001",
    "shapes net.prototxt --fix",
    "lr solver.prototxt --every 0",
    "lr solver.prototxt --every ten",
]


@pytest.mark.parametrize("line", TAKEN)
def test_what_is_taken(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = shortcut.read(line.split())
    assert taken is not None
    parsed: list[Any] = []

    def run(options: Any) -> int:
        parsed.append(options)
        return 0

    monkeypatch.setattr(module(taken.command), "run", run)
    with pytest.raises(SystemExit) as left:
        cli.main(line.split())
    assert left.value.code == 0
    assert parsed == [taken.options]


@pytest.mark.parametrize("line", LEFT_TO_THE_PARSER)
def test_what_is_left_to_the_parser(line: str) -> None:
    assert shortcut.read(line.split()) is None


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_options_with_help_and_a_summary(command: str) -> None:
    fields = fields_of(module(command).Options)
    assert all(field.spelt.help.endswith((".", "]")) for field in fields)
    assert len({field.spelt for field in fields}) == len(fields)
    assert module(command).run.__doc__.endswith(".")


def test_no_option_is_spelt_in_two_ways() -> None:
    """An option is one declaration, whichever commands take it; only `--output-format` has choices by command."""
    spelt: dict[str, set[Option]] = {}
    for command in COMMANDS:
        for field in fields_of(module(command).Options):
            if isinstance(field.spelt, Option) and field.name != "output_format":
                spelt.setdefault(field.name, set()).add(field.spelt)
    assert [name for name, options in spelt.items() if len(options) > 1] == []


def test_a_command_that_is_not_called_is_not_imported() -> None:
    code = (
        "import sys; from nanlint import shortcut; shortcut.read(['x']);"
        "print(sorted(name for name in sys.modules if name.startswith(('nanlint.commands.', 'typer', 'numpy'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = [f"nanlint.commands.{name}" for name in ("calls", "check", "console", "projects", "reporting")]
    assert done.stdout.split("'")[1::2] == modules

"""What each command does: a module a command, with its `Options` and what it does with them, `run`.

`run` returns the exit status; its docstring is the command's help. To add a command, write its module and name
it here: the command line, its help and the tests read both.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

COMMANDS = (
    *("check", "shapes", "lr", "graph", "view", "ranges", "scale", "data", "probe", "log", "forks", "explain", "rules"),
    *("format", "deploy", "upgrade", "server"),
)


def module(command: str) -> Any:
    """The module of a command, imported when the command is called."""
    return import_module(f"nanlint.commands.{command}")

"""The plain call, read without the option parser, whose import takes as long as linting a net.

Only what cannot be read in two ways is taken: paths, and options that are spelt in full. Everything else,
help and mistakes too, goes through `nanlint.cli`; a test holds both to the same reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nanlint.commands import COLOURS, FORMATS
from nanlint.config import SEVERITIES

COMMANDS = ("check", "shapes", "lr", "graph", "ranges", "scale", "forks", "explain", "rules")
_SINGLE = {
    "--output-format": ("output_format", FORMATS),
    "--fail-on": ("fail_on", SEVERITIES),
    "--caffe": ("caffe", ()),
    "--proto": ("proto", ()),
    "--stdin-filename": ("stdin_filename", ()),
    "--color": ("color", COLOURS),
    "--config": ("config_file", ()),
}
_REPEATED = {
    "--select": "select",
    "--ignore": "ignore",
    "--root": "root",
    "--input": "input_",
    "--range": "range_",
}


def read(arguments: Sequence[str]) -> dict[str, Any] | None:
    """The arguments of `commands.check` that a command line spells; None where it takes the option parser."""
    if arguments and arguments[0] in COMMANDS[1:]:
        return None
    words = iter(arguments[1:] if arguments[:1] == ["check"] else arguments)
    read: dict[str, Any] = {"paths": []}
    for word in words:
        if word == "-" or not word.startswith("-"):
            read["paths"].append(word)
            continue
        if word == "--fix":
            read["fix"] = True
            continue
        option, equals, value = word.partition("=")
        if not equals:
            value = next(words, "-")
        if value.startswith("-"):
            return None
        if option in _REPEATED:
            read.setdefault(_REPEATED[option], []).append(value)
        elif option in _SINGLE:
            name, choices = _SINGLE[option]
            if name in read or (choices and value not in choices):
                return None
            read[name] = value
        else:
            return None
    return read if read["paths"] else None

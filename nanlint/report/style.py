"""Colour: when a stream gets it, and the escapes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TextIO

Paint = Callable[[str, str], str]
"""Takes a role (`error`, `location`, ...) and a text, and gives the text as it is to be shown."""

_ESCAPES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "title": "1",
    "frame": "1;34",
    "remedy": "1;32",
    "dim": "2",
}


def wants_colour(stream: TextIO, choice: str = "auto") -> bool:
    """Whether to colour what goes to a stream.

    `choice` is `always`, `never` or `auto`: then NO_COLOR says no, FORCE_COLOR yes (either is off where it is
    empty or unset), and else a terminal gets colour.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def painter(colour: bool) -> Paint:
    if not colour:
        return lambda _, text: text
    return lambda role, text: f"\x1b[{_ESCAPES[role]}m{text}\x1b[0m" if text else ""

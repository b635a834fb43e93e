"""`nanlint rules`."""

from __future__ import annotations

from typing import NamedTuple

from nanlint.commands.console import OK, show


class Options(NamedTuple):
    pass


def run(options: Options) -> int:
    """List every rule, one a line."""
    from nanlint.rules.registry import rules

    show(f"{one.code:9} {one.severity.value:8} {one.name:34} {one.summary}" for one in rules())
    return OK

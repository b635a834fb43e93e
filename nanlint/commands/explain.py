"""`nanlint explain`."""

from __future__ import annotations

import sys
from typing import Annotated, NamedTuple

from nanlint.commands.console import OK, show, width
from nanlint.config import UsageError
from nanlint.options import Argument, Option
from nanlint.report.style import wants_colour


class Options(NamedTuple):
    rule: Annotated[str | None, Argument("RULE", "A code or a name.")] = None
    at: Annotated[
        str | None, Option("--at", "FILE:LINE:COL", "Say what stands at a place of a solver or net instead.")
    ] = None


def run(options: Options) -> int:
    """Say what a rule finds, why it matters, what Caffe does, and the fix; or what a field of a file means."""
    from nanlint.engine.explain import explain
    from nanlint.engine.place import at
    from nanlint.engine.select import one

    if (options.rule is None) == (options.at is None):
        raise UsageError("name a rule, or a place by `--at FILE:LINE:COL`")
    page = explain(one(options.rule)) if options.rule is not None else at(options.at or "")
    if not wants_colour(sys.stdout):
        show([page])
        return OK
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=width()).print(Markdown(page))
    return OK

"""`nanlint explain`."""

from __future__ import annotations

import sys
from typing import Annotated, NamedTuple

from nanlint.commands.console import OK, show, width
from nanlint.options import Argument
from nanlint.report.style import wants_colour


class Options(NamedTuple):
    rule: Annotated[str, Argument("RULE", "A code or a name.")]


def run(options: Options) -> int:
    """Say what a rule finds, why it matters, what Caffe does, and the fix."""
    from nanlint.engine.explain import explain
    from nanlint.engine.select import one

    page = explain(one(options.rule))
    if not wants_colour(sys.stdout):
        show([page])
        return OK
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=width()).print(Markdown(page))
    return OK

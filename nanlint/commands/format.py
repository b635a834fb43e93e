"""`nanlint format`."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from nanlint.commands.calls import standard_input
from nanlint.commands.console import status
from nanlint.commands.output import Output, deliver
from nanlint.options import Argument


class Options(NamedTuple):
    path: Annotated[str, Argument("FILE", "A solver, a net, or -.")]
    output: Output = None


def run(options: Options) -> int:
    """Write a file well laid out: two spaces a level, one field a line, comments kept, the same meaning."""
    from nanlint.safety.reading import read_named, reason
    from nanlint.text.layout import BrokenFileError, laid_out
    from nanlint.text.parser import parse
    from nanlint.text.source import Source

    try:
        data = standard_input([options.path]) if options.path == "-" else read_named(options.path)
    except (OSError, ValueError) as wrong:
        return status([f"cannot read `{options.path}`: {reason(wrong)}"])
    document = parse(Source.decode(options.path, data))
    try:
        text = laid_out(document)
    except BrokenFileError:
        at = document.source.position(document.faults[0].span.start)
        return status([f"`{options.path}` is not laid out: its syntax is broken at line {at.line}; mend it first"])
    deliver(text, options.output)
    return 0

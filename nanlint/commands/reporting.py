"""How findings are written: in which format, where, and what is said on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Protocol

from nanlint.commands.console import printable, show, tell, width, write
from nanlint.config import UsageError
from nanlint.findings import Report
from nanlint.report.formats import FORMATS, Look
from nanlint.report.style import painter, wants_colour
from nanlint.text.lexer import encoded


class Choices(Protocol):
    """The options of a command that reports findings."""

    @property
    def output_format(self) -> str: ...

    @property
    def output_file(self) -> str | None: ...

    @property
    def statistics(self) -> bool: ...

    @property
    def quiet(self) -> bool: ...

    @property
    def color(self) -> str: ...


def write_report(report: Report, options: Choices) -> None:
    """The report in its format, to standard output or to the file that the call names."""
    chosen = FORMATS[options.output_format]
    if options.output_file is None:
        colour = chosen.coloured and wants_colour(sys.stdout, options.color)
        (write if chosen.data else show)(_lines(report, options, colour))
        return
    from nanlint.commands.output import deliver

    lines = _lines(report, options, colour=options.color == "always")
    text = "".join(f"{one}\n" for one in (lines if chosen.data else printable(lines)))
    deliver(text, options.output_file, report.files)
    if not options.quiet:
        from nanlint.report.summary import summary

        for line in summary(report, width(), painter(wants_colour(sys.stderr, options.color))):
            tell(line)


def write_differences(report: Report) -> None:
    """What fixes would change, as a unified diff."""
    from difflib import unified_diff

    for one in report.rewritten:
        before, after = one.before.splitlines(), one.after.splitlines()
        write(unified_diff(before, after, one.path, one.path, lineterm="", n=2))


def write_fixed(report: Report, options: Choices, name: str) -> None:
    """Standard input, called `name`, with its fixes, to standard output; what is left to say, to standard error."""
    for one in report.rewritten:
        if one.path == name:
            sys.stdout.flush()
            sys.stdout.buffer.write(encoded(one.after))
            sys.stdout.flush()
    for line in printable(_lines(report, options, colour=False)):
        tell(line)


def _lines(report: Report, options: Choices, colour: bool) -> Iterable[str]:
    if not options.statistics:
        look = Look(width(), painter(colour), options.quiet)
        return FORMATS[options.output_format].lines(report, look)
    from nanlint.report import statistics

    if options.output_format not in ("text", "json"):
        raise UsageError(f"`--statistics` is written as text or json, not as {options.output_format}")
    return [statistics.dumps(report)] if options.output_format == "json" else statistics.lines(report)

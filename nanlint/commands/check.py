"""`nanlint check`, which a call without a command is short for."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from nanlint.commands.calls import settings, standard_input
from nanlint.commands.console import FINDINGS, OK, printable, show, status, tell, width, write
from nanlint.config import SEVERITIES, UsageError
from nanlint.options import (
    Caffe,
    Colour,
    ConfigFile,
    Data,
    ExitZero,
    FailOn,
    Fix,
    Ignore,
    Inputs,
    OutputFile,
    Paths,
    Proto,
    Quiet,
    Ranges,
    ReportFormat,
    Roots,
    Select,
    Statistics,
    StdinFilename,
)
from nanlint.report.formats import FORMATS, Look
from nanlint.report.style import painter, wants_colour

if TYPE_CHECKING:
    from nanlint.findings import Report


class Options(NamedTuple):
    paths: Paths
    output_format: ReportFormat = "text"
    fail_on: FailOn = None
    select: Select = ()
    ignore: Ignore = ()
    caffe: Caffe = None
    proto: Proto = None
    roots: Roots = ()
    inputs: Inputs = ()
    ranges: Ranges = ()
    data: Data = None
    fix: Fix = False
    output_file: OutputFile = None
    statistics: Statistics = False
    quiet: Quiet = False
    exit_zero: ExitZero = False
    stdin_filename: StdinFilename = None
    color: Colour = "auto"
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Lint solvers and nets. `nanlint PATH...` is short for this."""
    from nanlint import engine

    asked = settings(options)
    if options.fix and "-" in options.paths:
        raise UsageError("`--fix` writes to files, and `-` is none")
    report = engine.check(
        options.paths,
        asked,
        stdin=standard_input(options.paths),
        stdin_name=options.stdin_filename or "<stdin>",
        fix=options.fix,
    )
    _write(report, options)
    for note in report.notes:
        tell(f"nanlint: {note}")
    failing = SEVERITIES[: SEVERITIES.index(asked.fail_on) + 1]
    found = any(finding.severity.value in failing for finding in report.findings)
    return status(report.failures, FINDINGS if found and not options.exit_zero else OK)


def _write(report: Report, options: Options) -> None:
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


def _lines(report: Report, options: Options, colour: bool) -> Iterable[str]:
    if not options.statistics:
        look = Look(width(), painter(colour), options.quiet)
        return FORMATS[options.output_format].lines(report, look)
    from nanlint.report import statistics

    if options.output_format not in ("text", "json"):
        raise UsageError(f"`--statistics` is written as text or json, not as {options.output_format}")
    return [statistics.dumps(report)] if options.output_format == "json" else statistics.lines(report)

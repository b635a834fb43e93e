"""`nanlint check`, which a call without a command is short for."""

from __future__ import annotations

import sys
from typing import NamedTuple

from nanlint.commands.calls import settings, standard_input
from nanlint.commands.console import FINDINGS, OK, show, status, tell, width, write
from nanlint.config import SEVERITIES, UsageError
from nanlint.options import (
    Caffe,
    Colour,
    ConfigFile,
    Data,
    FailOn,
    Fix,
    Ignore,
    Inputs,
    Paths,
    Proto,
    Ranges,
    ReportFormat,
    Roots,
    Select,
    StdinFilename,
)
from nanlint.report.formats import FORMATS, Look
from nanlint.report.style import painter, wants_colour


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
    chosen = FORMATS[options.output_format]
    colour = chosen.coloured and wants_colour(sys.stdout, options.color)
    (write if chosen.data else show)(chosen.lines(report, Look(width(), painter(colour))))
    for note in report.notes:
        tell(f"nanlint: {note}")
    failing = SEVERITIES[: SEVERITIES.index(asked.fail_on) + 1]
    found = any(finding.severity.value in failing for finding in report.findings)
    return status(report.failures, FINDINGS if found else OK)

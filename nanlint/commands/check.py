"""`nanlint check`, which a call without a command is short for."""

from __future__ import annotations

from typing import NamedTuple

from nanlint.commands.calls import settings, standard_input
from nanlint.commands.console import FINDINGS, OK, status, tell
from nanlint.commands.reporting import write_report
from nanlint.config import SEVERITIES, UsageError
from nanlint.options import (
    AddIgnore,
    Baseline,
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
    WriteBaseline,
)


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
    baseline: Baseline = None
    write_baseline: WriteBaseline = False
    add_ignore: AddIgnore = None
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
    for option, wanted in (("--fix", options.fix), ("--add-ignore", options.add_ignore is not None)):
        if wanted and "-" in options.paths:
            raise UsageError(f"`{option}` writes to files, and `-` is none")
    report = engine.check(
        options.paths,
        asked,
        stdin=standard_input(options.paths),
        stdin_name=options.stdin_filename or "<stdin>",
        fix=options.fix,
        ignore_because=options.add_ignore,
    )
    if options.write_baseline:
        from nanlint.commands.accepted import write_baseline

        return status(report.failures + write_baseline(report, asked))
    if asked.baseline:
        from nanlint.commands.accepted import accepted

        report = accepted(report, asked)
    write_report(report, options)
    for note in report.notes:
        tell(f"nanlint: {note}")
    failing = SEVERITIES[: SEVERITIES.index(asked.fail_on) + 1]
    found = any(finding.severity.value in failing for finding in report.findings)
    return status(report.failures, FINDINGS if found and not options.exit_zero else OK)

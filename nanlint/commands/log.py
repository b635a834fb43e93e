"""`nanlint log`."""

from __future__ import annotations

import sys
from typing import Annotated, NamedTuple

from nanlint.commands.console import FINDINGS, OK, show, status, width, write
from nanlint.commands.output import deliver
from nanlint.config import UsageError
from nanlint.findings import Severity
from nanlint.logs.finding import LogFinding
from nanlint.logs.model import Log
from nanlint.options import Argument, Option, output_format
from nanlint.safety.reading import reason


class Options(NamedTuple):
    path: Annotated[str, Argument("FILE", "The log of a training run.")]
    output_format: Annotated[str, output_format("text", "json", "csv")] = "text"
    solver: Annotated[
        str | None, Option("--solver", "SOLVER", "The run's solver, for a log that does not echo it.")
    ] = None
    csv: Annotated[str | None, Option("--csv", "FILE", "Write the log's numbers to this file as CSV too.")] = None


def run(options: Options) -> int:
    """Say what went wrong in a training run, from its own log."""
    from nanlint.logs.files import read

    try:
        log = read(options.path)
    except (OSError, ValueError) as wrong:
        raise UsageError(f"cannot read `{options.path}`: {reason(wrong)}") from wrong
    if not log.recognised:
        return status([f"`{options.path}` has no line that Caffe writes; it is no training log"])
    from nanlint.diagnosis import diagnose

    return report(log, diagnose(log, options.solver), options)


def report(log: Log, findings: list[LogFinding], options: Options) -> int:
    """Print what was found, in the format of the call; the exit status."""
    if options.csv is not None:
        from nanlint.report.logs.rows import rows

        deliver("\n".join(rows(log)) + "\n", options.csv, [options.path])
    if options.output_format == "json":
        from nanlint.report.logs.document import parts

        write(parts(log, findings))
    elif options.output_format == "csv":
        from nanlint.report.logs.rows import rows

        write(rows(log))
    else:
        from nanlint.report.logs.summary import lines
        from nanlint.report.style import painter, wants_colour

        show(lines(log, findings, width(), painter(wants_colour(sys.stdout))))
    return FINDINGS if any(one.severity is not Severity.INFO for one in findings) else OK

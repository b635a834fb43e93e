"""`nanlint log`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

from nanlint.commands.console import FINDINGS, OK, show, status, tell, width, write
from nanlint.commands.output import deliver, deliver_bytes
from nanlint.config import UsageError
from nanlint.findings import Severity
from nanlint.logs.finding import LogFinding
from nanlint.logs.model import Log
from nanlint.options import Argument, Option, output_format
from nanlint.report.style import wants_colour
from nanlint.safety.reading import reason

_LONG = 20_000_000
"""Bytes of a file from which its reading takes so long that progress is shown."""

_PICTURES = {".png": "png", ".svg": "svg"}


class Options(NamedTuple):
    path: Annotated[str, Argument("FILE", "The log of a training run.")]
    output_format: Annotated[str, output_format("text", "json", "csv")] = "text"
    solver: Annotated[
        str | None, Option("--solver", "SOLVER", "The run's solver, for a log that does not echo it.")
    ] = None
    plot: Annotated[
        str | None, Option("--plot", "terminal|FILE", "Draw loss and rate: `terminal`, or a .png or .svg file.")
    ] = None
    follow: Annotated[bool, Option("--follow", None, "Show each loss as it comes, while the run goes on.")] = False
    csv: Annotated[str | None, Option("--csv", "FILE", "Write the log's numbers to this file as CSV too.")] = None


def run(options: Options) -> int:
    """Say what went wrong in a training run, from its own log."""
    if options.plot not in (None, "terminal") and Path(options.plot or "").suffix.lower() not in _PICTURES:
        raise UsageError(f"`--plot {options.plot}` is no picture; write `--plot terminal`, FILE.png or FILE.svg")
    if options.follow:
        if options.output_format != "text":
            raise UsageError(f"`--follow` shows text; leave out `--output-format {options.output_format}`")
        from nanlint.commands.following import follow

        log = follow(options.path, options.solver)
    else:
        log = _read(options.path)
    if not log.recognised:
        return status([f"`{options.path}` has no line that Caffe writes; it is no training log"])
    from nanlint.diagnosis import diagnose

    return _report(log, diagnose(log, options.solver), options)


def _read(path: str) -> Log:
    from nanlint.logs.files import read

    try:
        with _progress(path) as told:
            return read(path, told)
    except (OSError, ValueError) as wrong:
        raise UsageError(f"cannot read `{path}`: {reason(wrong)}") from wrong


@contextmanager
def _progress(path: str) -> Iterator[Callable[[int], object] | None]:
    """A bar on standard error, for a long file and a terminal."""
    size = Path(path).stat().st_size
    if size < _LONG or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(path, total=size)
        yield lambda read: progress.advance(task, read)


def _report(log: Log, findings: list[LogFinding], options: Options) -> int:
    """Print what was found, in the format of the call; the exit status."""
    if options.csv is not None:
        from nanlint.report.logs.rows import rows

        deliver("\n".join(rows(log)) + "\n", options.csv, [options.path])
    if options.plot not in (None, "terminal"):
        _draw(log, str(options.plot), options.path)
    if options.output_format == "json":
        from nanlint.report.logs.document import parts

        write(parts(log, findings))
    elif options.output_format == "csv":
        from nanlint.report.logs.rows import rows

        write(rows(log))
    else:
        _text(log, findings, options)
    return FINDINGS if any(one.severity is not Severity.INFO for one in findings) else OK


def _text(log: Log, findings: list[LogFinding], options: Options) -> None:
    from nanlint.report.logs import summary
    from nanlint.report.style import painter

    colour = wants_colour(sys.stdout)
    paint = painter(colour)
    show(summary.overview(log, paint))
    asked = options.plot == "terminal"
    if log.runs and (asked or (sys.stdout.isatty() and options.plot is None)):
        from nanlint.report.logs.curves import on_terminal

        picture = on_terminal(log, min(width(), 100), 20 if asked else 12, colour)
        if picture is None and len(log.losses) > 1:
            tell("for a curve: pip install 'nanlint[plot]'")
        write(["", picture] if picture else [])
    show(["", *summary.findings(log, findings, width(), paint)])


def _draw(log: Log, target: str, path: str) -> None:
    from nanlint.report.logs.curves import drawn

    if not log.runs:
        raise UsageError(f"`{path}` has no run to draw")
    try:
        picture = drawn(log, _PICTURES[Path(target).suffix.lower()])
    except ImportError as wrong:
        raise UsageError("pictures need matplotlib: pip install 'nanlint[plot]'") from wrong
    deliver_bytes(picture, target, [path])

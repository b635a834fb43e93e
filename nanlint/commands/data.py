"""`nanlint data`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, NamedTuple

from nanlint.commands.calls import settings, standard_input
from nanlint.commands.console import FINDINGS, OK, show, status, tell, width
from nanlint.config import SEVERITIES, UsageError, merge
from nanlint.options import (
    Caffe,
    Colour,
    ConfigFile,
    Data,
    FailOn,
    Ignore,
    Option,
    Paths,
    Proto,
    Roots,
    Select,
    TableFormat,
)
from nanlint.report.style import painter, wants_colour

Weights = Annotated[
    tuple[str, ...], Option("--weights", "FILE", "Weights in place of the solver's own, as `caffe train` takes them.")
]
Scheduler = Annotated[
    str | None, Option("--scheduler", "ADDRESS", "A Dask scheduler, whose workers read the parts of each source.")
]


class Options(NamedTuple):
    paths: Paths
    weights: Weights = ()
    data: Data = None
    scheduler: Scheduler = None
    output_format: TableFormat = "text"
    fail_on: FailOn = None
    select: Select = ()
    ignore: Ignore = ()
    caffe: Caffe = None
    proto: Proto = None
    roots: Roots = ()
    color: Colour = "auto"
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Read the data, means and weights beside a solver, and say what Caffe will do with them."""
    from nanlint import engine
    from nanlint.report import data as writer

    if options.data == "no":
        raise UsageError("`--data no` leaves nothing to show; write `full` or `sample`")
    asked = merge(settings(options), data=options.data or "full", scheduler=options.scheduler)
    with _progress(sys.stderr.isatty()) as progress:
        sources, report = engine.check_data(
            options.paths,
            asked,
            stdin=standard_input(options.paths),
            weights=options.weights,
            progress=progress,
        )
    if options.output_format == "json":
        show([writer.dumps(sources, report)])
    else:
        from nanlint.report import text

        terminal = sys.stdout.isatty()
        paint = painter(wants_colour(sys.stdout, options.color))
        show([*writer.lines(sources, terminal), *text.lines(report, width(), paint)])
    for note in report.notes:
        tell(f"nanlint: {note}")
    failing = SEVERITIES[: SEVERITIES.index(asked.fail_on) + 1]
    found = any(finding.severity.value in failing for finding in report.findings)
    return status(report.failures, FINDINGS if found else OK)


@contextmanager
def _progress(shown: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar on a terminal for sources that are read in parts."""
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, TaskID

    tasks: dict[str, TaskID] = {}
    with Progress(console=Console(stderr=True), transient=True) as bars:

        def told(path: str, done: int, parts: int) -> None:
            if path not in tasks:
                tasks[path] = bars.add_task(path, total=parts)
            bars.update(tasks[path], completed=done)

        yield told

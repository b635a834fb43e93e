"""`nanlint lr`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from nanlint.commands.calls import open_paths, settings
from nanlint.commands.console import show, status, tell, width, write
from nanlint.config import UsageError
from nanlint.options import Argument, ConfigFile, Option, StdinFilename, output_format
from nanlint.report.style import wants_colour

if TYPE_CHECKING:
    from nanlint.analysis.schedule import Schedule


_MOST_ROWS = 2_000_000


class Options(NamedTuple):
    paths: Annotated[tuple[str, ...], Argument("SOLVER...", "Solvers.")]
    every: Annotated[
        int | None, Option("--every", "N", "Each N-th iteration alone (text: about 20 of them).", least=1)
    ] = None
    until: Annotated[
        int | None, Option("--until", "N", "The first N iterations, as step(N) from Python runs them.", least=0)
    ] = None
    snapshot: Annotated[str | None, Option("--snapshot", "FILE", "A .solverstate from which the run goes on.")] = None
    output_format: Annotated[str, output_format("text", "json", "csv", "svg")] = "text"
    stdin_filename: StdinFilename = None
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Show the learning rate over the iterations that `caffe train` runs."""
    from nanlint.analysis.schedule import refusal, resumed, schedule, until_iteration
    from nanlint.report import rates as writer

    every, until, snapshot = options.every, options.until, options.snapshot
    opened = open_paths(options.paths, settings(options), options.stdin_filename)
    plans: list[tuple[str, str, Schedule | None]] = []
    for one in opened.loaded:
        if one.solver is None:
            opened.failures.append(f"`{one.path}` is a net; the learning rate is set in the solver")
            continue
        plan = schedule(one.solver.param)
        if plan and snapshot is not None:
            plan = resumed(plan, one.solver.param.stepvalue, *_state(snapshot))
        plan = until_iteration(plan, until) if plan and until is not None else plan
        why_not = refusal(one.solver.param)
        if why_not:
            tell(f"{one.path}: Caffe aborts at the first rate: `{why_not[0]}` is {why_not[1]}")
        plans.append((one.path, one.solver.param.lr_policy, plan))
    text = options.output_format == "text"
    if options.output_format == "svg" or (text and sys.stdout.isatty()):
        _draw([(path, plan) for path, _, plan in plans if plan], options.output_format)
    if options.output_format == "svg":
        return status(opened.failures)
    files = [(path, policy, _rates(path, plan, every, text) if plan else []) for path, policy, plan in plans]
    if options.output_format == "json":
        write([writer.dumps(files)])
    elif options.output_format == "csv":
        write([writer.comma_separated(files)])
    elif text:
        show(writer.lines(files))
    return status(opened.failures)


def _rates(path: str, plan: Schedule, every: int | None, text: bool) -> list[tuple[int, float]]:
    """A schedule's rates. Raises UsageError where they are more than anything should hold at once."""
    from nanlint.analysis.schedule import MOST_STEPS, rows, thinned

    apart = every or (max(1, plan.last // 20) if text else 1)
    steps = MOST_STEPS if text else _MOST_ROWS
    if rows(plan, apart, steps) > _MOST_ROWS:
        few = max(1, plan.last // 1000)
        raise UsageError(f"`{path}` runs {plan.last + 1} iterations, too many to write each; write `--every {few}`")
    return list(thinned(plan, apart, steps))


def _state(path: str) -> tuple[int, int]:
    from nanlint.caffe.caffemodel import NotAModelError, saved_state

    try:
        return saved_state(Path(path))
    except (OSError, ValueError) as wrong:
        raise UsageError(f"cannot read `{path}`: {wrong}") from wrong
    except NotAModelError as wrong:
        raise UsageError(f"`{path}` is no `.solverstate` in binary format") from wrong


def _draw(plans: Sequence[tuple[str, Schedule]], output_format: str) -> None:
    from nanlint.report import plot

    curves = [plot.curve(path, plan, 400) for path, plan in plans]
    if output_format == "svg":
        write([plot.as_svg(curves)])
        return
    picture = plot.on_terminal(curves, min(width(), 100), 20, wants_colour(sys.stdout))
    if picture is None and any(one.points for one in curves):
        tell("for a plot: pip install 'nanlint[plot]'")
    write([picture] if picture else [])

"""What each command does, and its exit status. How its options are spelt is the doors' business."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nanlint import config
from nanlint.config import SEVERITIES, Settings, UsageError
from nanlint.report.style import painter, wants_colour

if TYPE_CHECKING:
    from nanlint.analysis.schedule import Schedule
    from nanlint.engine.load import Opened
    from nanlint.findings import Report

OK, FINDINGS, WRONG = 0, 1, 2
FORMATS = ("text", "concise", "json", "github", "sarif")
COLOURS = ("auto", "always", "never")

_WIDTH_OF_A_PIPE, _WIDEST = 100, 140

Words = Sequence[str] | None
Value = TypeVar("Value")


def check(
    paths: list[str],
    *,
    output_format: str = "text",
    fail_on: str | None = None,
    select: Words = None,
    ignore: Words = None,
    caffe: str | None = None,
    proto: str | None = None,
    root: Words = None,
    input_: Words = None,
    range_: Words = None,
    fix: bool = False,
    stdin_filename: str | None = None,
    color: str = "auto",
    config_file: str | None = None,
) -> int:
    """Lint, and print what was found in one of FORMATS."""
    from nanlint import engine

    settings = _settings(
        config_file,
        select=_split(select),
        ignore=_split(ignore),
        fail_on=fail_on,
        caffe=caffe,
        proto=proto,
        roots=tuple(root or ()),
        inputs=_pairs(input_, config.parse_input),
        ranges=_pairs(range_, config.parse_range),
    )
    if fix and "-" in paths:
        raise UsageError("`--fix` writes to files, and `-` is none")
    report = engine.check(
        paths, settings, stdin=_stdin(paths), stdin_name=stdin_filename or "<stdin>", fix=fix
    )
    _print(_written(report, output_format, color))
    failing = SEVERITIES[: SEVERITIES.index(settings.fail_on) + 1]
    found = any(finding.severity.value in failing for finding in report.findings)
    return _status(report.failures, FINDINGS if found else OK)


def shapes(
    paths: list[str],
    *,
    output_format: str = "text",
    caffe: str | None = None,
    proto: str | None = None,
    root: Words = None,
    input_: Words = None,
    config_file: str | None = None,
) -> int:
    """Print every layer's shapes."""
    from nanlint.report import shapes as writer

    inputs = _pairs(input_, config.parse_input)
    settings = _settings(config_file, caffe=caffe, proto=proto, roots=tuple(root or ()), inputs=inputs)
    opened = _open(paths, settings)
    files = [(one.path, one.nets) for one in opened.loaded]
    _print([writer.dumps(files)] if output_format == "json" else writer.lines(files, _width()))
    return _status(opened.failures)


def lr(
    paths: list[str],
    *,
    every: int | None = None,
    until: int | None = None,
    snapshot: str | None = None,
    output_format: str = "text",
    config_file: str | None = None,
) -> int:
    """Print learning rates over the iterations as `text`, `json`, `csv` or `svg`."""
    from nanlint.analysis.schedule import refusal, resumed, schedule, thinned, until_iteration
    from nanlint.report import rates as writer

    opened = _open(paths, _settings(config_file))
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
            print(f"{one.path}: Caffe aborts at the first rate: `{why_not[0]}` is {why_not[1]}", file=sys.stderr)
        plans.append((one.path, one.solver.param.lr_policy, plan))
    text = output_format == "text"
    if output_format == "svg" or (text and sys.stdout.isatty()):
        _draw([(path, plan) for path, _, plan in plans if plan], output_format)
    files = [
        (path, policy, list(thinned(plan, every or (max(1, plan.last // 20) if text else 1))) if plan else [])
        for path, policy, plan in plans
    ]
    if output_format == "json":
        _print([writer.dumps(files)])
    elif output_format == "csv":
        _print([writer.comma_separated(files)])
    elif text:
        _print(writer.lines(files))
    return _status(opened.failures)


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
        _print([plot.as_svg(curves)])
        return
    picture = plot.on_terminal(curves, min(_width(), 100), 20, wants_colour(sys.stdout))
    if picture is None and any(one.points for one in curves):
        print("for a plot: pip install 'nanlint[plot]'", file=sys.stderr)
    _print([picture] if picture else [])


def graph(
    paths: list[str],
    *,
    output_format: str = "dot",
    caffe: str | None = None,
    root: Words = None,
    input_: Words = None,
    config_file: str | None = None,
) -> int:
    """Print nets as graphs: `dot`, `mermaid` or `json`."""
    from nanlint.report import graph as writer

    inputs = _pairs(input_, config.parse_input)
    opened = _open(paths, _settings(config_file, caffe=caffe, roots=tuple(root or ()), inputs=inputs))
    files = [(one.path, one.nets) for one in opened.loaded]
    if output_format == "json":
        _print([writer.dumps(files)])
    else:
        _print(writer.mermaid(files) if output_format == "mermaid" else writer.dot(files))
    return _status(opened.failures)


def ranges(
    paths: list[str],
    *,
    output_format: str = "text",
    caffe: str | None = None,
    root: Words = None,
    input_: Words = None,
    range_: Words = None,
    config_file: str | None = None,
) -> int:
    """Print what every blob can hold."""
    from nanlint.report import ranges as writer

    settings = _settings(
        config_file,
        caffe=caffe,
        roots=tuple(root or ()),
        inputs=_pairs(input_, config.parse_input),
        ranges=_pairs(range_, config.parse_range),
    )
    opened = _open(paths, settings)
    files = [(one.path, one.nets) for one in opened.loaded]
    _print([writer.dumps(files)] if output_format == "json" else writer.lines(files, _width()))
    return _status(opened.failures)


def scale(
    paths: list[str],
    *,
    output_format: str = "text",
    caffe: str | None = None,
    root: Words = None,
    input_: Words = None,
    config_file: str | None = None,
) -> int:
    """Print how large everything is at initialisation."""
    from nanlint.report import scale as writer

    inputs = _pairs(input_, config.parse_input)
    opened = _open(paths, _settings(config_file, caffe=caffe, roots=tuple(root or ()), inputs=inputs))
    files = [(one.path, one.solver, one.nets) for one in opened.loaded]
    _print([writer.dumps(files)] if output_format == "json" else writer.lines(files, _width()))
    return _status(opened.failures)


def forks(
    paths: list[str], *, output_format: str = "text", root: Words = None, config_file: str | None = None
) -> int:
    """Print which forks of Caffe can read each file with what it names."""
    from nanlint.caffe.forks import needs
    from nanlint.report import forks as writer

    opened = _open(paths, _settings(config_file, caffe="any", roots=tuple(root or ())))
    files = [(one.path, [need for bound in one.bounds for need in needs(bound)]) for one in opened.loaded]
    _print([writer.dumps(files)] if output_format == "json" else writer.lines(files))
    return _status(opened.failures)


def explain(word: str) -> int:
    """Print the page of the rule of a code or name."""
    from nanlint.engine.explain import explain as explained
    from nanlint.engine.select import one

    page = explained(one(word))
    if not wants_colour(sys.stdout):
        _print([page])
        return OK
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=_width()).print(Markdown(page))
    return OK


def rules() -> int:
    """Print every rule, one a line."""
    from nanlint.rules.registry import rules as every_rule

    _print(f"{one.code:9} {one.severity.value:8} {one.name:34} {one.summary}" for one in every_rule())
    return OK


def guarded(run: Callable[[], int]) -> int:
    """The exit status of a command. A wrong call, and a bug of nanlint's, are said on standard error."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return run()
    except UsageError as wrong:
        return _status([str(wrong)])
    except Exception as error:
        import traceback

        traceback.print_exc()
        return _status([f"internal error: {type(error).__name__}: {error}. Please report this"])


def _written(report: Report, output_format: str, colour: str) -> Iterable[str]:
    """The lines of a report in a format."""
    if output_format == "json":
        from nanlint.report.json import dumps

        return [dumps(report)]
    if output_format == "sarif":
        from nanlint.report import sarif
        from nanlint.rules.registry import rules as every_rule

        return [sarif.dumps(report, every_rule())]
    if output_format == "concise":
        from nanlint.report import concise

        return concise.lines(report)
    if output_format == "github":
        from nanlint.report import github

        return github.lines(report)
    paint = painter(wants_colour(sys.stdout, colour))
    if not report.findings:
        from nanlint.report.summary import summary

        return summary(report, _width(), paint)
    from nanlint.report import text

    return text.lines(report, _width(), paint)


def _open(paths: list[str], settings: Settings) -> Opened:
    from nanlint.engine.load import open_all

    return open_all(paths, settings, stdin=_stdin(paths))


def _stdin(paths: list[str]) -> bytes:
    return sys.stdin.buffer.read() if "-" in paths else b""


def _settings(config_file: str | None, **given: object) -> Settings:
    found = config.read(Path(config_file)) if config_file else config.load(Path.cwd())
    return config.merge(found, **given)


def _split(given: Words) -> tuple[str, ...]:
    return tuple(word.strip() for words in given or () for word in words.split(",") if word.strip())


def _pairs(given: Words, parse: Callable[[str], tuple[str, Value]]) -> dict[str, Value]:
    return dict(parse(words) for words in given or ())


def _width() -> int:
    """The terminal's width, within what is easily read."""
    from shutil import get_terminal_size

    return min(get_terminal_size((_WIDTH_OF_A_PIPE, 24)).columns, _WIDEST)


def _print(lines: Iterable[str]) -> None:
    """Print to standard output; a reader that has gone away has what it wanted."""
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _status(failures: Iterable[str], otherwise: int = OK) -> int:
    """Say on standard error what could not be done; the exit status."""
    for failure in failures:
        print(f"nanlint: {failure}", file=sys.stderr)
        otherwise = WRONG
    return otherwise

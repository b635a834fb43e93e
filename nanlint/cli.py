"""The commands: each reads its options, calls what does the work, prints the answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from nanlint import __version__, config
from nanlint.config import Settings, UsageError
from nanlint.report.style import wants_colour

if TYPE_CHECKING:
    from nanlint.analysis.schedule import Schedule
    from nanlint.engine.load import Opened
    from nanlint.findings import Report

OK, FINDINGS, WRONG = 0, 1, 2

Value = TypeVar("Value")


class Format(str, Enum):
    TEXT = "text"
    CONCISE = "concise"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


class Table(str, Enum):
    TEXT = "text"
    JSON = "json"


class RateFormat(str, Enum):
    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    SVG = "svg"


class FailOn(str, Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Colour(str, Enum):
    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


Paths = Annotated[
    list[str],
    typer.Argument(metavar="PATH...", show_default=False, help="Solvers, nets, folders of them, or -."),
]
Files = Annotated[list[str], typer.Argument(metavar="FILE...", show_default=False, help="Solvers and nets.")]
Caffe = Annotated[
    str | None,
    typer.Option("--caffe", metavar="NAME", help="The Caffe that will run the files; bvlc: exactly 1.0."),
]
Proto = Annotated[str | None, typer.Option("--proto", metavar="FILE", help="A fork's own caffe.proto.")]
Roots = Annotated[
    list[str] | None,
    typer.Option("--root", metavar="DIR", help="One more place where a solver's paths begin."),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", metavar="BLOB:SHAPE", help="A shape that depends on data: data:64,3,227,227."),
]
Ranges = Annotated[
    list[str] | None,
    typer.Option("--range", metavar="BLOB:LOW,HIGH", help="The values that a data blob holds: data:0,255."),
]
Config = Annotated[
    str | None, typer.Option("--config", metavar="FILE", help="This configuration, not the nearest one.")
]
Codes = list[str] | None


def check(
    paths: Paths,
    output_format: Annotated[
        Format, typer.Option("--output-format", help="How findings are written.")
    ] = Format.TEXT,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on", show_default=False, help="The least severity that gives exit status 1 [warning]."
        ),
    ] = None,
    select: Annotated[
        Codes, typer.Option("--select", metavar="RULE", help="Only these rules: codes or names.")
    ] = None,
    ignore: Annotated[Codes, typer.Option("--ignore", metavar="RULE", help="Without these rules.")] = None,
    caffe: Caffe = None,
    proto: Proto = None,
    root: Roots = None,
    input_: Inputs = None,
    range_: Ranges = None,
    fix: Annotated[bool, typer.Option("--fix", help="Make the safe fixes in the files, then lint.")] = False,
    stdin_filename: Annotated[
        str | None, typer.Option("--stdin-filename", metavar="PATH", help="The path of what - reads.")
    ] = None,
    color: Annotated[Colour, typer.Option("--color", help="Whether to colour text.")] = Colour.AUTO,
    config_file: Config = None,
) -> None:
    """Lint solvers and nets. `nanlint PATH...` is short for this."""
    from nanlint import engine

    settings = _settings(
        config_file,
        select=_words(select),
        ignore=_words(ignore),
        fail_on=fail_on and fail_on.value,
        caffe=caffe,
        proto=proto,
        roots=tuple(root or ()),
        inputs=_pairs(input_, config.parse_input),
        ranges=_pairs(range_, config.parse_range),
    )
    stdin = sys.stdin.buffer.read() if "-" in paths else b""
    report = engine.check(paths, settings, stdin=stdin, stdin_name=stdin_filename or "<stdin>", fix=fix)
    _print(_written(report, output_format, color))
    _finish(report.failures)
    ranks = ("info", "warning", "error")
    least = ranks.index(settings.fail_on)
    raise typer.Exit(FINDINGS if any(one.severity.rank >= least for one in report.findings) else OK)


def shapes(
    paths: Paths,
    output_format: Annotated[
        Table, typer.Option("--output-format", help="How they are written.")
    ] = Table.TEXT,
    caffe: Caffe = None,
    proto: Proto = None,
    root: Roots = None,
    input_: Inputs = None,
    config_file: Config = None,
) -> None:
    """Show the shapes of every layer's tops and parameters, per net and phase."""
    from nanlint.report import shapes as writer

    settings = _settings(
        config_file,
        caffe=caffe,
        proto=proto,
        roots=tuple(root or ()),
        inputs=_pairs(input_, config.parse_input),
    )
    opened = _open(paths, settings)
    files = [(one.path, one.nets) for one in opened.loaded]
    _print([writer.dumps(files)] if output_format is Table.JSON else writer.lines(files, _width()))
    _finish(opened.failures)


def lr(
    paths: Annotated[list[str], typer.Argument(metavar="SOLVER...", show_default=False, help="Solvers.")],
    every: Annotated[
        int | None,
        typer.Option(
            "--every", min=1, metavar="N", help="Each N-th iteration alone (text: about 20 of them)."
        ),
    ] = None,
    until: Annotated[
        int | None,
        typer.Option(
            "--until", min=0, metavar="N", help="The first N iterations, as step(N) from Python runs them."
        ),
    ] = None,
    output_format: Annotated[
        RateFormat, typer.Option("--output-format", help="How they are written.")
    ] = RateFormat.TEXT,
    config_file: Config = None,
) -> None:
    """Show the learning rate over the iterations that `caffe train` runs."""
    from nanlint.analysis.schedule import schedule, thinned, until_iteration
    from nanlint.report import rates as writer

    opened = _open(paths, _settings(config_file))
    plans: list[tuple[str, str, Schedule | None]] = []
    for one in opened.loaded:
        if one.solver is None:
            opened.failures.append(f"`{one.path}` is a net; the learning rate is set in the solver")
            continue
        plan = schedule(one.solver.param)
        plan = until_iteration(plan, until) if plan and until is not None else plan
        plans.append((one.path, one.solver.param.lr_policy, plan))
    if output_format is RateFormat.SVG or (output_format is RateFormat.TEXT and sys.stdout.isatty()):
        _draw([(path, plan) for path, _, plan in plans if plan], output_format)
    text = output_format is RateFormat.TEXT
    files = [
        (path, policy, list(thinned(plan, every or (max(1, plan.last // 20) if text else 1))) if plan else [])
        for path, policy, plan in plans
    ]
    if output_format is RateFormat.JSON:
        _print([writer.dumps(files)])
    elif output_format is RateFormat.CSV:
        _print([writer.comma_separated(files)])
    elif text:
        _print(writer.lines(files))
    _finish(opened.failures)


def _draw(plans: Sequence[tuple[str, Schedule]], output_format: RateFormat) -> None:
    from nanlint.report import plot

    curves = [plot.curve(path, plan, 400) for path, plan in plans]
    if output_format is RateFormat.SVG:
        _print([plot.as_svg(curves)])
        return
    picture = plot.on_terminal(curves, min(_width(), 100), 20, wants_colour(sys.stdout))
    if picture is None and any(one.points for one in curves):
        print("for a plot: pip install 'nanlint[plot]'", file=sys.stderr)
    _print([picture] if picture else [])


def explain(
    rule: Annotated[str, typer.Argument(metavar="RULE", show_default=False, help="A code or a name.")],
) -> None:
    """Say what a rule finds, why it matters, what Caffe does, and the fix."""
    from nanlint.engine.explain import explain as explained
    from nanlint.engine.select import one

    page = explained(one(rule))
    if not wants_colour(sys.stdout):
        _print([page])
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=_width()).print(Markdown(page))


def rules() -> None:
    """List every rule, one a line."""
    from nanlint.rules.registry import rules as every_rule

    _print(f"{one.code:9} {one.severity.value:8} {one.name:34} {one.summary}" for one in every_rule())


def _written(report: Report, output_format: Format, color: Colour) -> Iterable[str]:
    """The lines of a report in a format."""
    if output_format is Format.JSON:
        from nanlint.report.json import dumps

        return [dumps(report)]
    if output_format is Format.SARIF:
        from nanlint.report import sarif
        from nanlint.rules.registry import rules as every_rule

        return [sarif.dumps(report, every_rule())]
    if output_format is Format.CONCISE:
        from nanlint.report import concise

        return concise.lines(report)
    if output_format is Format.GITHUB:
        from nanlint.report import github

        return github.lines(report)
    from nanlint.report import text
    from nanlint.report.style import painter

    return text.lines(report, _width(), painter(wants_colour(sys.stdout, color.value)))


def _open(paths: list[str], settings: Settings) -> Opened:
    from nanlint.engine.load import open_all

    return open_all(paths, settings, stdin=sys.stdin.buffer.read() if "-" in paths else b"")


def _finish(failures: Sequence[str]) -> None:
    """Leave with status 2 if something could not be done."""
    _complain(failures)
    if failures:
        raise typer.Exit(WRONG)


def _width() -> int:
    from shutil import get_terminal_size

    return min(get_terminal_size((100, 24)).columns, 140)


def _settings(config_file: str | None, **given: object) -> Settings:
    found = config.read(Path(config_file)) if config_file else config.load(Path.cwd())
    return config.merge(found, **given)


def _words(given: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(word.strip() for words in given or () for word in words.split(",") if word.strip())


def _pairs(given: Sequence[str] | None, parse: Callable[[str], tuple[str, Value]]) -> dict[str, Value]:
    return dict(parse(words) for words in given or ())


def _print(lines: Iterable[str]) -> None:
    """Print to standard output; a reader that has gone away has what it wanted."""
    import os

    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(failures: Iterable[str]) -> None:
    for failure in failures:
        print(f"nanlint: {failure}", file=sys.stderr)


def _version(asked: bool) -> None:
    if asked:
        print(f"nanlint {__version__}")
        raise typer.Exit


COMMANDS: dict[str, Callable[..., None]] = {
    "check": check,
    "shapes": shapes,
    "lr": lr,
    "explain": explain,
    "rules": rules,
}


def _app() -> typer.Typer:
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Say what Caffe will do with a solver and its nets, where, why, and what to write instead.",
    )

    @app.callback()
    def nanlint(
        version: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
        ] = False,
    ) -> None: ...

    for name, command in COMMANDS.items():
        app.command(name)(command)
    return app


def main(arguments: Sequence[str]) -> None:
    """Run a command line, and leave with its exit status."""
    arguments = list(arguments)
    if arguments and arguments[0] not in (*COMMANDS, "-h", "--help", "--version"):
        arguments.insert(0, "check")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        _app()(arguments or ["--help"], prog_name="nanlint")
    except UsageError as wrong:
        print(f"nanlint: {wrong}", file=sys.stderr)
        sys.exit(WRONG)
    except Exception as error:
        import traceback

        traceback.print_exc()
        print(
            f"nanlint: internal error: {type(error).__name__}: {error}. Please report this", file=sys.stderr
        )
        sys.exit(WRONG)

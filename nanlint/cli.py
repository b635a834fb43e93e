"""The command line's options, each command handed to `nanlint.commands`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Annotated

import typer

from nanlint import __version__, commands


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


class GraphFormat(str, Enum):
    DOT = "dot"
    MERMAID = "mermaid"
    JSON = "json"


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
    _run(
        commands.check,
        paths=paths,
        output_format=output_format.value,
        fail_on=fail_on and fail_on.value,
        select=select,
        ignore=ignore,
        caffe=caffe,
        proto=proto,
        root=root,
        input_=input_,
        range_=range_,
        fix=fix,
        stdin_filename=stdin_filename,
        color=color.value,
        config_file=config_file,
    )


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
    _run(
        commands.shapes,
        paths=paths,
        output_format=output_format.value,
        caffe=caffe,
        proto=proto,
        root=root,
        input_=input_,
        config_file=config_file,
    )


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
    snapshot: Annotated[
        str | None,
        typer.Option("--snapshot", metavar="FILE", help="A .solverstate from which the run goes on."),
    ] = None,
    output_format: Annotated[
        RateFormat, typer.Option("--output-format", help="How they are written.")
    ] = RateFormat.TEXT,
    config_file: Config = None,
) -> None:
    """Show the learning rate over the iterations that `caffe train` runs."""
    _run(
        commands.lr,
        paths=paths,
        every=every,
        until=until,
        snapshot=snapshot,
        output_format=output_format.value,
        config_file=config_file,
    )


def graph(
    paths: Paths,
    output_format: Annotated[
        GraphFormat, typer.Option("--output-format", help="How they are written.")
    ] = GraphFormat.DOT,
    caffe: Caffe = None,
    root: Roots = None,
    input_: Inputs = None,
    config_file: Config = None,
) -> None:
    """Show nets as graphs of layers and blobs."""
    _run(
        commands.graph,
        paths=paths,
        output_format=output_format.value,
        caffe=caffe,
        root=root,
        input_=input_,
        config_file=config_file,
    )


def ranges(
    paths: Paths,
    output_format: Annotated[
        Table, typer.Option("--output-format", help="How they are written.")
    ] = Table.TEXT,
    caffe: Caffe = None,
    root: Roots = None,
    input_: Inputs = None,
    range_: Ranges = None,
    config_file: Config = None,
) -> None:
    """Show what every blob can hold in the first iteration: bounds, NaN, infinity."""
    _run(
        commands.ranges,
        paths=paths,
        output_format=output_format.value,
        caffe=caffe,
        root=root,
        input_=input_,
        range_=range_,
        config_file=config_file,
    )


def scale(
    paths: Paths,
    output_format: Annotated[
        Table, typer.Option("--output-format", help="How they are written.")
    ] = Table.TEXT,
    caffe: Caffe = None,
    root: Roots = None,
    input_: Inputs = None,
    config_file: Config = None,
) -> None:
    """Show how large activations, weights, gradients and the loss are at initialisation."""
    _run(
        commands.scale,
        paths=paths,
        output_format=output_format.value,
        caffe=caffe,
        root=root,
        input_=input_,
        config_file=config_file,
    )


def forks(
    paths: Paths,
    output_format: Annotated[
        Table, typer.Option("--output-format", help="How they are written.")
    ] = Table.TEXT,
    root: Roots = None,
    config_file: Config = None,
) -> None:
    """Show which forks of Caffe can read a solver with its nets, and what each other one lacks."""
    _run(commands.forks, paths=paths, output_format=output_format.value, root=root, config_file=config_file)


def explain(
    rule: Annotated[str, typer.Argument(metavar="RULE", show_default=False, help="A code or a name.")],
) -> None:
    """Say what a rule finds, why it matters, what Caffe does, and the fix."""
    _run(commands.explain, word=rule)


def rules() -> None:
    """List every rule, one a line."""
    _run(commands.rules)


def _run(command: Callable[..., int], **arguments: object) -> None:
    raise typer.Exit(commands.guarded(lambda: command(**arguments)))


def _version(asked: bool) -> None:
    if asked:
        print(f"nanlint {__version__}")
        raise typer.Exit


COMMANDS: dict[str, Callable[..., None]] = {
    "check": check,
    "shapes": shapes,
    "lr": lr,
    "graph": graph,
    "ranges": ranges,
    "scale": scale,
    "forks": forks,
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
    arguments = list(arguments) or ["--help"]
    if arguments[0] not in (*COMMANDS, "-h", "--help", "--version"):
        arguments.insert(0, "check")
    _app()(arguments, prog_name="nanlint")

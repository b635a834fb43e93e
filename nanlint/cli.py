"""The command line: each command's record of options as typer reads it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from enum import Enum
from inspect import Parameter, Signature
from typing import Annotated, Any

import typer

from nanlint import __version__
from nanlint.commands import COMMANDS, module
from nanlint.commands.console import guarded
from nanlint.options import Argument, Field, fields_of

_OF_THE_APP = ("-h", "--help", "--version", "--install-completion", "--show-completion")


def main(arguments: Sequence[str]) -> None:
    """Run a command line, and leave with its exit status."""
    arguments = list(arguments) or ["--help"]
    if arguments[0] not in (*COMMANDS, *_OF_THE_APP) and not completing():
        arguments.insert(0, COMMANDS[0])
    _app()(arguments, prog_name="nanlint")


def completing() -> bool:
    """Whether a shell asks for completions."""
    return "_NANLINT_COMPLETE" in os.environ


def _app() -> typer.Typer:
    app = typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Say what Caffe will do with a solver and its nets, where, why, and what to write instead.",
    )

    @app.callback()
    def nanlint(
        version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
    ) -> None: ...

    for name in COMMANDS:
        app.command(name)(_command(name))
    return app


def _version(asked: bool) -> None:
    if asked:
        print(f"nanlint {__version__}")
        raise typer.Exit


def _command(name: str) -> Callable[..., None]:
    """A function as typer wants it: a parameter an option, the docstring as help."""
    done = module(name)
    fields = fields_of(done.Options)

    def command(**given: Any) -> None:
        options = done.Options(**{field.name: _plain(given[field.name], field) for field in fields})
        raise typer.Exit(guarded(lambda: done.run(options)))

    parameters = [_parameter(field) for field in fields]
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = done.run.__doc__
    return command


def _parameter(field: Field) -> Parameter:
    default = Parameter.empty if field.needed else list(field.default) if field.repeated else field.default
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=_annotated(field))


def _annotated(field: Field) -> Any:
    spelt, kind = field.spelt, list[str] if field.repeated else field.type
    if isinstance(spelt, Argument):
        return Annotated[kind, typer.Argument(metavar=spelt.metavar, show_default=False, help=spelt.help)]
    if spelt.choices:
        choices = Enum(field.name, {choice: choice for choice in spelt.choices}, type=str)  # type: ignore[misc]
        kind = choices if field.default is not None else choices | None
    told = typer.Option(
        *spelt.names,
        metavar=spelt.metavar,
        min=spelt.least,
        show_default=bool(field.default) and not field.switch,
        help=spelt.help,
    )
    return Annotated[kind, told]


def _plain(value: Any, field: Field) -> Any:
    if isinstance(value, Enum):
        return value.value
    return tuple(value or ()) if field.repeated else value

"""What a call would lint, and with which settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Protocol

from nanlint.commands.console import show, status
from nanlint.commands.projects import Call, Project, projects
from nanlint.config import Settings
from nanlint.engine.excluding import excluder
from nanlint.engine.files import find


class Asking(Call, Protocol):
    @property
    def show_settings(self) -> bool: ...


def shown(options: Asking) -> int:
    """Print the files, or the settings as TOML under the configuration that they come from; the exit status."""
    made = projects(options)
    if options.show_settings:
        show(line for project in made for line in _settings(project.settings))
    else:
        show(path for project in made for path in _paths(project))
    return status(failure for project in made for failure in project.failures)


def _paths(project: Project) -> Iterator[str]:
    for given in find(project.inputs, skip=excluder(project.settings)).inputs:
        yield given.path


def _settings(settings: Settings) -> Iterator[str]:
    yield f"# from {settings.file}" if settings.file else "# no configuration file"
    tables = []
    for one in fields(Settings):
        name, value = one.name.replace("_", "-"), getattr(settings, one.name)
        if one.name == "file" or value is None:
            continue
        if isinstance(value, Mapping):
            tables.append((name, value))
        else:
            yield f"{name} = {_toml(value)}"
    for name, table in tables:
        if table:
            yield f"[{name}]"
            yield from (f"{json.dumps(key)} = {_toml(value)}" for key, value in table.items())


def _toml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)

"""The paths of a call by the configuration that holds for them: each file has that of its own folder, or above it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from nanlint import config
from nanlint.commands.calls import Record, with_call
from nanlint.config import Settings
from nanlint.engine.files import STDIN, Input, find


class Project(NamedTuple):
    """Settings, and the files for which they hold; `failures` say what of the paths could not be read."""

    settings: Settings
    inputs: Sequence[str | Input]
    failures: tuple[str, ...] = ()


class Call(Record, Protocol):
    """The options of a command that takes paths."""

    @property
    def paths(self) -> tuple[str, ...]: ...

    @property
    def config_file(self) -> str | None: ...

    @property
    def stdin_filename(self) -> str | None: ...


def projects(call: Call) -> list[Project]:
    """The call's files, by configuration; `--config` is that of all. Raises UsageError for one that is wrong."""
    if call.config_file:
        return [Project(with_call(config.read(Path(call.config_file)), call), call.paths)]
    found = _Found(call)
    for path in call.paths:
        if path == STDIN:
            found.add(path, Path(call.stdin_filename or path).parent)
        elif Path(path).is_dir():
            found.add_folder(path)
        else:
            found.add(path, Path(path).parent)
    return found.projects()


class _Found:
    """Configurations met so far, and what is theirs."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._settings: dict[Path | None, Settings] = {}
        self._inputs: dict[Path | None, list[str | Input]] = {}
        self._nearest: dict[Path, Path | None] = {}
        self._failures: list[str] = []

    def add(self, given: str | Input, folder: Path) -> None:
        self._inputs.setdefault(self._file(folder), []).append(given)

    def add_folder(self, path: str) -> None:
        from nanlint.engine.excluding import excluder

        own = self._file(Path(path))
        within = find((path,), skip=excluder(self._of(own)))
        self._failures += within.failures
        self._inputs.setdefault(own, [])
        for given in within.inputs:
            theirs = self._file(Path(given.path).parent)
            if theirs == own or not excluder(self._of(theirs))(given.path, False):
                self._inputs.setdefault(theirs, []).append(given)

    def projects(self) -> list[Project]:
        made = [Project(self._of(file), inputs) for file, inputs in self._inputs.items() if inputs]
        if not made:
            return [Project(self._of(next(iter(self._inputs), None)), (), tuple(self._failures))]
        return [made[0]._replace(failures=tuple(self._failures)), *made[1:]]

    def _file(self, folder: Path) -> Path | None:
        """The configuration nearest to a folder, else to the working directory."""
        here = folder.resolve()
        if here not in self._nearest:
            self._nearest[here] = config.nearest(here) or config.nearest_here()
        return self._nearest[here]

    def _of(self, file: Path | None) -> Settings:
        if file not in self._settings:
            self._settings[file] = with_call(config.read(file) if file else Settings(), self._call)
        return self._settings[file]

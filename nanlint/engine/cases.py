"""A rule's example in one file: the bad lines with -, the good lines with +, everything else in both.

`examples/README.md` describes the format for those who write one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from nanlint import config, engine
from nanlint.config import Settings
from nanlint.findings import Report

SOLVER, NET, CONFIGURATION = "solver.prototxt", "net.prototxt", "nanlint.toml"
SUFFIX = ".case"

_CALL = "$ nanlint "
_FILE = "=== "
_MAKER = " from "


class Part(NamedTuple):
    """One file of a case. With a `maker` its text says what `case_data` makes of it."""

    name: str
    text: str
    maker: str = ""


class Case(NamedTuple):
    """The files of both sides, and the paths that are linted."""

    paths: tuple[str, ...]
    bad: tuple[Part, ...]
    good: tuple[Part, ...]


def folder() -> Path:
    """Where the cases are: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "examples" / "cases"
    return installed if installed.is_dir() else package.parent / "examples" / "cases"


def find(name: str) -> Case | None:
    """The case of a rule, by the rule's name."""
    path = folder() / (name + SUFFIX)
    return read(path) if path.is_file() else None


def read(path: Path) -> Case:
    """A case, with the shared solver and net where it has none. Raises ValueError for what is no case."""
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    called = lines and lines[0].startswith(_CALL)
    paths = tuple(lines.pop(0).removeprefix(_CALL).split()) if called else (SOLVER,)
    bad, good = (_parts(path, [*_side(lines, mark)]) for mark in "-+")
    if bad == good:
        raise ValueError(f"{path}: no line begins with - or +, so bad and good are the same")
    return Case(paths, bad, good)


def lint(case: Case, parts: tuple[Part, ...]) -> Report:
    """What nanlint says of one side, with paths as in the case.

    Raises ModuleNotFoundError where data is to be made and the library that writes it is not installed.
    """
    with TemporaryDirectory(prefix="nanlint-") as place:
        write(parts, Path(place))
        with working_in(Path(place)):
            own = Path(CONFIGURATION)
            return engine.check(case.paths, config.read(own) if own.is_file() else Settings())


def write(parts: tuple[Part, ...], place: Path) -> None:
    """Write one side's files into a folder."""
    for part in parts:
        path = place / part.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if part.maker:
            from nanlint.engine.case_data import make

            make(part.maker, part.text, path)
        else:
            path.write_bytes(part.text.encode())


def _side(lines: list[str], mark: str) -> Iterator[str]:
    """The lines of one side, without their marks."""
    for line in lines:
        if line[:1] not in ("-", "+"):
            yield line
        elif line[0] == mark:
            yield line[1:]


def _parts(path: Path, lines: list[str]) -> tuple[Part, ...]:
    headed: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith(_FILE):
            headed.append((line.removeprefix(_FILE).strip(), []))
            continue
        if not headed:
            headed.append((SOLVER, []))
        headed[-1][1].append(line)
    parts: dict[str, Part] = {}
    for heading, body in headed:
        name, _, maker = heading.partition(_MAKER)
        if name in parts:
            raise ValueError(f"{path}: `{name}` is there twice")
        if os.path.isabs(name) or ".." in Path(name).parts:  # noqa: PTH117
            raise ValueError(f"{path}: `{name}` is outside the case's own folder")
        parts[name] = Part(name, "".join(line + "\n" for line in body), maker)
    for shared in {SOLVER, NET} - {*parts}:
        parts[shared] = Part(shared, (path.parent / shared).read_text(encoding="utf-8"))
    return tuple(parts[name] for name in sorted(parts))


@contextmanager
def working_in(place: Path) -> Iterator[None]:
    """Makes a folder the working directory for a while."""
    before = Path.cwd()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(before)

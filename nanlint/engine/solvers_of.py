"""The solvers that name a net, looked for where people keep them: beside it, and above it up to the project's root."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from nanlint.caffe.named_files import find_net
from nanlint.engine.files import SUFFIX
from nanlint.safety.reading import read_regular

_NAMES_A_NET = re.compile(rb"""^[ \t]*(?:train_|test_)?net[ \t]*:[ \t]*(?:"([^"\n]+)"|'([^'\n]+)')""", re.MULTILINE)
_LAYER = re.compile(rb"\blayers?\s*\{")
_LARGEST = 64 * 1024
_MOST_FILES, _MOST_SOLVERS = 400, 8
_ROOTS = (".git", "nanlint.toml", "pyproject.toml")


class Solvers:
    """The solvers of the folders that were looked into, each read once."""

    def __init__(self) -> None:
        self._in_folder: dict[Path, list[tuple[str, tuple[str, ...]]]] = {}

    def of(self, net: str, roots: tuple[str, ...] = ()) -> list[str]:
        """The paths of the solvers that lead to a net, by path; none for a net that is no file."""
        identity = os.path.realpath(net)
        if not Path(identity).is_file():
            return []
        found: list[str] = []
        for folder in _folders(Path(net).absolute().parent):
            for solver, written in self._solvers(folder):
                paths = (find_net(one, solver, roots) for one in written if Path(one).name == Path(net).name)
                if any(path is not None and os.path.realpath(path) == identity for path in paths):
                    found.append(solver)
        return found[:_MOST_SOLVERS]

    def _solvers(self, folder: Path) -> list[tuple[str, tuple[str, ...]]]:
        if folder not in self._in_folder:
            self._in_folder[folder] = list(_solvers_in(folder))
        return self._in_folder[folder]


def _solvers_in(folder: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    try:
        names = sorted(one.name for one in os.scandir(folder) if one.name.endswith(SUFFIX))[:_MOST_FILES]
    except OSError:
        return
    for name in names:
        path = folder / name
        try:
            data = read_regular(path) if path.stat().st_size <= _LARGEST else b""
        except OSError:
            continue
        written = tuple((one or other).decode("utf-8", "replace") for one, other in _NAMES_A_NET.findall(data))
        if written and not _LAYER.search(data):
            yield _shown(path), written


def _folders(beside: Path) -> Iterator[Path]:
    """A folder and those above it, up to the root of its project; the folder alone where there is no such root."""
    above = [beside, *beside.parents]
    last = next((i for i, folder in enumerate(above) if any((folder / name).exists() for name in _ROOTS)), 0)
    yield from above[: last + 1]


def _shown(path: Path) -> str:
    """A path as the call would name it: relative to the working directory where it lies below."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith(os.pardir + os.sep) else str(path)

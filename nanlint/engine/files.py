"""The files of a run: found under what was given, and told apart as solvers and nets."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from nanlint.safety.reading import reason
from nanlint.schema.descriptors import descriptor
from nanlint.schema.resemblance import misspelt
from nanlint.text.tree import Block, Document

Skip = Callable[[str, bool], bool]
"""Whether to leave out a path; the second argument says whether it is a folder."""

STDIN = "-"
SUFFIX = ".prototxt"

_LOOKED_AT = 20


class Kind(Enum):
    SOLVER = "solver"
    NET = "net"
    OTHER = "other"


class Input(NamedTuple):
    """One file to read. `listed`: the call named it; else it was found in a folder."""

    path: str
    listed: bool = True


class Found(NamedTuple):
    """What the given paths hold, in order, and what is wrong with them."""

    inputs: tuple[Input, ...]
    failures: tuple[str, ...]


def find(
    paths: Iterable[str | Input],
    known: Callable[[str], bool] = lambda path: False,
    skip: Skip = lambda path, folder: False,
) -> Found:
    """The prototxts under the given files and folders; folders named with a leading dot are left out.

    `known`: files that need not be on the disk. `skip`: what to leave out of folders. An Input is taken as it is.
    """
    inputs: list[Input] = []
    failures: list[str] = []
    for path in paths:
        if isinstance(path, Input):
            inputs.append(path)
            continue
        if path == STDIN or known(path):
            inputs.append(Input(path))
            continue
        try:
            folder = stat.S_ISDIR(Path(path).stat().st_mode)
        except (OSError, ValueError) as wrong:
            failures.append(f"cannot read `{path}`: {reason(wrong)}")
            continue
        if not folder:
            inputs.append(Input(path))
            continue
        unread: list[str] = []
        within = [Input(file, listed=False) for file in _walk(path, unread, skip)]
        failures += unread
        if not within and not unread:
            failures.append(f"no `*{SUFFIX}` in the folder `{path}`")
        inputs += within
    return Found(tuple(inputs), tuple(failures))


def classify(document: Document, path: str) -> Kind:
    """Whether a file is a solver or a net, by the names of its fields; else by its own name.

    OTHER is a file with fields of which neither a solver nor a net has any, or one that comes near.
    """
    names = {field.name for field in document.root.fields if field.name.isascii()}
    if any(_opens_block(document.root, name) for name in ("layer", "layers")):
        return Kind.NET
    solver = sum(name in descriptor("SolverParameter").fields_by_name for name in names)
    net = sum(name in descriptor("NetParameter").fields_by_name for name in names - {"name"})
    strange = solver == net == 0 and names - {"name"} and not document.faults
    if strange and not any(map(misspelt, sorted(names)[:_LOOKED_AT])):
        return Kind.OTHER
    if solver == net:
        return Kind.SOLVER if "solver" in os.path.basename(path).lower() else Kind.NET  # noqa: PTH119
    return Kind.SOLVER if solver > net else Kind.NET


def _opens_block(root: Block, name: str) -> bool:
    return any(field.name == name and any(isinstance(v, Block) for v in field.values) for field in root.fields)


def _walk(folder: str, unread: list[str], skip: Skip) -> Iterator[str]:
    def note(wrong: OSError) -> None:
        unread.append(f"cannot read `{wrong.filename}`: {reason(wrong)}")

    for parent, folders, files in os.walk(folder, onerror=note):
        inner = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in inner if not skip(os.path.join(parent, name), True)]  # noqa: PTH118
        for name in sorted(files):
            path = os.path.normpath(os.path.join(parent, name))  # noqa: PTH118
            if name.endswith(SUFFIX) and not skip(path, False):
                yield path

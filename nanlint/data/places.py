"""Where a name in a net leads: as Caffe would look it up, then where its solver's paths are looked up.

This module starts no reader; a run whose nets have no data beside them imports no more than this.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from nanlint.safety.reading import is_there, mode


class Found(NamedTuple):
    """Where a source lies, and the folder from which the names inside it are looked up; both absolute, since the
    reader has a working directory of its own.
    """

    path: str
    root: str


class Places:
    """The folders from which the relative paths of a net are tried: the working directory, those of the files that
    name it, their ancestors, and more roots.
    """

    def __init__(self, files: tuple[str, ...], roots: tuple[str, ...] = ()) -> None:
        self.files, self.roots = files, roots

    def find(self, name: str) -> Found | None:
        """The first place where there is such a file or folder."""
        if not name:
            return None
        if os.path.isabs(name):  # noqa: PTH117
            return Found(name, os.getcwd()) if is_there(name) else None  # noqa: PTH109
        for root in self._roots():
            path = os.path.join(root, name)  # noqa: PTH118
            if is_there(path):
                return Found(os.path.abspath(path), os.path.abspath(root))  # noqa: PTH100
        return None

    def _roots(self) -> Iterator[str]:
        yield ""
        for file in self.files:
            folder = os.path.dirname(file)  # noqa: PTH120
            yield folder
        for file in self.files:
            above = os.path.dirname(os.path.realpath(file))  # noqa: PTH120
            while above != (parent := os.path.dirname(above)):  # noqa: PTH120
                above = parent
                yield above
        yield from self.roots


def refusal(path: str) -> str | None:
    """Why a path is no file or folder to read: a device, a pipe, a socket."""
    found = mode(path)
    if stat.S_ISREG(found) or stat.S_ISDIR(found):
        return None
    return "a pipe" if stat.S_ISFIFO(found) else "a socket" if stat.S_ISSOCK(found) else "a device"

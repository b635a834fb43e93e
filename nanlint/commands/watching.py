"""Lint again whenever a file changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from nanlint.commands.console import OK, tell
from nanlint.config import UsageError

SUFFIXES = (".prototxt", ".toml", ".txt", ".json")


class Run(Protocol):
    @property
    def files(self) -> tuple[str, ...]: ...


def watch(run: Callable[[], Run], paths: Sequence[str]) -> int:
    """Run once, and again after each change beside the files that were read, until the terminal interrupts.

    Raises UsageError where watchfiles is not installed.
    """
    try:
        from watchfiles import watch as changes
    except ModuleNotFoundError as missing:
        raise UsageError("`--watch` needs watchfiles: pip install 'nanlint[follow]'") from missing
    while True:
        read = run().files
        folders = {_folder(path) for path in (*paths, *read)} - {None}
        tell(f"watching {len(read)} file{'' if len(read) == 1 else 's'}; Ctrl-C ends it")
        seen = frozenset(os.path.realpath(path) for path in read)
        wanted = changes(
            *(folder for folder in folders if folder is not None),
            watch_filter=lambda _, path, seen=seen: path in seen or path.endswith(SUFFIXES),  # type: ignore[misc]
            raise_interrupt=False,
        )
        if next(wanted, None) is None:
            return OK


def _folder(path: str) -> Path | None:
    """The folder to watch for a path; None where there is none."""
    place = Path(path)
    place = place if place.is_dir() else place.parent
    return place if place.is_dir() else None

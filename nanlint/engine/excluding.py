"""What is left out where a folder is linted: the project's `exclude`, and what git ignores."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nanlint.config import Settings, UsageError
from nanlint.engine.files import Skip
from nanlint.safety.reading import is_there, read_regular

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


def excluder(settings: Settings) -> Skip:
    """The project's own rule of what to leave out. Patterns are read as git reads them in `.gitignore`.

    Raises UsageError for a pattern in `exclude` that is none; one in `.gitignore` is passed over, as git does.
    """
    own: list[tuple[str, GitIgnoreSpec]] = []
    if settings.exclude:
        home = Path(settings.file).parent if settings.file else Path.cwd()
        own.append((str(home.resolve()), _spec(settings.exclude, strict=True)))
    ignored: dict[str, list[tuple[str, GitIgnoreSpec]]] = {}

    def skip(path: str, folder: bool) -> bool:
        full = os.path.abspath(path)  # noqa: PTH100
        specs = own
        if settings.respect_gitignore:
            specs = own + _of_git(os.path.dirname(full), ignored)  # noqa: PTH120
        left_out = False
        for base, spec in specs:
            inner = os.path.relpath(full, base).replace(os.sep, "/")
            verdict = None if inner.startswith("../") else spec.check_file(inner + "/" * folder).include
            left_out = left_out if verdict is None else verdict
        return left_out

    return skip


def _of_git(folder: str, known: dict[str, list[tuple[str, GitIgnoreSpec]]]) -> list[tuple[str, GitIgnoreSpec]]:
    """The `.gitignore` files that hold in a folder, the outermost first; none outside of a repository."""
    if folder not in known:
        within = _repository(folder)
        chain = [] if within is None else [folder, *map(str, Path(folder).parents)]
        chain = chain[: chain.index(within) + 1] if within is not None else []
        known[folder] = [(one, _read(one)) for one in reversed(chain) if is_there(os.path.join(one, ".gitignore"))]  # noqa: PTH118
    return known[folder]


def _repository(folder: str) -> str | None:
    here = Path(folder)
    return next((str(one) for one in (here, *here.parents) if is_there(one / ".git")), None)


def _read(folder: str) -> GitIgnoreSpec:
    try:
        text = read_regular(os.path.join(folder, ".gitignore")).decode("utf-8", "replace")  # noqa: PTH118
    except OSError:
        text = ""
    return _spec(text.splitlines(), strict=False)


def _spec(lines: Iterable[str], strict: bool) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    given = list(lines)
    read = [line for line in given if _is_pattern(line)]
    if strict and read != given:
        wrong = next(line for line in given if not _is_pattern(line))
        raise UsageError(f"exclude: `{wrong}` is no pattern of a `.gitignore`; take it out")
    return GitIgnoreSpec.from_lines(read)


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True

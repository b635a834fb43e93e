"""The file in which a project says once what its runs are to do.

`nanlint.toml`, or the table `[tool.nanlint]` of `pyproject.toml`, looked for in a folder and up its parents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nanlint.config.keys import KEYS
from nanlint.config.settings import Settings, UsageError, suggestion
from nanlint.safety.reading import is_regular, read_named, read_regular, reason

OWN, SHARED = "nanlint.toml", "pyproject.toml"

_PATHS = ("proto", "baseline", "extend")


def load(start: Path) -> Settings:
    """The settings of the nearest configuration file in `start` or above; the defaults where there is none.

    Raises UsageError for a file that is not TOML, an unknown key, or a value of the wrong kind.
    """
    found = nearest(start)
    return read(found) if found else Settings()


def nearest(start: Path) -> Path | None:
    """The configuration file in a folder or above it. Raises UsageError for a `pyproject.toml` that is not TOML."""
    for folder in (start, *start.parents):
        own, shared = folder / OWN, folder / SHARED
        if is_regular(own):
            return own
        if is_regular(shared) and "nanlint" in _toml(shared).get("tool", {}):
            return shared
    return None


def nearest_here() -> Path | None:
    """The configuration file that holds in the working directory; None too where that exists no more."""
    try:
        here = Path.cwd()
    except OSError:
        return None
    return nearest(here)


def read(path: Path, _within: tuple[Path, ...] = ()) -> Settings:
    """The settings of one configuration file, on top of what it extends. Raises UsageError as `load` does."""
    table = _toml(path, named=not _within)
    if path.name == SHARED:
        table = table.get("tool", {}).get("nanlint", {})
    if not isinstance(table, dict):
        raise UsageError(f"{path}: `nanlint` is not a table; write `[tool.nanlint]`")
    values = {key: _value(key, value, path) for key, value in table.items()}
    base = Settings()
    if "extend" in values:
        extended = Path(values.pop("extend"))
        if extended.resolve() in (path.resolve(), *_within):
            raise UsageError(f"{_at(path, 'extend')}: `extend` leads back to `{extended}`; take it out of one of them")
        base = read(extended, (*_within, path.resolve()))
    changes = {key.replace("-", "_"): value for key, value in values.items()}
    for name, value in changes.items():
        if isinstance(value, Mapping):
            changes[name] = {**getattr(base, name), **value}
    return replace(base, **changes, file=str(path))


def _value(key: str, value: object, path: Path) -> Any:
    known = KEYS.get(key)
    if known is None:
        near = suggestion(key, KEYS)
        raise UsageError(f"{_at(path, key)}: unknown key `{key}`{near or '; the keys are ' + ', '.join(KEYS)}")
    try:
        read = known.read(value)
    except (TypeError, ValueError) as wrong:
        raise UsageError(f"{_at(path, key)}: `{key}` should be {wrong}") from wrong
    if key in _PATHS:
        return str(path.parent / read)
    return tuple(str(path.parent / root) for root in read) if key == "roots" else read


def _at(path: Path, key: str) -> str:
    """`nanlint.toml:3`: the file and, where it can be told, the line of a key."""
    pattern = re.compile(rf"\s*(?:[\"']?{re.escape(key)}[\"']?\s*=|\[(?:tool\.nanlint\.)?{re.escape(key)}\])")
    lines = read_regular(path).decode("utf-8").splitlines() if is_regular(path) else []
    return next((f"{path}:{number}" for number, line in enumerate(lines, 1) if pattern.match(line)), str(path))


def _toml(path: Path, named: bool = False) -> dict[str, Any]:
    """The tables of a file. What the call names may be a pipe, what a file names is regular. Raises UsageError."""
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        data = read_named(path) if named else read_regular(path)
    except OSError as wrong:
        raise UsageError(f"cannot read `{path}`: {reason(wrong)}") from wrong
    try:
        return tomllib.loads(data.decode("utf-8"))
    except ValueError as wrong:
        raise UsageError(f"{path}: {wrong}") from wrong

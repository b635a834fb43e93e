"""What a run is asked to do, and the file in which a project says so once.

`nanlint.toml`, or the table `[tool.nanlint]` of `pyproject.toml`, looked for in a folder and up its parents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

SEVERITIES = ("error", "warning", "info")
DATA = ("full", "sample", "no")


class UsageError(Exception):
    """The call or the configuration is wrong: exit status 2, with this message."""


@dataclass(frozen=True)
class Settings:
    """One run's choices.

    `select` and `ignore` hold codes, code prefixes (`POOL`) or names of rules; an empty `select` is all.
    `caffe` pins the Caffe that will run the files; `proto` is a fork's own schema. `inputs` gives shapes
    to blobs that the files leave open, `ranges` the least and greatest value that a data blob holds. `data` says how
    much is read of the data beside the nets, `scheduler` on which Dask cluster.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str = "warning"
    caffe: str | None = None
    proto: str | None = None
    roots: tuple[str, ...] = ()
    data: str = "sample"
    scheduler: str = ""
    inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    baseline: str | None = None


def load(start: Path) -> Settings:
    """The settings of the nearest configuration file in `start` or above; the defaults where there is none.

    Raises UsageError for a file that is not TOML, an unknown key, or a value of the wrong kind.
    """
    for folder in (start, *start.parents):
        own = folder / "nanlint.toml"
        if own.is_file():
            return read(own)
        shared = folder / "pyproject.toml"
        if shared.is_file() and "nanlint" in (tables := _toml(shared).get("tool", {})):
            return _settings(tables["nanlint"], shared)
    return Settings()


def read(path: Path) -> Settings:
    """The settings of one configuration file."""
    tables = _toml(path)
    if path.name == "pyproject.toml":
        tables = tables.get("tool", {}).get("nanlint", {})
    return _settings(tables, path)


def merge(settings: Settings, **given: object) -> Settings:
    """The settings with what the call gives on top: tables and roots are added to, the rest is replaced.

    What is None or empty was not given.
    """
    changes: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or value in ((), {}):
            continue
        before = getattr(settings, name)
        if isinstance(value, Mapping):
            value = {**before, **value}
        elif name == "roots":
            value = (*before, *value)  # type: ignore[misc]
        changes[name] = value
    return replace(settings, **changes)


def parse_input(words: str) -> tuple[str, tuple[int, ...]]:
    """`data:64,3,227,227` as the blob's name and shape. Raises UsageError."""
    name, _, sizes = words.rpartition(":")
    try:
        shape = tuple(int(size) for size in sizes.split(","))
    except ValueError:
        shape = (-1,)
    if not name or min(shape) < 0:
        raise UsageError(f"`--input {words}` is not of the form `data:64,3,227,227`")
    return name, shape


def parse_range(words: str) -> tuple[str, tuple[float, float]]:
    """`data:0,255` as the blob's name and its least and greatest value. Raises UsageError."""
    name, _, bounds = words.rpartition(":")
    try:
        low, high = (float(bound) for bound in bounds.split(","))
    except ValueError:
        low, high = 1.0, 0.0
    if not name or not low <= high:
        raise UsageError(f"`--range {words}` is not of the form `data:0,255`, the least value first")
    return name, (low, high)


def suggestion(word: str, known: Iterable[str]) -> str:
    """` (did you mean `x`?)` where a known word is near, else nothing."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), 1)
    return f" (did you mean `{near[0]}`?)" if near else ""


def _toml(path: Path) -> dict[str, Any]:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise UsageError(f"{path}: {wrong}") from wrong


def _settings(table: object, path: Path) -> Settings:
    known = {spec.name.replace("_", "-"): spec.name for spec in fields(Settings)}
    if not isinstance(table, dict):
        raise UsageError(f"{path}: `nanlint` is not a table")
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise UsageError(f"{path}: unknown key `{key}`{suggestion(key, known)}")
        try:
            values[known[key]] = _READERS[key](value)
        except (TypeError, ValueError) as wrong:
            raise UsageError(f"{path}: `{key}` should be {wrong}") from wrong
    if "roots" in values:
        values["roots"] = tuple(str(path.parent / root) for root in values["roots"])
    for name in ("proto", "baseline"):
        if name in values:
            values[name] = str(path.parent / values[name])
    return Settings(**values)


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a string")
    return value


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise TypeError("a list of strings")
    return tuple(value)


def _severity(value: object) -> str:
    if value not in SEVERITIES:
        raise ValueError("one of " + ", ".join(f'"{name}"' for name in SEVERITIES))
    return str(value)


def _reading(value: object) -> str:
    if value not in DATA:
        raise ValueError("one of " + ", ".join(f'"{name}"' for name in DATA))
    return str(value)


def _shape(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(size) is int and size >= 0 for size in value):
        raise TypeError("a table of shapes, such as data = [64, 3, 227, 227]")
    return tuple(value)


def _bounds(value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2 or not all(type(n) in (int, float) for n in value):
        raise TypeError("a table of value ranges, such as data = [0, 255]")
    return float(value[0]), float(value[1])


def _table(reader: Callable[[object], Any]) -> Callable[[object], dict[str, Any]]:
    def read_table(value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise TypeError("a table")
        return {name: reader(item) for name, item in value.items()}

    return read_table


_READERS: dict[str, Callable[[object], Any]] = {
    "select": _words,
    "ignore": _words,
    "fail-on": _severity,
    "data": _reading,
    "scheduler": _word,
    "caffe": _word,
    "baseline": _word,
    "proto": _word,
    "roots": _words,
    "inputs": _table(_shape),
    "ranges": _table(_bounds),
    "per-file-ignores": _table(_words),
}

"""What a run is asked to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

SEVERITIES = ("error", "warning", "info")
DATA = ("full", "sample", "no")
OFF = "off"


class UsageError(Exception):
    """The call or the configuration is wrong: exit status 2, with this message."""


@dataclass(frozen=True)
class Settings:
    """One run's choices.

    `select` and `ignore` hold codes, code prefixes (`POOL`) or names of rules; an empty `select` is all.
    `caffe` pins the Caffe that will run the files; `proto` is a fork's own schema. `deploy` names the
    deploy nets of a solver, `target` the program that shall use them. `inputs` gives shapes
    to blobs that the files leave open, `ranges` the least and greatest value that a data blob holds. `data` says how
    much is read of the data beside the nets, `scheduler` on which Dask cluster. `severity` holds what the project
    says of rules, or OFF; `plugins` name rules of other packages; `exclude` holds patterns of files that are left out
    where a folder is linted, as in `.gitignore` and seen from the folder of `file`, the configuration of all this.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str = "warning"
    caffe: str | None = None
    proto: str | None = None
    deploy: tuple[str, ...] = ()
    target: str | None = None
    roots: tuple[str, ...] = ()
    data: str = "sample"
    scheduler: str = ""
    inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    severity: Mapping[str, str] = field(default_factory=dict)
    baseline: str | None = None
    exclude: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    respect_gitignore: bool = True
    file: str | None = field(default=None, compare=False)


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

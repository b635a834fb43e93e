"""What a call's options ask for: the settings of its run, and the files that its paths lead to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nanlint import config
from nanlint.commands.console import is_closed
from nanlint.config import Settings, UsageError
from nanlint.safety.reading import read_stream, reason

if TYPE_CHECKING:
    from nanlint.engine.load import Opened


class Record(Protocol):
    """The options of any command."""

    def _asdict(self) -> dict[str, Any]: ...


def settings(options: Record) -> Settings:
    """The configuration nearest to the call's first file with what the call says on top. Raises UsageError."""
    given = options._asdict()
    if given.get("config_file"):
        return with_call(config.read(Path(given["config_file"])), options)
    paths = [path for path in given.get("paths", ()) if path != "-"] or [given.get("stdin_filename") or "."]
    first = Path(paths[0]).resolve()
    found = config.nearest(first if first.is_dir() else first.parent) or config.nearest_here()
    return with_call(config.read(found) if found else Settings(), options)


def with_call(found: Settings, options: Record) -> Settings:
    """A configuration with what the call says on top. Raises UsageError."""
    given = options._asdict()
    return config.merge(found, **{name: read(given[name]) for name, read in _READERS.items() if name in given})


def open_paths(paths: Sequence[str], settings: Settings, stdin_name: str | None = None) -> Opened:
    """Solvers and nets, loaded; `-` is standard input, and `stdin_name` the path of what it holds."""
    from nanlint.engine.load import open_all

    return open_all(paths, settings, stdin=standard_input(paths), stdin_name=stdin_name or "<stdin>")


def standard_input(paths: Sequence[object]) -> bytes:
    """What standard input holds, if the call reads it. Raises UsageError where that is too much, or no file."""
    if "-" not in paths:
        return b""
    if is_closed("stdin"):
        raise UsageError("cannot read standard input: it is closed")
    try:
        return read_stream(sys.stdin.buffer, "-")
    except OSError as wrong:
        raise UsageError(f"cannot read standard input: {reason(wrong)}") from wrong


def _as_given(value: Any) -> Any:
    return value


def _words(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(word.strip() for words in given for word in words.split(",") if word.strip())


def _pairs(parse: Callable[[str], tuple[str, Any]]) -> Callable[[Iterable[str]], dict[str, Any]]:
    return lambda given: dict(parse(words) for words in given)


_READERS: dict[str, Callable[[Any], Any]] = {
    "select": _words,
    "ignore": _words,
    "fail_on": _as_given,
    "baseline": _as_given,
    "caffe": _as_given,
    "proto": _as_given,
    "deploy": _as_given,
    "target": _as_given,
    "roots": _as_given,
    "data": _as_given,
    "inputs": _pairs(config.parse_input),
    "ranges": _pairs(config.parse_range),
}

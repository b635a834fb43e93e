"""Which Caffe can read a file, and what stands in the way of each other one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nanlint.caffe.forks import BVLC, Need, able
from nanlint.report.json import encode
from nanlint.schema.fork_names import REPOSITORIES

_SHOWN = 3


def dumps(files: Iterable[tuple[str, Sequence[Need]]]) -> str:
    """Paths with the forks that can read them, and for each other fork what it lacks."""
    return encode({"version": 1, "files": [_file(path, needs) for path, needs in files]})


def _file(path: str, needs: Sequence[Need]) -> dict[str, object]:
    readers = able(needs)
    return {
        "path": path,
        "readers": [name for name in _names() if name in readers],
        "others": [
            {"fork": name, "lacks": [_lacking(need) for need in needs if name not in need.readers]}
            for name in _names()
            if name not in readers
        ],
    }


def _lacking(need: Need) -> dict[str, object]:
    start = need.place.start
    return {
        "what": need.what.replace("`", ""),
        "path": need.place.source.path,
        "line": start.line,
        "column": start.column,
    }


def lines(files: Iterable[tuple[str, Sequence[Need]]]) -> Iterator[str]:
    for path, needs in files:
        readers = able(needs)
        yield f"{path}: read by {', '.join(name for name in _names() if name in readers) or 'no known Caffe'}"
        for lacking, names in _by_lack(needs).items():
            words = [f"{need.what} ({_where(need, path)})" for need in lacking[:_SHOWN]]
            more = f" and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
            yield f"  {', '.join(words)}{more}: not in {', '.join(names)}"


def _by_lack(needs: Sequence[Need]) -> dict[tuple[Need, ...], list[str]]:
    """The forks that lack the same, by what they lack."""
    found: dict[tuple[Need, ...], list[str]] = {}
    for name in _names():
        lacking = tuple(need for need in needs if name not in need.readers)
        if lacking:
            found.setdefault(lacking, []).append(name)
    return found


def _where(need: Need, path: str) -> str:
    return f"line {need.place.start.line}" if need.place.source.path == path else str(need.place)


def _names() -> tuple[str, ...]:
    return (BVLC, *REPOSITORIES)

"""The keys of a configuration file, each with its reader, its JSON Schema and what it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from nanlint.config.settings import DATA, OFF, SEVERITIES
from nanlint.schema.targets import TARGETS


class Key(NamedTuple):
    """`read` takes a value of TOML, and raises TypeError or ValueError with what it should be."""

    read: Callable[[object], Any]
    schema: dict[str, Any]
    help: str


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a string")
    return value


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise TypeError("a list of strings")
    return tuple(value)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return value


def _severity_or_off(value: object) -> str:
    if value not in (*SEVERITIES, OFF):
        names = ", ".join(f'"{name}"' for name in (*SEVERITIES, OFF))
        raise ValueError(f"a table of severities, each one of {names}")
    return str(value)


def _severity(value: object) -> str:
    if value not in SEVERITIES:
        raise ValueError("one of " + ", ".join(f'"{name}"' for name in SEVERITIES))
    return str(value)


def _reading(value: object) -> str:
    if value not in DATA:
        raise ValueError("one of " + ", ".join(f'"{name}"' for name in DATA))
    return str(value)


def _target(value: object) -> str:
    if value not in TARGETS:
        raise ValueError("one of " + ", ".join(f'"{name}"' for name in TARGETS))
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


_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}


def _of(values: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values}


KEYS: dict[str, Key] = {
    "extend": Key(_word, _STRING, "A configuration to begin with; what stands here goes on top."),
    "select": Key(_words, _STRINGS, "Only these rules: codes, the letters that codes begin with, or names."),
    "ignore": Key(_words, _STRINGS, "Without these rules."),
    "severity": Key(
        _table(_severity_or_off),
        _of({"enum": [*SEVERITIES, OFF]}),
        "The severity of rules in this project; off is never.",
    ),
    "fail-on": Key(_severity, {"enum": [*SEVERITIES]}, "The least severity that gives exit status 1."),
    "per-file-ignores": Key(_table(_words), _of(_STRINGS), "Rules that are ignored in files whose path matches."),
    "exclude": Key(_words, _STRINGS, "Files and folders that are left out of folders, as in .gitignore."),
    "respect-gitignore": Key(_switch, {"type": "boolean"}, "Whether what git ignores is left out of folders."),
    "baseline": Key(_word, _STRING, "The file that lists the findings that are accepted."),
    "plugins": Key(_words, _STRINGS, "Rules of other packages: names of entry points of the group nanlint.rules."),
    "caffe": Key(_word, _STRING, "The Caffe that will run the files; bvlc is exactly 1.0."),
    "proto": Key(_word, _STRING, "A fork's own caffe.proto."),
    "deploy": Key(_words, _STRINGS, "The deploy nets of a solver, where they do not lie beside it."),
    "target": Key(_target, {"enum": [*TARGETS]}, "The program that shall use the nets: what it does not read."),
    "roots": Key(_words, _STRINGS, "Folders where the paths in a solver begin."),
    "data": Key(_reading, {"enum": [*DATA]}, "How much is read of the data beside the nets."),
    "scheduler": Key(_word, _STRING, "The address of a Dask cluster that reads the data."),
    "inputs": Key(
        _table(_shape),
        _of({"type": "array", "items": {"type": "integer", "minimum": 0}}),
        "Shapes of blobs that depend on data.",
    ),
    "ranges": Key(
        _table(_bounds),
        _of({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
        "The least and greatest value that a data blob holds.",
    ),
}

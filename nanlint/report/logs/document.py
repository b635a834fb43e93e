"""A log as JSON: one object, its rows a line each, written as they are counted."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from nanlint.logs.finding import LogFinding
from nanlint.logs.model import FirstBad, Log, Run
from nanlint.logs.series import Outputs, Series

_ROWS_AT_ONCE = 4096


def parts(log: Log, findings: Sequence[LogFinding]) -> Iterator[str]:
    """The document in pieces, to be printed one after the other."""
    losses = log.losses.iterations
    head = {
        "version": 1,
        "file": log.path,
        "encoding": log.encoding,
        "prefix": log.prefix,
        "lead": log.lead,
        "runs": [_run(run) for run in log.runs],
        "iterations": [losses[0], losses[-1]] if losses else None,
    }
    yield json.dumps(head, indent=1).removesuffix("\n}") + ","
    yield from _table("losses", _pairs(log.losses))
    yield from _table("lr", _pairs(log.rates))
    yield from _table("outputs", _outputs(log.outputs))
    yield from _table("tests", _tests(log.tests))
    tail = {
        "outcome": log.runs[-1].outcome.value if log.runs else "cut",
        "failure": _failure(log),
        "first_bad": _first_bad(log.first_bad) if log.first_bad else None,
        "findings": [_finding(one) for one in findings],
    }
    yield json.dumps(tail, indent=1).removeprefix("{\n")


def _table(name: str, rows: Iterator[str]) -> Iterator[str]:
    """An array of rows as JSON, a few thousand rows a piece."""
    first = next(rows, None)
    if first is None:
        yield f' "{name}": [],'
        return
    before = f' "{name}": [\n  {first}'
    while more := list(islice(rows, _ROWS_AT_ONCE)):
        yield before + ","
        before = "  " + ",\n  ".join(more)
    yield before + "\n ],"


def _pairs(series: Series) -> Iterator[str]:
    return (f"[{iteration}, {number(value)}]" for iteration, value in series.rows())


def _outputs(rows: Outputs) -> Iterator[str]:
    names = _encoded(rows)
    columns = zip(rows.iterations, rows.indices, rows.named, rows.values, strict=True)
    return (f"[{iteration}, {index}, {names[name]}, {number(value)}]" for iteration, index, name, value in columns)


def _tests(rows: Outputs) -> Iterator[str]:
    names = _encoded(rows)
    columns = zip(rows.iterations, rows.nets, rows.indices, rows.named, rows.values, strict=True)
    return (f"[{it}, {net}, {index}, {names[name]}, {number(value)}]" for it, net, index, name, value in columns)


def _encoded(rows: Outputs) -> list[str]:
    return [json.dumps(name) for name in rows.names]


def number(value: float) -> str:
    """A number as JSON can hold it: what is not finite is a string."""
    return repr(value) if math.isfinite(value) else f'"{value}"'


def _run(run: Run) -> dict[str, Any]:
    return {
        "start_line": run.start_line,
        "from_iteration": run.from_iteration,
        "max_iter": run.max_iter,
        "display": run.display,
        "outcome": run.outcome.value,
    }


def _failure(log: Log) -> dict[str, Any] | None:
    if log.failure is None:
        return None
    return {"file": log.failure.file, "line": log.failure.line, "message": log.failure.message}


def _first_bad(bad: FirstBad) -> dict[str, Any]:
    return {
        "iteration": bad.iteration,
        "phase": bad.phase,
        "pass": bad.step,
        "layer": bad.layer,
        "blob": bad.blob,
        "value": str(bad.value),
        "line": bad.line,
        "after_iteration": bad.shown_before,
    }


def _finding(one: LogFinding) -> dict[str, Any]:
    return {
        "cause": one.cause,
        "severity": one.severity.value,
        "message": one.message,
        "layer": one.layer,
        "iteration": one.iteration,
        "line": one.line,
        "rule": one.rule,
        "told": one.told,
    }

"""What the blobs of a net can hold, as a table or JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from nanlint.analysis.ranges import Ranges, ranges
from nanlint.caffe.model import Blob, Net
from nanlint.numbers.values import Value
from nanlint.report.json import encode
from nanlint.report.table import table


def dumps(files: Sequence[tuple[str, Sequence[Net]]]) -> str:
    """Per blob the bounds in the first iteration, and what of NaN and infinity can be and surely is there."""
    return encode(
        {"version": 1, "files": [{"path": path, "nets": [_net(net) for net in nets]} for path, nets in files]}
    )


def lines(files: Sequence[tuple[str, Sequence[Net]]], width: int) -> Iterator[str]:
    heads = ("layer", "blob", "least", "greatest", "holds", "gradient")
    for path, nets in files:
        for net in nets:
            got = ranges(net)
            rows = [_row(blob, got) for blob in net.blobs]
            yield f"{path}: {net.phase} net of {net.path}, first iteration"
            yield from table(heads, rows, width, right=(2, 3))
            yield ""


def _row(blob: Blob, got: Ranges) -> tuple[str, ...]:
    value = got.values[blob]
    gradient = got.grads.get(blob)
    low, high = (f"{bound:.6g}" if value.known else "?" for bound in (value.low, value.high))
    slope = "" if gradient is None else _holds(gradient) or "finite"
    return blob.producer.name, blob.name, low, high, _holds(value), slope


def _holds(value: Value) -> str:
    words = []
    if value.surely_nan:
        words.append("NaN")
    elif value.nan:
        words.append("perhaps NaN")
    if value.surely_infinite:
        words.append("infinity")
    if not value.known:
        words.append("unknown data")
    if value.equal and value.known:
        words.append("one value")
    if value.axis is not None:
        words.append("probabilities")
    return ", ".join(words)


def _net(net: Net) -> dict[str, Any]:
    got = ranges(net)
    blobs = [
        {
            "layer": blob.producer.name,
            "blob": blob.name,
            "value": _value(got.values[blob]),
            "gradient": _value(got.grads[blob]) if blob in got.grads else None,
        }
        for blob in net.blobs
    ]
    return {"phase": net.phase, "source": net.path, "blobs": blobs}


def _value(value: Value) -> dict[str, Any]:
    return {
        "known": value.known,
        "low": _number(value.low) if value.known else None,
        "high": _number(value.high) if value.known else None,
        "may_be_nan": value.nan,
        "surely_nan": value.surely_nan,
        "surely_infinite": value.surely_infinite,
    }


def _number(number: float) -> float | str:
    return number if math.isfinite(number) else str(number)

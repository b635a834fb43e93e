"""Learning rates over the iterations: JSON for programs, lines for people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from nanlint.caffe.float32 import f32
from nanlint.report.json import encode

Rates = Sequence[tuple[int, float]]


def dumps(files: Iterable[tuple[str, str, Rates]]) -> str:
    """Paths with their policy and its rates, as the command line promises them."""
    return encode(
        {
            "version": 1,
            "files": [
                {
                    "path": path,
                    "policy": policy,
                    "rates": [[iteration, number(rate)] for iteration, rate in rates],
                }
                for path, policy, rates in files
            ],
        }
    )


def number(rate: float) -> float | str:
    """A rate as JSON can hold it, with no more digits than it needs; `nan`, `inf`, `-inf` as strings."""
    if not math.isfinite(rate):
        return str(rate)
    short = (float(f"{rate:.{digits}g}") for digits in range(6, 9))
    return next((value for value in short if f32(value) == rate), float(f"{rate:.9g}"))


def lines(files: Iterable[tuple[str, str, Rates]]) -> Iterator[str]:
    for path, policy, rates in files:
        yield f"{path}: {policy}"
        for iteration, rate in rates:
            yield f"{iteration:>12}  {number(rate)}"

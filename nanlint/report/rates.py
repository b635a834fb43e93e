"""Learning rates over the iterations: JSON and CSV for programs, a table for people."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence

from nanlint.numbers.float32 import shortest
from nanlint.report.json import encode

Rates = Sequence[tuple[int, float]]
File = tuple[str, str, Rates]
"""A solver's path, its policy, and iterations with their rates."""


def dumps(files: Iterable[File]) -> str:
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


def comma_separated(files: Iterable[File]) -> str:
    """One row an iteration: path, iteration, rate."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(("path", "iteration", "rate"))
    rows.writerows((path, iteration, number(rate)) for path, _, rates in files for iteration, rate in rates)
    return written.getvalue().rstrip("\n")


def number(rate: float) -> float | str:
    """A rate as JSON can hold it: nan and the infinities are strings, a number has the digits it needs."""
    return shortest(rate) if math.isfinite(rate) else str(rate)


def lines(files: Iterable[File]) -> Iterator[str]:
    """A table a solver."""
    for path, policy, rates in files:
        yield f"{path}: {policy}" if rates else f"{path}: {policy or 'no policy'}, no iteration"
        for iteration, rate in rates:
            yield f"{iteration:>12}  {number(rate)}"

"""Hold the forecast of rates against nets trained in Caffe, and fit what is fitted: on one half, told of the other.

    python benchmarks/rates.py CASES.jsonl.gz [--data FOLDER] [--every N] [--seed S]

A case holds a net, a solver with `{base_lr}` in the rate's place, the name of its database in FOLDER, `good`, the
largest rate that trained, and `bad`, the next one up. Fitted is a shift for each optimiser, which gains nothing on
the other half, so none is made, and the spread (SPREAD of nanlint/analysis/forecast.py); the table says how many
alarms and false alarms each factor above the forecast gives (ALARM of nanlint/rules/blowup.py).
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import statistics
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from nanlint.analysis.forecast import forecast
from nanlint.caffe.solver import solver_type
from nanlint.config import Settings
from nanlint.engine.load import open_all

QUIET, LOUD = (0.1, 1 / 3, 1.0), (3.0, 10.0, 100.0)


class Tried(NamedTuple):
    """One case: its optimiser, log10 of good and bad, and of the forecast (None: unknown, and why)."""

    optimiser: str
    good: float
    bad: float
    said: float | None
    unknown: str | None

    @property
    def middle(self) -> float:
        return (self.good + self.bad) / 2


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("cases", type=Path)
    asked.add_argument("--data", type=Path)
    asked.add_argument("--every", type=int, default=1)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    with gzip.open(given.cases, "rt") as lines:
        cases = [json.loads(line) for line in lines][:: given.every]
    found = [tried(case, given.data) for case in cases]
    for reason in sorted({one.unknown for one in found if one.unknown}):
        print(f"unknown: {reason}")
    known = [one for one in found if one.said is not None]
    order = list(known)
    random.Random(given.seed).shuffle(order)
    half, other = order[: len(order) // 2], order[len(order) // 2 :]
    shift = shifts(half)
    print("shift fitted on one half:", {kind: round(value, 2) for kind, value in shift.items()})
    for name, part in (("the half", half), ("the other", other), ("all", known)):
        print(f"{name:10} as it is: {within(part, {})}   shifted: {within(part, shift)}")
    print("nine of ten lie within", round(quantile([abs(missed(one, {})) for one in known]), 2), "decades")
    for factor in (1.5, 2, 2.5, 3, 4, 6):
        print(f"alarm above {factor:<4} forecast: {alarms(other, math.log10(factor))}")


def tried(case: dict[str, str], data: Path | None) -> Tried:
    """The forecast of one case; without `data` from its files alone."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "train_val.prototxt").write_text(case["net"])
        (home / "solver.prototxt").write_text(case["solver"].replace("{base_lr}", f"{case['good']:.6g}"))
        if data is not None:
            (home / "train_lmdb").symlink_to((data / case["data"]).resolve())
        solver = open_all([str(home / "solver.prototxt")], Settings()).loaded[0].solver
    assert solver is not None
    assert solver.train_net is not None
    said = forecast(solver, solver.train_net)
    rate = None if said.rate is None else math.log10(said.rate)
    good, bad = math.log10(float(case["good"])), math.log10(float(case["bad"]))
    return Tried(solver_type(solver.param), good, bad, rate, said.unknown)


def missed(one: Tried, shift: dict[str, float]) -> float:
    """Decades between the forecast and the middle of good and bad."""
    assert one.said is not None
    return one.said + shift.get(one.optimiser, 0.0) - one.middle


def shifts(half: Sequence[Tried]) -> dict[str, float]:
    """What takes the median of each optimiser to 0."""
    kinds = {one.optimiser for one in half}
    return {
        kind: -statistics.median(missed(one, {}) for one in half if one.optimiser == kind) for kind in sorted(kinds)
    }


def within(part: Sequence[Tried], shift: dict[str, float]) -> str:
    off = [abs(missed(one, shift)) for one in part]
    three, ten = (100 * sum(one <= math.log10(times) for one in off) / len(off) for times in (3, 10))
    return f"{len(off)} cases, {three:.0f} % within 3, {ten:.0f} % within 10"


def alarms(part: Sequence[Tried], above: float) -> str:
    rung = [one.bad + math.log10(times) > (one.said or 0) + above for one in part for times in LOUD]
    false = [one.good + math.log10(times) > (one.said or 0) + above for one in part for times in QUIET]
    return f"{share(rung):.1f} % of the rates too high, {share(false):.1f} % of those that train"


def share(rung: Iterable[bool]) -> float:
    every = list(rung)
    return 100 * sum(every) / len(every)


def quantile(values: Sequence[float]) -> float:
    return sorted(values)[int(0.9 * len(values))]


if __name__ == "__main__":
    main()

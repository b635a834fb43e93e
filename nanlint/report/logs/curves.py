"""Loss and rate of a run as a picture: in characters, or drawn by matplotlib."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import NamedTuple

from nanlint.logs.model import Log, Run
from nanlint.logs.series import Series

_MOST_POINTS = 2000
_LOG_FROM = 100.0
"""The ratio of the largest value to the smallest from which an axis is logarithmic."""


class Line(NamedTuple):
    """Finite values over iterations."""

    label: str
    iterations: list[int]
    values: list[float]


def loss_of(log: Log, run: Run) -> Line:
    return _line("loss", log.losses, run.losses_from)


def rate_of(log: Log, run: Run) -> Line:
    return _line("learning rate", log.rates, run.rates_from)


def scores_of(log: Log, run: Run) -> list[Line]:
    """A line for each test output."""
    lines: dict[tuple[int, int], Line] = {}
    tests = log.tests
    for row in range(run.tests_from, len(tests)):
        key = (tests.nets[row], tests.indices[row])
        line = lines.get(key)
        if line is None:
            if len(lines) >= 12:
                continue
            line = lines[key] = Line(f"test #{key[0]} {tests.name(row) or key[1]}", [], [])
        if math.isfinite(tests.values[row]):
            line.iterations.append(tests.iterations[row])
            line.values.append(tests.values[row])
    return [line for line in lines.values() if line.values]


def _line(label: str, series: Series, start: int) -> Line:
    """The finite rows, thinned to so many that a picture can show, the extremes of each step kept."""
    rows = [row for row in series.rows(start) if math.isfinite(row[1])]
    step = max(1, len(rows) * 2 // _MOST_POINTS)
    kept: list[tuple[int, float]] = []
    for at in range(0, len(rows), step):
        part = rows[at : at + step]
        kept += sorted({min(part, key=lambda row: row[1]), max(part, key=lambda row: row[1])}) if step > 1 else part
    return Line(label, [row[0] for row in kept], [row[1] for row in kept])


def logarithmic(values: Sequence[float]) -> bool:
    return bool(values) and min(values) > 0 and max(values) / min(values) >= _LOG_FROM


def on_terminal(log: Log, width: int, height: int, colour: bool) -> str | None:
    """The last run's loss, and its rate where that changes; None without points, or without the plotting library."""
    run = log.runs[-1]
    loss, rate = loss_of(log, run), rate_of(log, run)
    if len(loss.values) < 2:
        return None
    try:
        import plotext
    except ImportError:
        return None
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    plotext.plot(loss.iterations, loss.values, marker="braille", label="loss")
    if logarithmic(loss.values):
        plotext.yscale("log", "left")
    if len(set(rate.values)) > 1:
        plotext.plot(rate.iterations, rate.values, marker="dot", label="learning rate", yside="right")
        if logarithmic(rate.values):
            plotext.yscale("log", "right")
    bad = run.first_bad_trained
    if bad is not None:
        plotext.vline(bad.iteration)
    plotext.xlabel("iteration" + (f"; the line marks the first {bad.value} at {bad.iteration}" if bad else ""))
    picture: str = plotext.build()
    return picture if colour else str(plotext.uncolorize(picture))


def drawn(log: Log, form: str) -> bytes:
    """The last run as `png` or `svg`: loss and rate, and the test scores below. Raises ImportError."""
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "nanlint"
    from matplotlib import pyplot

    run = log.runs[-1]
    loss, rate, scores = loss_of(log, run), rate_of(log, run), scores_of(log, run)
    figure, rows = pyplot.subplots(2 if scores else 1, 1, sharex=True, squeeze=False, figsize=(9, 7 if scores else 4.5))
    top = rows[0][0]
    top.plot(loss.iterations, loss.values, color="#1f77b4", linewidth=1)
    top.set_ylabel("loss", color="#1f77b4")
    if logarithmic(loss.values):
        top.set_yscale("log")
    if rate.values:
        other = top.twinx()
        other.step(rate.iterations, rate.values, where="post", color="#d62728", linewidth=1)
        other.set_ylabel("learning rate", color="#d62728")
        if logarithmic(rate.values):
            other.set_yscale("log")
    for line in scores:
        rows[1][0].plot(line.iterations, line.values, linewidth=1, marker=".", label=line.label.replace("$", r"\$"))
    if scores:
        rows[1][0].legend(loc="best", fontsize="small")
    bad = run.first_bad_trained
    for row in rows:
        row[0].grid(alpha=0.3)
        if bad is not None:
            row[0].axvline(bad.iteration, color="black", linestyle="--", linewidth=1)
    if bad is not None:
        top.set_title(f"first {bad.value} at iteration {bad.iteration}", fontsize="medium")
    rows[-1][0].set_xlabel("iteration")
    figure.tight_layout()
    written = io.BytesIO()
    figure.savefig(written, format=form, metadata={"Date": None} if form == "svg" else None)
    pyplot.close(figure)
    return written.getvalue()

"""Small charts beside the picture: the learning rate, the loss of a log, the labels of the data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from nanlint.analysis.schedule import schedule
from nanlint.report import plot
from nanlint.view.draw import safe

if TYPE_CHECKING:
    from nanlint.caffe.model import Solver
    from nanlint.data.beside import Beside
    from nanlint.logs.model import Log

_POINTS = 400
_MOST_BARS = 24
_WIDTH, _ROW, _NAME = 400, 16, 90


def charts(solver: Solver | None, beside: Beside | None, log: Log | None) -> str:
    """All that there is to draw, each under its heading, as HTML."""
    return "".join([*_rate(solver), *_loss(log), *_labels(beside)])


def _rate(solver: Solver | None) -> Iterator[str]:
    plan = schedule(solver.param) if solver is not None else None
    if plan is not None and plan.last >= 0:
        yield f"<h2>Learning rate</h2>{plot.as_svg([plot.curve('', plan, _POINTS)])}"


def _loss(log: Log | None) -> Iterator[str]:
    """The finite losses of a log; where they end in others, the figure beside says where."""
    if log is None:
        return
    rows = [(iteration, value) for iteration, value in log.losses.rows() if math.isfinite(value)]
    if not rows:
        return
    thinned = rows[:: max(1, len(rows) // _POINTS)]
    curve = plot.Curve("", tuple(thinned), (), geometric=min(value for _, value in rows) > 0)
    yield f"<h2>Loss in {safe(log.path, 60)}</h2>{plot.as_svg([curve])}"


def _labels(beside: Beside | None) -> Iterator[str]:
    for source in beside.sources if beside is not None else ():
        counts = source.account.boxes or next((top.values for top in reversed(source.tops) if top.values), None)
        if counts is None or source.layer is None or len(counts) < 2:
            continue
        whose = f"{safe(source.layer.name, 40)} ({source.phase}, {source.account.read:,} records read)"
        yield f"<h2>Labels of {whose}</h2>{_bars(counts)}"


def _bars(counts: Mapping[float, int]) -> str:
    """A bar a label, the most frequent ones where there are many, in the order of the labels."""
    most = sorted(counts.items(), key=lambda pair: -pair[1])[:_MOST_BARS]
    largest = most[0][1] or 1
    rows = []
    for number, (label, count) in enumerate(sorted(most)):
        y, width = number * _ROW, (_WIDTH - _NAME - 70) * count / largest
        rows.append(
            f'<text x="{_NAME - 8}" y="{y + 12}" text-anchor="end">{label:g}</text>'
            f'<rect x="{_NAME}" y="{y + 3}" width="{max(1.0, width):.0f}" height="10"/>'
            f'<text x="{_NAME + width + 6:.0f}" y="{y + 12}">{count:,}</text>'
        )
    left = len(counts) - len(most)
    more = f"<p>and {left} labels that are rarer</p>" if left else ""
    size = f'width="{_WIDTH}" height="{len(most) * _ROW}"'
    return f'<svg class="bars" viewBox="0 0 {_WIDTH} {len(most) * _ROW}" {size}>{"".join(rows)}</svg>{more}'

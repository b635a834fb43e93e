"""Learning rates as a picture: on a terminal, or as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import NamedTuple

from nanlint.analysis.schedule import Schedule, thinned

Point = tuple[int, float]

_MOST_MARKS = 24
_LOG_FROM = 100.0
"""The ratio of the largest rate to the smallest from which the axis of rates is logarithmic."""

_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 800, 400, 80, 40, 20, 20


class Curve(NamedTuple):
    """One schedule as points that can be drawn. `marks`: where it steps. `geometric`: it falls by factors."""

    label: str
    points: tuple[Point, ...]
    marks: tuple[Point, ...]
    geometric: bool


def curve(label: str, of: Schedule, resolution: int) -> Curve:
    """The finite rates of a run at about `resolution` iterations, and at each step."""
    every = max(1, (of.last + 1) // resolution)
    points = tuple((it, rate) for it, rate in thinned(of, every) if math.isfinite(rate))
    steps = []
    for change in of.changes():
        steps.append(change)
        if len(steps) > _MOST_MARKS:
            steps = []
            break
    marks = tuple((it, of.rate(it)) for it in steps if math.isfinite(of.rate(it)))
    return Curve(label, points, marks, of.policy in ("step", "multistep", "exp"))


def on_terminal(curves: Sequence[Curve], width: int, height: int, colour: bool) -> str | None:
    """A plot in characters; None where there is nothing to draw, or the plotting library is missing."""
    drawn = [one for one in curves if one.points]
    if not drawn:
        return None
    try:
        import plotext
    except ImportError:
        return None
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    if _logarithmic(drawn):
        plotext.yscale("log")
    for one in drawn:
        label = one.label if len(drawn) > 1 else None
        plotext.plot(*zip(*one.points, strict=True), label=label, marker="braille")
        if one.marks:
            plotext.scatter(*zip(*one.marks, strict=True), marker="o")
    last = max(one.points[-1][0] for one in drawn)
    plotext.xticks(sorted({last * quarter // 4 for quarter in range(5)}))
    plotext.xlabel("iteration")
    plotext.ylabel("learning rate")
    picture: str = plotext.build()
    return picture if colour else str(plotext.uncolorize(picture))


def as_svg(curves: Iterable[Curve]) -> str:
    """A picture of its own, with the iterations of the steps as tooltips."""
    drawn = [one for one in curves if one.points]
    last = max((point[0] for one in drawn for point in one.points), default=1) or 1
    across = _scale(0, last, _LEFT, _WIDTH - _RIGHT)
    rates = [point[1] for one in drawn for point in one.points] or [0.0, 1.0]
    log = _logarithmic(drawn)
    low, high = (min(rates), max(rates)) if log else (min(0.0, *rates), max(0.0, *rates))
    bend: Callable[[float], float] = math.log10 if log else float
    up = _scale(bend(low), bend(high), _HEIGHT - _BOTTOM, _TOP)
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<path d="M{_LEFT},{_TOP} V{_HEIGHT - _BOTTOM} H{_WIDTH - _RIGHT}" fill="none" stroke="black"/>',
        f'<text x="{_LEFT - 6}" y="{up(bend(high)) + 4:.1f}" text-anchor="end">{high:.4g}</text>',
        f'<text x="{_LEFT - 6}" y="{up(bend(low)) + 4:.1f}" text-anchor="end">{low:.4g}</text>',
        f'<text x="{_LEFT}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">0</text>',
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="end">{last}</text>',
    ]
    for index, one in enumerate(drawn):
        colour = _COLOURS[index % len(_COLOURS)]
        path = " ".join(f"{across(it):.1f},{up(bend(rate)):.1f}" for it, rate in one.points)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        body += [
            f'<circle cx="{across(it):.1f}" cy="{up(bend(rate)):.1f}" r="3" fill="{colour}">'
            f"<title>iteration {it}: {rate:.6g}</title></circle>"
            for it, rate in one.marks
        ]
        body.append(
            f'<text x="{_WIDTH - _RIGHT}" y="{_TOP + 14 * (index + 1)}" text-anchor="end" fill="{colour}">'
            f"{escape(one.label)}</text>"
        )
    return "\n".join([*body, "</svg>"])


def _logarithmic(curves: Sequence[Curve]) -> bool:
    rates = [rate for one in curves for _, rate in one.points]
    spread = bool(rates) and min(rates) > 0 and max(rates) / min(rates) >= _LOG_FROM
    return spread and all(one.geometric for one in curves)


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    span = high - low or 1.0
    return lambda value: start + (value - low) / span * (end - start)

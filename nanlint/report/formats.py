"""The formats in which findings are written, each with its writer; a writer is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from nanlint.report.style import Paint

if TYPE_CHECKING:
    from nanlint.findings import Report


class Look(NamedTuple):
    """How wide text may be, and its colours."""

    width: int
    paint: Paint


class Format(NamedTuple):
    """`lines` gives the report as lines to print. `coloured`: it may want colour; `data`: it is for programs."""

    lines: Callable[[Report, Look], Iterable[str]]
    coloured: bool = False
    data: bool = False


def _text(report: Report, look: Look) -> Iterable[str]:
    if not report.findings:
        from nanlint.report.summary import summary

        return summary(report, look.width, look.paint)
    from nanlint.report import text

    return text.lines(report, look.width, look.paint)


def _concise(report: Report, look: Look) -> Iterable[str]:
    from nanlint.report import concise

    return concise.lines(report)


def _json(report: Report, look: Look) -> Iterable[str]:
    from nanlint.report import json

    return [json.dumps(report)]


def _github(report: Report, look: Look) -> Iterable[str]:
    from nanlint.report import github

    return github.lines(report)


def _sarif(report: Report, look: Look) -> Iterable[str]:
    from nanlint.report import sarif
    from nanlint.rules.registry import rules

    return [sarif.dumps(report, rules())]


FORMATS: dict[str, Format] = {
    "text": Format(_text, coloured=True),
    "concise": Format(_concise),
    "json": Format(_json, data=True),
    "github": Format(_github, data=True),
    "sarif": Format(_sarif, data=True),
}

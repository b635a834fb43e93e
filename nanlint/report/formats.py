"""The formats in which findings are written, each with its writer; a writer is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from nanlint.report.style import Paint

if TYPE_CHECKING:
    from nanlint.findings import Report


class Look(NamedTuple):
    """How wide text may be, its colours, and whether it ends without a summary."""

    width: int
    paint: Paint
    quiet: bool = False


class Format(NamedTuple):
    """`lines` gives the report as lines to print. `coloured`: it may want colour; `data`: it is for programs."""

    lines: Callable[[Report, Look], Iterable[str]]
    coloured: bool = False
    data: bool = False


def _text(report: Report, look: Look) -> Iterable[str]:
    if not report.findings:
        from nanlint.report.summary import summary

        return [] if look.quiet else summary(report, look.width, look.paint)
    from nanlint.report import text

    return text.lines(report, look.width, look.paint, quiet=look.quiet)


def _concise(report: Report, look: Look) -> Iterable[str]:
    from nanlint.report import concise
    from nanlint.report.summary import summary

    return [*concise.lines(report), *([] if look.quiet else summary(report, look.width, look.paint))]


def _json(report: Report, look: Look) -> Iterable[str]:
    from nanlint.report import json

    return [json.dumps(report)]


def _json_lines(report: Report, look: Look) -> Iterable[str]:
    from nanlint.report import json

    return json.lines(report)


def _junit(report: Report, look: Look) -> Iterable[str]:
    from nanlint.report import junit

    return [junit.dumps(report)]


def _gitlab(report: Report, look: Look) -> Iterable[str]:
    from nanlint.report import gitlab

    return [gitlab.dumps(report)]


def _rdjson(report: Report, look: Look) -> Iterable[str]:
    from nanlint.report import rdjson

    return [rdjson.dumps(report)]


def _azure(report: Report, look: Look) -> Iterable[str]:
    from nanlint.report import azure

    return azure.lines(report)


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
    "jsonl": Format(_json_lines, data=True),
    "github": Format(_github, data=True),
    "sarif": Format(_sarif, data=True),
    "gitlab": Format(_gitlab, data=True),
    "azure": Format(_azure, data=True),
    "junit": Format(_junit, data=True),
    "rdjson": Format(_rdjson, data=True),
}

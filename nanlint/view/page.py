"""One self-contained HTML page of a solver or net: the picture, the findings in it, and what is known of each layer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from nanlint.caffe.model import Layer, Net
from nanlint.findings import Finding, Report, Severity
from nanlint.view import facts
from nanlint.view.charts import charts
from nanlint.view.draw import Marks, fragment, safe, style
from nanlint.view.fold import folded, plain
from nanlint.view.nodes import picture

if TYPE_CHECKING:
    from nanlint.engine.load import Loaded
    from nanlint.logs.finding import LogFinding
    from nanlint.logs.model import Log

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""The page asks for nothing from anywhere."""


class Run(NamedTuple):
    """What a log adds: its numbers, and what was found in it."""

    log: Log
    findings: Sequence[LogFinding]


def page(of: Loaded, report: Report, run: Run | None = None) -> str:
    """The page of a solver or net as HTML, with a log of its training or none.

    The same nets, findings and logs give the same bytes.
    """
    solver, nets = of.solver, of.nets
    texts = facts.Texts()
    only = facts.only_in(nets)
    marked = [*_marks(report.findings), *(_marks_of_log(run.findings) if run else ())]
    views = _distinct([_view(net, marked, only, texts) for net in nets])
    told: dict[str, Any] = {
        "findings": [*facts.findings(report.findings), *(facts.of_log(run.log.path, run.findings) if run else ())],
        "nets": [{"phases": view.phases, "layers": view.layers} for view in views],
        "texts": texts.all,
    }
    drawings = "\n".join(
        f'<section class="drawing" data-net="{number}" data-fold="{fold}"{" hidden" if number or not fold else ""}>'
        f"{drawing}</section>"
        for number, view in enumerate(views)
        for fold, drawing in ((1, view.folded), (0, view.plain))
        if drawing
    )
    tabs = "".join(
        f'<button role="tab" data-net="{number}" aria-selected="{"false" if number else "true"}">'
        f"{escape(' and '.join(view.phases))}</button>"
        for number, view in enumerate(views)
    )
    summaries = "".join(
        f'<p class="summary" data-net="{number}"{" hidden" if number else ""}>'
        f"{escape('; '.join(facts.summary(solver, view.net)))}</p>"
        for number, view in enumerate(views)
    )
    return _file("page.html").format(
        policy=_POLICY,
        title=safe(of.path, 120),
        style=style() + _file("page.css"),
        tabs=tabs,
        drawings=drawings or "<p>no net could be read</p>",
        summaries=summaries,
        charts=charts(solver, of.beside, run.log if run else None),
        told=_json(told),
        script=_file("page.js"),
    )


class _View(NamedTuple):
    """A net as the page shows it: its drawings (`plain` is empty where nothing is folded) and rows of its layers."""

    net: Net
    phases: list[str]
    folded: str
    plain: str
    layers: list[list[Any]]


def _view(net: Net, marked: Sequence[_Mark], only: Mapping[Layer, str], texts: facts.Texts) -> _View:
    sizes = facts.sizes(net)
    marks = Marks(severities(net, marked), sizes, only)
    drawn = picture(net)
    small = folded(drawn)
    all_of_it = fragment(plain(drawn), marks) if small.groups else ""
    return _View(net, [net.role or net.phase], fragment(small, marks), all_of_it, facts.layers(net, sizes, texts))


def _distinct(views: Sequence[_View]) -> list[_View]:
    """The views, phases of which nothing is different as one."""
    kept: list[_View] = []
    for view in views:
        like = next((one for one in kept if one[2:] == view[2:]), None)
        if like is None:
            kept.append(view)
        else:
            like.phases.extend(view.phases)
    return kept


class _Mark(NamedTuple):
    """A layer that a finding names, in a phase or in all."""

    layer: str
    phase: str | None
    severity: Severity


def _marks(found: Iterable[Finding]) -> list[_Mark]:
    return [_Mark(one.layer, one.phase, one.severity) for one in found if one.layer is not None]


def _marks_of_log(found: Iterable[LogFinding]) -> list[_Mark]:
    return [_Mark(one.layer, None, one.severity) for one in found if one.layer is not None]


def severities(net: Net, marked: Sequence[_Mark]) -> dict[Layer, str]:
    """The layers of a net that findings name, each with the worst one's severity."""
    worst: dict[str, Severity] = {}
    for one in marked:
        if one.phase in (None, net.phase) and (one.layer not in worst or one.severity.rank > worst[one.layer].rank):
            worst[one.layer] = one.severity
    return {layer: worst[layer.name].value for layer in net.layers if layer.name in worst}


def _json(told: dict[str, Any]) -> str:
    """JSON that no `</script>` in a name can end."""
    text = json.dumps(told, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")

"""One self-contained HTML page of a solver or net: the picture, the findings in it, and what is known of each layer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any, NamedTuple

from nanlint.caffe.model import Layer, Net, Solver
from nanlint.findings import Finding, Report
from nanlint.view import facts
from nanlint.view.draw import Marks, fragment, safe, style
from nanlint.view.fold import folded, plain
from nanlint.view.nodes import picture

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""The page asks for nothing from anywhere."""


def page(path: str, solver: Solver | None, nets: Sequence[Net], report: Report) -> str:
    """The page as HTML. The same nets and findings give the same bytes."""
    texts = facts.Texts()
    only = facts.only_in(nets)
    views = _distinct([_view(net, report, only, texts) for net in nets])
    told: dict[str, Any] = {
        "findings": facts.findings(report.findings),
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
        title=safe(path, 120),
        style=style() + _file("page.css"),
        tabs=tabs,
        drawings=drawings or "<p>no net could be read</p>",
        summaries=summaries,
        curve=_curve(path, solver),
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


def _view(net: Net, report: Report, only: Mapping[Layer, str], texts: facts.Texts) -> _View:
    sizes = facts.sizes(net)
    marks = Marks(severities(net, report.findings), sizes, only)
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


def severities(net: Net, found: Sequence[Finding]) -> dict[Layer, str]:
    """The layers of a net that findings name, each with the worst one's severity."""
    worst: dict[str, Finding] = {}
    for one in found:
        if one.layer is None or one.phase not in (None, net.phase):
            continue
        if one.layer not in worst or one.severity.rank > worst[one.layer].severity.rank:
            worst[one.layer] = one
    return {layer: worst[layer.name].severity.value for layer in net.layers if layer.name in worst}


def _curve(path: str, solver: Solver | None) -> str:
    """The learning rate over the run, if there is a solver that has one."""
    from nanlint.analysis.schedule import schedule
    from nanlint.report import plot

    plan = schedule(solver.param) if solver is not None else None
    if plan is None or plan.last < 0:
        return ""
    return f"<h2>Learning rate</h2>{plot.as_svg([plot.curve('', plan, 400)])}"


def _json(told: dict[str, Any]) -> str:
    """JSON that no `</script>` in a name can end."""
    text = json.dumps(told, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")

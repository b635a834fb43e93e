"""What a hover shows: a layer, a blob, a field, a rate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from nanlint.caffe.model import TRAIN, Layer
from nanlint.engine.place import message_type
from nanlint.report.graph import in_words
from nanlint.report.shapes import multiply_adds
from nanlint.schema.lookup import described, layer_route
from nanlint.schema.words import of_field
from nanlint.server.names import Kind as NameKind
from nanlint.server.names import name_at
from nanlint.server.project import Project

if TYPE_CHECKING:
    from nanlint.caffe.model import Solver

_RATES = ("base_lr", "lr_policy", "gamma", "power", "stepsize", "stepvalue", "max_iter")
_MOST_LETTERS = 60


class Hover(NamedTuple):
    """Markdown, and the span of the text that it is about."""

    text: str
    start: int
    end: int


def hover(project: Project, path: str, offset: int) -> Hover | None:
    """What is known of what stands at an offset; None where nothing does."""
    document = project.document(path)
    if document is None:
        return None
    at = described(document, message_type(project.kind(path)), offset)
    name = name_at(document, offset)
    if name is not None and name.kind is NameKind.BLOB:
        return Hover("\n\n".join(_blob(project, path, name.layer, name.text)), name.value.start, name.value.end)
    field = at.spot.field
    if field is None:
        return None
    start, end = (field.start, field.name_end) if at.spot.on_name else (field.start, field.end)
    layer = layer_route(at.route)
    if layer is not None and (at.route == layer or name is not None):
        shown = list(_layer(project, path, layer))
        if at.field is not None and not shown:
            shown = list(of_field(at.field))
        return Hover("\n\n".join(shown), start, end) if shown else None
    if at.field is None:
        return None
    parts = list(of_field(at.field))
    solver = project.solver(path) if at.field.name in _RATES else None
    if solver is not None:
        parts += _rate(solver)
    return Hover("\n\n".join(parts), start, end)


def _layer(project: Project, path: str, route: str) -> Iterator[str]:
    layers = project.layers(path, route)
    if not layers:
        return
    first = layers[0]
    yield f"**{_short(first.name)}** {_short(first.type)}"
    yield "\n".join(_tops(layers))
    weights = ", ".join(in_words(param.param.shape) for param in first.params)
    work = multiply_adds(first)
    facts = [f"weights {weights}"] if weights else []
    facts += [f"{work:,} multiply-adds a pass"] if work else []
    if facts:
        yield "; ".join(facts)
    trained = next((layer for layer in layers if layer.phase == TRAIN and not layer.net.refused), None)
    if trained is not None:
        yield from _sizes(trained)
    for finding in project.findings(path):
        if finding.layer == first.name:
            yield f"{finding.severity.value} {finding.code}: {finding.message}"


def _tops(layers: Sequence[Layer]) -> Iterator[str]:
    """A line a top: its shape, once where all phases agree."""
    shown = {layer.phase: [f"{_short(top.name)} {in_words(top.shape)}" for top in layer.tops] for layer in layers}
    if len({tuple(lines) for lines in shown.values()}) == 1:
        yield from (f"- {line}" for line in next(iter(shown.values())))
        return
    for phase, lines in shown.items():
        yield from (f"- {phase}: {line}" for line in lines)


def _sizes(layer: Layer) -> Iterator[str]:
    from nanlint.analysis.ranges import ranges
    from nanlint.analysis.scale import scale_of

    parts = []
    for top in layer.tops:
        value = ranges(layer.net).values.get(top)
        if value is not None and value.known:
            parts.append(f"`{_short(top.name)}` from {value.low:.4g} to {value.high:.4g}")
        moment = scale_of(layer.net).moment(top)
        if moment is not None:
            parts.append(f"root mean square {moment.rms:.3g}")
    if parts:
        yield f"in the first iteration: {', '.join(parts)}"


def _blob(project: Project, path: str, route: str, text: str) -> Iterator[str]:
    yield f"blob **{_short(text)}**"
    shown: dict[str, None] = {}
    for layer in project.layers(path, route):
        for blob in (*layer.bottoms, *layer.tops):
            if blob.name == text:
                made = f"made by `{_short(blob.producer.name)}`"
                shown[f"- {layer.phase}: {in_words(blob.shape)}, {made}"] = None
                break
    if shown:
        yield "\n".join(shown)


def _rate(solver: Solver) -> Iterator[str]:
    """The schedule at a glance: the rate at the begin, each quarter and the end of the run."""
    from nanlint.analysis.schedule import refusal, schedule

    why_not = refusal(solver.param)
    if why_not is not None:
        yield f"Caffe aborts at the first rate: `{why_not[0]}` is {why_not[1]}"
        return
    plan = schedule(solver.param)
    if plan is None or plan.last < 0:
        return
    rows = sorted({0, plan.last // 4, plan.last // 2, 3 * plan.last // 4, plan.last})
    yield "\n".join(["| iteration | rate |", "|---:|---:|", *(f"| {it:,} | {plan.rate(it):.6g} |" for it in rows)])


def _short(text: str) -> str:
    """A name as Markdown may show it: short, printable, no markup."""
    cut = text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"
    printable = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in cut)
    return _MARKUP.sub(r"\\\g<0>", printable)


_MARKUP = re.compile(r"[*_`<>\[\]|\\]")

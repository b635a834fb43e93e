"""What the page tells of each layer and of the run, as plain JSON with every text once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nanlint.analysis.ranges import Ranges, ranges
from nanlint.analysis.scale import Scale, first_loss, scale_of
from nanlint.caffe.model import TRAIN, Layer, Net, Solver, count
from nanlint.report.graph import in_words
from nanlint.report.scale import gradient_at
from nanlint.report.shapes import multiply_adds
from nanlint.view.draw import UNKNOWN, Sizes

if TYPE_CHECKING:
    from nanlint.findings import Finding
    from nanlint.logs.finding import LogFinding

_DECIDED_ELSEWHERE = ("name", "type", "bottom", "top")
_MOST_LETTERS = 600


class Texts:
    """Texts by number, each kept once: nets repeat themselves."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def all(self) -> list[str]:
        return list(self._numbers)


def sizes(net: Net) -> dict[Layer, Sizes]:
    """The sizes of a training net's layers, those that are known."""
    if net.phase != TRAIN:
        return {}
    scale = scale_of(net)
    found = {layer: _sizes(scale, layer) for layer in net.layers if layer.tops}
    return {layer: size for layer, size in found.items() if size != UNKNOWN}


def layers(net: Net, known: Mapping[Layer, Sizes], texts: Texts) -> list[list[Any]]:
    """One row a layer: numbers of texts for name, type, bottoms, tops, parameters, fields and ranges; then
    parameters and multiply-adds as numbers, activation, gradient and line."""
    bounds = ranges(net)
    rows = []
    for layer in net.layers:
        words = (
            layer.name,
            layer.type,
            ", ".join(blob.name for blob in layer.bottoms),
            ", ".join(f"{top.name} {in_words(top.shape)}" for top in layer.tops),
            ", ".join(in_words(param.param.shape) for param in layer.params),
            _fields(layer),
            ", ".join(_bounds(layer, bounds)),
        )
        size = known.get(layer, UNKNOWN)
        rows.append(
            [
                *(texts.number(_short(word)) for word in words),
                multiply_adds(layer),
                *(_number(one) for one in size),
                layer.at().start.line,
            ]
        )
    return rows


def findings(found: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings in their order."""
    return [
        {
            "code": one.code,
            "name": one.name,
            "severity": one.severity.value,
            "message": _short(one.message),
            "evidence": _short(one.evidence or ""),
            "fix": _short(one.fix.title) if one.fix else "",
            "layer": one.layer,
            "phase": one.phase,
            "path": one.place.source.path,
            "line": one.place.start.line,
        }
        for one in found
    ]


def of_log(path: str, found: Iterable[LogFinding]) -> list[dict[str, Any]]:
    """What was found in a log, as the page shows findings: its cause in place of a code."""
    return [
        {
            "code": one.cause,
            "name": one.cause,
            "severity": one.severity.value,
            "message": _short(one.message),
            "evidence": f"as {one.rule} foretells" if one.rule else "",
            "fix": "",
            "layer": one.layer,
            "phase": None,
            "path": path,
            "line": one.line or 0,
        }
        for one in found
    ]


def summary(solver: Solver | None, net: Net) -> list[str]:
    """What is known of a whole net, a sentence each."""
    said = [f"{len(net.layers)} layers"]
    weights = [count(param.param.shape) for param in net.params if param.owner is None]
    if None not in weights:
        said.append(f"{sum(weight or 0 for weight in weights):,} parameters")
    memory = [count(blob.shape) for blob in net.blobs if not blob.version]
    if None not in memory:
        said.append(f"{8 * sum(size or 0 for size in memory) / 2**20:,.1f} MiB in blobs, data and gradient")
    if net.phase == TRAIN and net.trained:
        scale = scale_of(net)
        loss = first_loss(scale)
        if loss is not None and math.isfinite(loss):
            said.append(f"expected first loss {loss:.4g}")
    if solver is not None and net.trained:
        said.append(f"base_lr {solver.param.base_lr:g}")
    return said


def _sizes(scale: Scale, layer: Layer) -> Sizes:
    moment = scale.moment(layer.tops[0])
    return Sizes(None if moment is None else moment.rms, gradient_at(scale, layer))


def _bounds(layer: Layer, bounds: Ranges) -> Iterable[str]:
    for top in layer.tops:
        value = bounds.values.get(top)
        if value is not None and value.known:
            yield f"{value.low:.4g} to {value.high:.4g}"


def _fields(layer: Layer) -> str:
    """The settings of a layer as Caffe reads them, one a line."""
    from google.protobuf import text_format

    param = type(layer.param)()
    param.CopyFrom(layer.param)
    for name in _DECIDED_ELSEWHERE:
        param.ClearField(name)
    return text_format.MessageToString(param)


def _number(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return None if value is None else float(f"{value:.3g}")
    return str(value)


def _short(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def only_in(nets: Sequence[Net]) -> dict[Layer, str]:
    """The layers that not every net of the file has, with their phase: by name and type."""
    kinds = [{(layer.name, layer.type) for layer in net.layers} for net in nets]
    shared = set.intersection(*kinds) if kinds else set()
    return {
        layer: net.role or net.phase
        for net in nets
        for layer in net.layers
        if len(nets) > 1 and (layer.name, layer.type) not in shared
    }

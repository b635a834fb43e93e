"""The scale of nets at initialisation: JSON for programs, a table with a bar a layer for people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nanlint.analysis.forecast import Forecast, forecast
from nanlint.analysis.risk import Risk, Update, risk_of
from nanlint.analysis.scale import Scale, first_loss, scale_of, shared_gradient
from nanlint.caffe.model import TRAIN, Blob, Layer, Net, Solver
from nanlint.numbers.moments import exponential, log_sum
from nanlint.report.json import encode

File = tuple[str, "Solver | None", Sequence[Net]]
"""A path, its solver if it is one, and its nets."""

DECADES = 4
"""The bar reaches this many powers of ten to either side of 1."""
STEPS = 3
"""How many characters a power of ten has."""
NAMES = 28


def dumps(files: Iterable[File]) -> str:
    """Per training net: the expected first loss, the risk, and each layer's activation, gradient and update.

    Numbers are root mean squares; `update` is that of the first update over that of the weights.
    """
    return encode(
        {
            "version": 1,
            "files": [
                {"path": path, "nets": [_net(solver, net) for net in _trained(nets)]}
                for path, solver, nets in files
            ],
        }
    )


def lines(files: Iterable[File], width: int) -> Iterator[str]:
    """A table a training net; the bar stands at 1 in its middle and shows powers of ten."""
    for path, solver, nets in files:
        for net in _trained(nets):
            yield from _table(path, solver, net, width)


def _table(path: str, solver: Solver | None, net: Net, width: int) -> Iterator[str]:
    known = _forecast(solver, net)
    shown = known.net if known is not None and known.net is not None else net
    scale, risk = scale_of(shown), _risk(solver, shown)
    yield f"{path}: {net.phase} net of {net.path}"
    names = max(12, min(NAMES, width - 2 * DECADES * STEPS - 36))
    middle = f"1e-{DECADES}{'1':^{2 * DECADES * STEPS - 5}}1e{DECADES}"
    yield f"  {'layer':{names}}  {'activation':>10}  {middle}  {'gradient':>9}  {'update':>8}"
    updates = _updates(risk)
    for layer in shown.layers:
        moment = scale.moment(layer.tops[0]) if layer.tops else None
        if moment is None and layer not in updates:
            continue
        size = moment.rms if moment is not None else None
        yield (
            f"  {_short(layer.name, names)}  {_number(size):>10}  {_bar(size)}  "
            f"{_number(gradient_at(scale, layer)):>9}  {_share(updates.get(layer)):>8}"
        ).rstrip()
    yield from _summary(scale, risk)
    if known is not None:
        yield from _rate(known)


def _summary(scale: Scale, risk: Risk | None) -> Iterator[str]:
    if not scale.moments:
        yield "  no scale is known: the files do not show that of the data"
    loss = first_loss(scale)
    parts = [f"{one.layer.name} {_number(one.value)}" for one in scale.losses]
    if parts:
        total = f" = {_number(loss)}" if loss is not None else ""
        yield f"  expected first loss: {' + '.join(parts)}{total}"
    shared = shared_gradient(scale)
    if shared is not None:
        learned, shares = shared
        each = ", ".join(f"{one.layer.name} {100 * part:.2g} %" for one, part in shares)
        yield f"  shares of the squared gradient at {learned.param.layer.name}: {each}"
    if risk is not None:
        yield f"  risk {risk.figure:+.1f} (powers of e; 0 is the limit): {_verdict(risk)}"


def _rate(known: Forecast) -> Iterator[str]:
    if known.rate is None:
        yield f"  the rate that the net bears is not known: {known.unknown}"
    else:
        between = "" if known.low == known.high else f", nine times of ten between {known.low:.1g} and {known.high:.1g}"
        yield f"  the net bears a `base_lr` of about {known.rate:.1g}{between}"
    for one in known.assumed:
        yield f"  assumed: {one}"


def _verdict(risk: Risk) -> str:
    if risk.figure > risk.alarm:
        return "the rate is too high for this net"
    return "the rate is near the limit of this net" if risk.figure > 0 else "the net bears its rate"


def _bar(size: float | None) -> str:
    """A bar from the middle (1) to the left for smaller sizes, to the right for larger ones."""
    half = DECADES * STEPS
    if size is None or math.isnan(size):
        return " " * (2 * half + 1)
    length = half if size == math.inf else -half if size <= 0 else round(math.log10(size) * STEPS)
    length = max(-half, min(half, length))
    left = "#" * -length if length < 0 else ""
    return f"{left:>{half}}|{'#' * max(0, length):<{half}}"


def _short(name: str, width: int) -> str:
    return f"{name if len(name) <= width else name[: width - 2] + '..':{width}}"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3g}"


def _share(update: Update | None) -> str:
    if update is None:
        return ""
    return "?" if update.relative is None else f"{update.relative:.1e}"


def _trained(nets: Sequence[Net]) -> Iterator[Net]:
    return (net for net in nets if net.phase == TRAIN)


def _risk(solver: Solver | None, net: Net) -> Risk | None:
    return risk_of(solver, net) if solver is not None and not net.refused else None


def _forecast(solver: Solver | None, net: Net) -> Forecast | None:
    return forecast(solver, net) if solver is not None and not net.refused else None


def _updates(risk: Risk | None) -> Mapping[Layer, Update]:
    if risk is None:
        return {}
    return {one.learned.param.layer: one for one in risk.updates if one.learned.param.index == 0}


def gradient_at(scale: Scale, layer: Layer) -> float | None:
    """The root of the squared norm that one sample's gradient has at the layer's first top, all losses
    together."""
    if not layer.tops:
        return None
    blob = layer.tops[0]
    parts = [
        loss.log_gradient + reached[blob].log
        for loss, reached in zip(scale.losses, scale.gradients, strict=True)
        if blob in reached and loss.log_gradient is not None
    ]
    return exponential(log_sum(*parts) / 2) if parts else None


def _net(solver: Solver | None, net: Net) -> dict[str, Any]:
    known = _forecast(solver, net)
    shown = known.net if known is not None and known.net is not None else net
    scale, risk = scale_of(shown), _risk(solver, shown)
    updates = _updates(risk)
    return {
        "phase": net.phase,
        "source": net.path,
        "first_loss": _finite(first_loss(scale)),
        "losses": [
            {"layer": loss.layer.name, "weight": _finite(loss.weight), "value": _finite(loss.value)}
            for loss in scale.losses
        ],
        "risk": _finite(risk.figure) if risk is not None else None,
        **_bearable(known),
        "layers": [_layer(scale, layer, updates.get(layer)) for layer in shown.layers],
    }


def _bearable(known: Forecast | None) -> dict[str, Any]:
    if known is None:
        known = Forecast(unknown="no solver trains the net, or Caffe cannot build it")
    return {
        "bearable_rate": _finite(known.rate),
        "bearable_range": None if known.rate is None else [_finite(known.low), _finite(known.high)],
        "why_unknown": known.unknown,
        "assumed": list(known.assumed),
    }


def _layer(scale: Scale, layer: Layer, update: Update | None) -> dict[str, Any]:
    return {
        "name": layer.name,
        "type": layer.type,
        "activation": _finite(_rms(scale, layer.tops[0] if layer.tops else None)),
        "gradient": _finite(gradient_at(scale, layer)),
        "update": _finite(update.relative) if update is not None else None,
    }


def _rms(scale: Scale, blob: Blob | None) -> float | None:
    moment = scale.moment(blob) if blob is not None else None
    return None if moment is None else moment.rms


def _finite(value: float | None) -> float | str | None:
    """A number of six digits; nan and the infinities as strings, which JSON can hold."""
    if value is None or math.isfinite(value):
        return None if value is None else float(f"{value:.6g}")
    return str(value)

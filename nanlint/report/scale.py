"""How large everything in a net is at initialisation: JSON, or a table with a bar a blob."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from nanlint.analysis.scale import Learned, Scale, first_loss, root, scale_of
from nanlint.caffe.model import Blob, Net
from nanlint.report.json import encode
from nanlint.report.table import table

_BAR = 24
_LEAST, _GREATEST = 1e-6, 1e6


def dumps(files: Sequence[tuple[str, Sequence[Net]]]) -> str:
    """Root mean squares of blobs, weights and gradients; null where the files do not say."""
    return encode(
        {"version": 1, "files": [{"path": path, "nets": [_net(net) for net in nets]} for path, nets in files]}
    )


def lines(files: Sequence[tuple[str, Sequence[Net]]], width: int) -> Iterator[str]:
    for path, nets in files:
        for net in nets:
            scale = scale_of(net)
            yield f"{path}: {net.phase} net of {net.path}, at initialisation (root mean squares)"
            blobs = [
                (blob.producer.name, blob.name, shown(rms), bar(rms))
                for blob in net.blobs
                for rms in [_rms(scale, blob)]
            ]
            yield from table(
                ("layer", "blob", "size", f"{_LEAST:g} to {_GREATEST:g}"), blobs, width, right=(2,)
            )
            learned = [_learned_row(one) for one in scale.learned]
            if learned:
                yield ""
                yield from table(
                    ("layer", "param", "weights", "weight", "gradient"), learned, width, right=(2, 3, 4)
                )
            loss = first_loss(scale)
            yield f"first loss: {'unknown' if loss is None else f'{loss:.4g}'}"
            yield ""


def bar(rms: float | None) -> str:
    """A bar over the decades from 1e-6 to 1e6; a mark in its middle is 1."""
    if rms is None:
        return ""
    share = (math.log10(max(min(rms, _GREATEST), _LEAST)) - math.log10(_LEAST)) / 12
    return "█" * round(share * _BAR) or "▏"


def shown(rms: float | None) -> str:
    return "?" if rms is None else f"{rms:.3g}"


def _rms(scale: Scale, blob: Blob) -> float | None:
    moment = scale.moment(blob)
    return None if moment is None else moment.rms


def _learned_row(one: Learned) -> tuple[str, ...]:
    weight = None if one.log_weight is None else root(one.log_weight)
    gradient = None if one.log_gradient is None else root(one.log_gradient)
    return one.param.layer.name, str(one.param.index), str(one.elements), shown(weight), shown(gradient)


def _net(net: Net) -> dict[str, Any]:
    scale = scale_of(net)
    return {
        "phase": net.phase,
        "source": net.path,
        "first_loss": _number(first_loss(scale)),
        "blobs": [
            {"layer": blob.producer.name, "blob": blob.name, "rms": _number(_rms(scale, blob))}
            for blob in net.blobs
        ],
        "params": [
            {
                "layer": one.param.layer.name,
                "index": one.param.index,
                "count": one.elements,
                "weight_rms": None if one.log_weight is None else _number(root(one.log_weight)),
                "gradient_norm": None if one.log_gradient is None else _number(root(one.log_gradient)),
            }
            for one in scale.learned
        ],
    }


def _number(number: float | None) -> float | str | None:
    return number if number is None or math.isfinite(number) else str(number)

"""The shapes of nets: JSON for programs, a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nanlint.caffe.model import Layer, Net, Shape
from nanlint.report.json import encode


def dumps(files: Iterable[tuple[str, Sequence[Net]]]) -> str:
    """Paths with their nets, as the command line promises them."""
    return encode(
        {"version": 1, "files": [{"path": path, "nets": [_net(net) for net in nets]} for path, nets in files]}
    )


def lines(files: Iterable[tuple[str, Sequence[Net]]], width: int) -> Iterator[str]:
    for path, nets in files:
        for net in nets:
            yield f"{path}: {net.role or net.phase} net of {net.path}"
            for layer in built(net):
                tops = "  ".join(f"{top.name} {_words(top.shape)}" for top in layer.tops)
                yield f"  {layer.name} ({layer.type}): {tops}"


def _words(shape: Shape) -> str:
    return (
        "?" if shape is None else "x".join("?" if size is None else str(size) for size in shape) or "scalar"
    )


def built(net: Net) -> Iterator[Layer]:
    """The layers up to the first that Caffe refuses."""
    for layer in net.layers:
        if layer.refused:
            return
        yield layer


def _net(net: Net) -> dict[str, Any]:
    return {"phase": net.role or net.phase, "source": net.path, "layers": [_layer(layer) for layer in built(net)]}


def _layer(layer: Layer) -> dict[str, Any]:
    written = len(layer.param.top)
    return {
        "name": layer.name,
        "type": layer.type,
        "tops": [{"blob": top.name, "shape": _shape(top.shape)} for top in layer.tops[:written]],
        "params": [_shape(learned.param.shape) for learned in layer.params],
    }


def _shape(shape: Shape) -> list[int | None] | None:
    return None if shape is None else list(shape)

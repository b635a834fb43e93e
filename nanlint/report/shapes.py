"""The shapes of nets: JSON for programs, a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nanlint.caffe.model import Layer, Net, Shape, count
from nanlint.report.graph import in_words
from nanlint.report.json import encode
from nanlint.report.table import table

_BYTES_OF_DATA_AND_DIFF = 8


def dumps(files: Iterable[tuple[str, Sequence[Net]]]) -> str:
    """Paths with their nets, as the command line promises them."""
    return encode(
        {"version": 1, "files": [{"path": path, "nets": [_net(net) for net in nets]} for path, nets in files]}
    )


def lines(files: Iterable[tuple[str, Sequence[Net]]], width: int) -> Iterator[str]:
    """A table a net: what each layer reads and makes, its parameters, memory and work; the sums below."""
    heads = ("layer", "type", "bottoms", "tops", "params", "bytes", "mult-adds")
    for path, nets in files:
        for net in nets:
            layers = list(built(net))
            yield f"{path}: {net.role or net.phase} net of {net.path}"
            yield from table(heads, [_row(layer) for layer in layers], width, right=(4, 5, 6))
            yield _sums(net, layers)
            yield ""


def multiply_adds(layer: Layer) -> int | None:
    """Multiplications of one forward pass of the batch, where the layer has weights; None where unknown."""
    if not layer.facts.multiplies or not layer.params or not layer.tops:
        return 0
    weights = count(layer.params[0].param.shape)
    outputs = count(layer.params[0].param.shape, 0, 1)
    # each top of a convolution takes one row of weights, each bottom of a deconvolution gives one
    blobs = layer.bottoms if layer.type == "Deconvolution" else layer.tops
    sizes = [count(blob.shape) for blob in blobs]
    if weights is None or not outputs or None in sizes:
        return None
    return sum(size for size in sizes if size is not None) * (weights // outputs)


def _row(layer: Layer) -> tuple[str, ...]:
    written = layer.tops[: len(layer.param.top)]
    return (
        layer.name,
        layer.type,
        " ".join(bottom.name for bottom in layer.bottoms),
        " ".join(f"{top.name} {in_words(top.shape)}" for top in written),
        _number(_params(layer)),
        _number(_bytes(layer)),
        _number(multiply_adds(layer)),
    )


def _params(layer: Layer) -> int | None:
    return _total(count(learned.param.shape) for learned in layer.params)


def _bytes(layer: Layer) -> int | None:
    """Data and gradient of the tops that are not written over a bottom, in 32-bit floats."""
    tops = [top for index, top in enumerate(layer.tops) if not layer.in_place(index)]
    total = _total(count(top.shape) for top in tops)
    return None if total is None else total * _BYTES_OF_DATA_AND_DIFF


def _sums(net: Net, layers: Sequence[Layer]) -> str:
    params = _total(count(one.param.shape) for one in net.params if one.owner is None)
    memory = _total(_bytes(layer) for layer in layers)
    work = _total(multiply_adds(layer) for layer in layers)
    sizes = f"{_number(params)} parameters, {_number(memory)} bytes in blobs"
    return f"{sizes}, {_number(work)} multiply-adds a pass"


def _total(sizes: Iterable[int | None]) -> int | None:
    total = 0
    for size in sizes:
        if size is None:
            return None
        total += size
    return total


def _number(number: int | None) -> str:
    if number is None:
        return "?"
    return f"{number:,}" if number else "-"


def built(net: Net) -> Iterator[Layer]:
    """The layers up to the first that Caffe refuses."""
    for layer in net.layers:
        if layer.refused:
            return
        yield layer


def _net(net: Net) -> dict[str, Any]:
    return {
        "phase": net.role or net.phase,
        "source": net.path,
        "layers": [_layer(layer) for layer in built(net)],
    }


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

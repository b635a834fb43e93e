"""Layers that change the size of the blob on which they work in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Bottom, LayerSetup, Refusal, shown
from nanlint.caffe.model import Net, Shape, count, same_shape
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.registry import ERROR, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer


@rule("NET008", "resized-in-place", ERROR, effect=Effect.RUN_FAILURE)
def resized_in_place(net: Net) -> Iterator[Problem]:
    """A layer changes the size of the blob on which it works in place.

    **In Caffe** top and bottom are one blob, so each Reshape gives the bottom the size of the top, too. Tile,
    Im2col and Concat then read and write beyond it, and the process dies. Others take what they find: if
    the blob comes from Input, DummyData, HDF5Data or Parameter, which do not restore its size before each
    forward pass (layer.hpp, Forward), they meet their own output and abort, since the weights do not fit it,
    or nothing is left of it.

    **Instead** give the top a name of its own.
    """
    for layer in net.layers:
        if layer.spec is None or layer.refused or len(layer.tops) != 1 or not layer.in_place(0):
            continue
        before, after = layer.bottoms[0].shape, layer.tops[0].shape
        if same_shape(before, after) is not False:
            continue
        source = _source(layer.bottoms[0])
        changes = (
            f"{layer.called} ({layer.type}) works in place on `{layer.tops[0].name}` and makes "
            f"{shown(after)} of its {shown(before)}"
        )
        if layer.facts.trusts_size:
            yield finding(
                layer.at("top[0]"),
                f"{changes}: it then reads and writes beyond the blob, and the process dies; write another `top`",
                layer=layer.name,
                phase=net.phase,
                effect=Effect.MEMORY_ERROR,
            )
        elif not source.facts.reshapes and _refuses(layer, after):
            yield finding(
                layer.at("top[0]"),
                f"{changes}; in the first forward pass it meets that size, which it cannot take, and Caffe "
                "aborts; write another `top`",
                related=[Related(f"{source.called} does not restore the size", source.at())],
                layer=layer.name,
                phase=net.phase,
            )


def _source(blob: Blob) -> Layer:
    """The layer that makes a blob, behind those that work in place on it and keep its size."""
    maker = blob.producer
    while maker.in_place(blob.top_index):
        below = maker.bottoms[blob.top_index]
        if same_shape(below.shape, blob.shape) is not True:
            break
        blob, maker = below, below.producer
    return maker


def _refuses(layer: Layer, shape: Shape) -> bool:
    """Whether the layer, set up for its first bottom, aborts on a bottom of this shape."""
    before = layer.bottoms[0].shape
    if before is None or shape is None or len(layer.bottoms) != 1:
        return False
    if layer.type == "InnerProduct":
        axis = layer.param.inner_product_param.axis
        return not -len(shape) <= axis < len(shape) or count(before, axis) != count(shape, axis)
    if layer.type in ("Convolution", "Deconvolution"):
        axis = layer.param.convolution_param.axis
        return before[axis] != shape[axis]
    assert layer.spec is not None
    bottom = Bottom(layer.bottoms[0].name, shape, layer.bottoms[0])
    try:
        layer.spec.setup(LayerSetup(layer.param, layer.phase, [bottom], [bottom.name], layer.origin, []))
    except Refusal:
        return True
    return False

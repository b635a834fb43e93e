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

# their Reshape does nothing: a top keeps the size that somebody else has given it
_NEVER_RESHAPED = ("DummyData", "HDF5Data", "Input", "Parameter")


@rule("NET008", "resized-in-place", ERROR, effect=Effect.RUN_FAILURE)
def resized_in_place(net: Net) -> Iterator[Problem]:
    """A layer works in place on an input of the net, and changes its size.

    **In Caffe** top and bottom are one blob, so the setup resizes the bottom as well. Each forward pass
    reshapes all layers again (layer.hpp, Forward). Input, DummyData, HDF5Data and Parameter do not restore
    the size of their top, so the layer then meets its own output size and aborts: the weights do not fit it,
    or nothing is left of it.

    **Instead** give the top a name of its own.
    """
    for layer in net.layers:
        if layer.spec is None or layer.refused or len(layer.bottoms) != 1 or len(layer.tops) != 1:
            continue
        if not layer.in_place(0) or same_shape(layer.bottoms[0].shape, layer.tops[0].shape) is not False:
            continue
        source = _source(layer.bottoms[0])
        after = layer.tops[0].shape
        if source.type in _NEVER_RESHAPED and _refuses(layer, after):
            yield finding(
                layer.at("top[0]"),
                f"{layer.called} ({layer.type}) works in place on `{layer.tops[0].name}` and makes "
                f"{shown(after)} of its {shown(layer.bottoms[0].shape)}; in the first forward pass it meets "
                "that size, which it cannot take, and Caffe aborts; write another `top`",
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
    if before is None or shape is None:
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

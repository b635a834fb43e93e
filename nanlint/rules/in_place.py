"""Layers that write over what is still needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.reach import explicit_weight
from nanlint.caffe.layers.base import NOTHING, Bottom, InPlace, LayerSetup, Refusal, shown
from nanlint.caffe.model import TRAIN, Net, Shape, count, same_shape
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.registry import ERROR, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer



@rule("LAYER002", "in-place-output", ERROR, effect=Effect.NO_LEARNING)
def in_place_output(net: Net) -> Iterator[Problem]:
    """A layer that cannot work in place is told to.

    **In Caffe** a top with the name of the bottom at the same place is written over it. Only layers that read
    each element before they write it survive that. Pooling, InnerProduct, Eltwise SUM and MAX, LRN across
    channels and 1x1 convolutions overwrite what they still have to read, silently: outputs are 0, -3.4e38 or
    garbage.

    **Instead** give the top a name of its own.
    """
    for layer, index in _in_place(net, InPlace.WRONG_OUTPUT):
        yield finding(
            layer.at(f"top[{index}]"),
            f"`{layer.name}` ({layer.type}) writes its output over its input `{layer.tops[index].name}` and "
            "reads what it has overwritten: what it passes on is wrong, and nothing tells; write another "
            "`top`",
            layer=layer.name,
            phase=net.phase,
        )


@rule("LAYER003", "in-place-gradient", WARNING, effect=Effect.NO_LEARNING)
def in_place_gradient(net: Net) -> Iterator[Problem]:
    """A layer that works in place computes its gradient from data that it has overwritten.

    **In Caffe** the output of such a layer is right, but the backward pass takes the derivative at the output
    instead of the input (BNLL, Clip, Eltwise PROD, MVN, LRN within channels, ReLU with a negative slope below
    0), or overwrites the gradient from above before it is used (Power, Log); a convolution multiplies by its
    output where the gradient of its weights needs its input. Training goes in a wrong direction silently.

    **Instead** give the top a name of its own.
    """
    for layer, index in _in_place(net, InPlace.WRONG_GRADIENT):
        below = index < len(layer.propagates) and layer.propagates[index]
        own = layer.facts.multiplies and layer.runs_backward and any(one.lr_mult for one in layer.params)
        if own or (below and not layer.facts.multiplies):
            yield finding(
                layer.at(f"top[{index}]"),
                f"`{layer.name}` ({layer.type}) works in place on `{layer.tops[index].name}` and computes its "
                f"gradient from what it has overwritten, so {'its weights' if own else 'the layers below'} learn from "
                "a wrong one; "
                "write another `top`",
                layer=layer.name,
                phase=net.phase,
            )


def _in_place(net: Net, outcome: InPlace) -> Iterator[tuple[Layer, int]]:
    for layer in net.layers:
        if layer.spec is None or layer.refused:
            continue
        for index in range(len(layer.tops)):
            if layer.in_place(index) and layer.spec.written_in_place(layer.param) is outcome:
                yield layer, index


@rule("LEARN005", "loss-weight-in-place", WARNING, effect=Effect.NONE)
def loss_weight_in_place(net: Net) -> Iterator[Problem]:
    """A layer that works in place has a `loss_weight`.

    **In Caffe** the weights stand in the gradient of the blob, where the backward pass of an in-place layer
    writes its own result: from the second iteration on the printed loss is wrong, and the gradient starts
    from what is left there.

    **Instead** give the top a name of its own.
    """
    for layer in net.layers:
        for top in layer.tops:
            if (
                not layer.refused
                and explicit_weight(top)
                and layer.in_place(top.top_index)
                and layer.runs_backward
            ):
                yield finding(
                    layer.at(f"loss_weight[{top.top_index}]"),
                    f"{layer.called} works in place on `{top.name}` and has a `loss_weight`, which its "
                    "backward pass overwrites: from the second iteration on the loss is wrong; write another "
                    "`top`",
                    layer=layer.name,
                    phase=net.phase,
                )


@rule("LEARN007", "overwritten-output", WARNING, effect=Effect.NO_LEARNING)
def overwritten_output(net: Net) -> Iterator[Problem]:
    """A layer works in place on an output that the layer before still needs for its gradient.

    **In Caffe** Sigmoid, TanH, ELU, Exp, Softmax, LRN and others compute their gradient from their output, Power
    unless its `power` is 0, 1 or 2 (power_layer.cpp), Eltwise `PROD` where `stable_prod_grad` is false. A
    layer that works in place on that output (Dropout, Scale, Power, ...) has changed it by the time of the
    backward pass, and the gradient is wrong, silently. In-place ReLU is harmless there.

    **Instead** give the in-place layer's top a name of its own.
    """
    for layer in net.layers:
        for top in layer.tops:
            if not layer.in_place(top.top_index) or layer.refused or _keeps_data(layer):
                continue
            maker = layer.bottoms[top.top_index].producer
            if (
                "top" in (maker.facts.backward_reads(maker.param) or NOTHING)
                and maker.runs_backward
                and any(maker.propagates)
                and layer.runs_backward
            ):
                yield finding(
                    layer.at(f"top[{top.top_index}]"),
                    f"{layer.called} ({layer.type}) writes over `{top.name}`, from which {maker.called} "
                    f"({maker.type}) computes its gradient afterwards, so all layers below learn from a "
                    f"wrong one; write another `top` in {layer.called}",
                    related=[Related(f"{maker.called} makes `{top.name}`", maker.at())],
                    layer=layer.name,
                    phase=net.phase,
                )


def _keeps_data(layer: Layer) -> bool:
    """Whether what an in-place layer changes has no gradient, or nothing is changed."""
    if layer.type == "ReLU":
        return layer.param.relu_param.negative_slope == 0
    return layer.type == "Dropout" and (layer.phase != TRAIN or layer.param.dropout_param.dropout_ratio == 0)


@rule("NET005", "shared-data-in-place", WARNING, effect=Effect.NONE)
def shared_data_in_place(net: Net) -> Iterator[Problem]:
    """A layer works in place on a blob whose memory is also that of another blob, which somebody else reads.

    **In Caffe** Flatten, Reshape, Split, and Concat or Slice with one blob on each side, copy nothing: their
    top is their bottom under another name. What an in-place layer changes there, all readers of the bottom
    see changed.

    **Instead** give the in-place layer's top a name of its own.
    """
    for layer in net.layers:
        for top in layer.tops:
            if not layer.in_place(top.top_index) or layer.refused or layer.facts.shares_memory(layer):
                continue
            bottom = layer.bottoms[top.top_index]
            other = _other_reader(bottom)
            if other is not None:
                source, reader = other
                yield finding(
                    layer.at(f"top[{top.top_index}]"),
                    f"{layer.called} works in place on `{bottom.name}`, which is the memory of "
                    f"`{source.name}` too, and {reader.called} reads that: it gets what {layer.called} has "
                    f"made of it; write another `top` in {layer.called}",
                    related=[Related(f"{reader.called} reads `{source.name}`", reader.at())],
                    layer=layer.name,
                    phase=net.phase,
                )


def _other_reader(blob: Blob) -> tuple[Blob, Layer] | None:
    """A blob with the memory of this one, and a layer that reads it on another way."""
    while True:
        maker = blob.producer
        if not maker.facts.shares_memory(maker) or not maker.bottoms:
            return None
        source = maker.bottoms[0]
        for reader, _ in source.consumers:
            if reader is not maker:
                return source, reader
        blob = source


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
    if layer.facts.multiplies:
        axis = layer.param.convolution_param.axis
        return before[axis] != shape[axis]
    assert layer.spec is not None
    bottom = Bottom(layer.bottoms[0].name, shape, layer.bottoms[0])
    try:
        layer.spec.setup(LayerSetup(layer.param, layer.phase, [bottom], [bottom.name], layer.origin, []))
    except Refusal:
        return True
    return False

"""What single layers do to blobs: nothing to read, written over what they read, an engine not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import InPlace, shown
from nanlint.caffe.model import count
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.registry import ERROR, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer, Net, Solver
    from nanlint.text.source import Place

CUDNN = 2
CPU = 0


@rule("LAYER001", "empty-at-forward", ERROR, effect=Effect.RUN_FAILURE)
def empty_at_forward(net: Net) -> Iterator[Problem]:
    """A layer reads or writes a blob that holds no element.

    **In Caffe** a blob gets memory when it first has an element. The net is built with a blob of size 0, or
    with an `Input` that names no shape; the first layer that touches its data dies at `Check failed: data_`
    (blob.cpp) in the first forward pass.

    **Instead** give every axis at least 1: a smaller kernel, a slice that leaves something over, a shape.
    """
    known: set[Blob] = set()
    for layer in net.layers:
        bottoms = [blob for blob in layer.bottoms if _is_empty(blob)]
        tops = [blob for blob in layer.tops if _is_empty(blob)]
        if layer.spec is None or not layer.spec.touches_data or layer.refused:
            continue
        culprit = next(iter(tops), None) or next(iter(bottoms), None)
        if culprit is not None and known.isdisjoint(bottoms):
            yield _empty(layer, culprit)
        known.update(tops, bottoms)


def _is_empty(blob: Blob) -> bool:
    """Whether a blob holds no element when training starts."""
    if blob.producer.type == "Input" and blob.shape == ():
        return not blob.producer.param.input_param.shape
    return count(blob.shape) == 0


def _empty(layer: Layer, blob: Blob) -> Problem:
    maker = blob.producer
    if blob in layer.tops:
        said = f"`{layer.name}` makes `{blob.name}` {shown(blob.shape)}, which holds no element"
        related = [
            Related(f"`{bottom.name}` is made here: {shown(bottom.shape)}", _made_at(bottom))
            for bottom in layer.bottoms
        ]
    else:
        what = "without a shape" if maker.type == "Input" and blob.shape == () else f"{shown(blob.shape)}"
        said = (
            f"`{layer.name}` reads `{blob.name}`, which `{maker.name}` makes {what} and so holds no element"
        )
        related = [Related(f"`{blob.name}` is made here", _made_at(blob))]
    return finding(
        layer.at(),
        f"{said}: the net is built, and Caffe aborts in the first forward pass (Check failed: data_); "
        "write sizes that leave at least 1 along every axis",
        evidence=f"{blob.name}: {shown(blob.shape)}",
        related=related,
        layer=layer.name,
        phase=layer.net.phase,
        effect=Effect.SETUP_FAILURE if _weighted(layer, blob) else None,
    )


def _weighted(layer: Layer, blob: Blob) -> bool:
    """Whether a loss weight is written into the empty top, which aborts at setup (SetLossWeights)."""
    return any(weight and top is blob for weight, top in zip(layer.loss_weights, layer.tops, strict=False))


def _made_at(blob: Blob) -> Place:
    return blob.producer.at(f"top[{blob.top_index}]")


@rule("LAYER005", "empty-output", ERROR, effect=Effect.RUN_FAILURE)
def empty_output(solver: Solver) -> Iterator[Problem]:
    """An output of the training net holds no element, and the solver prints its outputs.

    **In Caffe** a blob that no layer reads is an output of the net. With `display`, the solver prints every
    number of every output (solver.cpp, Step); a blob that never held an element has no memory, and reading it
    dies at `Check failed: data_` (blob.cpp) in the first iteration.

    **Instead** give the blob a shape, or leave it out.
    """
    net = solver.train_net
    if net is None or solver.param.display == 0:
        return
    for blob in net.blobs:
        maker = blob.producer
        silent = maker.spec is not None and not maker.spec.touches_data
        if not blob.consumers and silent and not maker.refused and _is_empty(blob):
            yield finding(
                _made_at(blob),
                f"`{maker.name}` makes `{blob.name}` without any element and no layer reads it, so it is an "
                f"output that `display: {solver.param.display}` prints, and Caffe aborts in the first "
                "iteration (Check failed: data_); give it a shape, or leave it out",
                related=[Related("the solver prints outputs", solver.at("display"))],
                layer=maker.name,
                phase=net.phase,
            )


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


@rule("LAYER004", "cudnn-on-cpu", ERROR, effect=Effect.SETUP_FAILURE)
def cudnn_on_cpu(solver: Solver) -> Iterator[Problem]:
    """A layer asks for cuDNN, and the solver for the CPU.

    **In Caffe** `engine: CUDNN` is an engine only where cuDNN was compiled in (layer_factory.cpp); a Caffe
    for the CPU aborts with "Layer ... has unknown engine". Without `engine` each build takes what it has.

    **Instead** leave `engine` out, or write `engine: CAFFE`.
    """
    if not solver.param.HasField("solver_mode") or solver.param.solver_mode != CPU:
        return
    for net in solver.nets:
        for layer in net.layers:
            block = layer.facts.engine_block
            if not block or getattr(layer.param, block).engine != CUDNN:
                continue
            yield finding(
                layer.at(f"{block}.engine"),
                f"`engine: CUDNN` of `{layer.name}` with `solver_mode: CPU`: a Caffe built for the CPU knows "
                "no such engine and aborts; leave `engine` out",
                related=[Related("the solver asks for the CPU here", solver.at("solver_mode"))],
                layer=layer.name,
                phase=net.phase,
            )


@rule("LAYER006", "stochastic-on-cpu", ERROR, effect=Effect.RUN_FAILURE)
def stochastic_on_cpu(solver: Solver) -> Iterator[Problem]:
    """A layer pools stochastically, and the solver trains on the CPU.

    **In Caffe** `pool: STOCHASTIC` exists for the GPU alone. On the CPU the net is built, and the first
    forward pass aborts, in the TEST phase too ("Not Implemented Yet", pooling_layer.cpp).

    **Instead** write `pool: MAX` or `pool: AVE`, or train on a GPU.
    """
    if not solver.param.HasField("solver_mode") or solver.param.solver_mode != CPU:
        return
    for net in solver.nets:
        for layer in net.layers:
            route = layer.facts.gpu_only(layer.param)
            if not route or layer.refused:
                continue
            yield finding(
                layer.at(route),
                f"`pool: STOCHASTIC` of `{layer.name}` with `solver_mode: CPU`: Caffe has no CPU code for it "
                "and aborts in the first forward pass; write `pool: MAX` or `pool: AVE`",
                related=[Related("the solver asks for the CPU here", solver.at("solver_mode"))],
                layer=layer.name,
                phase=net.phase,
            )

"""Gradients that a layer is asked for and cannot compute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.edits import write, written
from nanlint.caffe.layers.sizes import LEGACY_AXES
from nanlint.caffe.model import TRAIN
from nanlint.findings import Applicability, Effect, Fix, Problem, Related
from nanlint.rules.registry import ERROR, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net


@rule("GRAD001", "impossible-gradient", ERROR, effect=Effect.RUN_FAILURE)
def impossible_gradient(net: Net) -> Iterator[Problem]:
    """A layer is asked for a gradient that it cannot compute.

    **In Caffe** Net::Init decides which layers run backward: those between a parameter that learns and a
    weighted top, and with `force_backward` all. A loss aborts when the gradient of its labels is asked for
    ("cannot backpropagate to label inputs"), Threshold, ArgMax and Accuracy whenever any is ("Not Implemented
    Yet"), Embed, BatchReindex, Filter and the recurrent layers for their indices. The net is built; the first
    backward pass dies.

    **Instead** check the order of the bottoms (prediction first, label second), or write `propagate_down:
    false` for the bottom, or keep learning layers out of the way to it.
    """
    if net.phase != TRAIN or net.iterations == 0:
        return
    for layer in net.layers:
        if layer.spec is None or layer.refused or not layer.runs_backward:
            continue
        for index, needed in enumerate(layer.propagates):
            if needed and index < len(layer.bottoms) and _aborts(layer, index):
                problem = _problem(layer, index)
                if problem is not None:
                    yield problem
                    break


def _aborts(layer: Layer, index: int) -> bool:
    assert layer.spec is not None
    if layer.type == "EuclideanLoss" and index == 1:
        shape = layer.bottoms[1].shape
        return shape is not None and len(shape) > LEGACY_AXES
    return layer.spec.aborts_on_gradient(index, len(layer.bottoms))


def _problem(layer: Layer, index: int) -> Problem | None:
    name = layer.bottoms[index].name
    learner, opaque = _learner(layer, index)
    if learner is None and opaque is None and not _forced(layer, index):
        return None
    related = []
    if learner is not None:
        related.append(Related(f"`{learner.name}` learns, so its gradient is asked for", learner.at()))
    because, remedy = _why(layer, index, learner, opaque)
    return finding(
        layer.at(f"bottom[{index}]"),
        f"`{layer.name}` ({layer.type}) cannot compute the gradient of `{name}`, which is asked for "
        f"{because}: Caffe aborts in the first backward pass; {remedy}",
        related=related,
        fix=_not_propagated(layer, index) if remedy.startswith("write") else None,
        layer=layer.name,
        phase=layer.net.phase,
        severity=WARNING if layer.net.foreign or (learner is None and opaque is not None) else None,
    )


def _not_propagated(layer: Layer, index: int) -> Fix:
    """`propagate_down: false` for one bottom; where none is written, one for each."""
    if index < len(layer.param.propagate_down):
        return write(layer, f"propagate_down[{index}]", "false")
    answers = ["false" if bottom == index else "true" for bottom in range(len(layer.bottoms))]
    edit = written(layer, "propagate_down", " propagate_down: ".join(answers))
    return Fix("write `propagate_down: false` for it", (edit,), Applicability.UNSAFE)


def _forced(layer: Layer, index: int) -> bool:
    """Whether the file itself asks for the gradient."""
    asked = layer.param.propagate_down
    return layer.net.param.force_backward or (index < len(asked) and asked[index])


def _why(layer: Layer, index: int, learner: Layer | None, opaque: Layer | None) -> tuple[str, str]:
    """Why the gradient is asked for, and what to write."""
    asked = layer.param.propagate_down
    if index < len(asked) and asked[index]:
        return "by `propagate_down: true`", "write `propagate_down: false` for it"
    if learner is None:
        if opaque is None:
            return "by `force_backward: true`", "leave `force_backward` out"
        return f"unless `{opaque.name}` ({opaque.type}) stops it", "write `propagate_down: false` for it"
    because = f"because `{learner.name}` below learns"
    if layer.spec is not None and layer.spec.is_loss and index == 1 and _learner(layer, 0) == (None, None):
        first = layer.bottoms[0].name
        return because, f"swap the bottoms: the prediction comes first, and `{first}` looks like the label"
    return because, "write `propagate_down: false` for it, or take another layer"


def _learner(layer: Layer, index: int) -> tuple[Layer | None, Layer | None]:
    """The nearest layer below a bottom that has a parameter to learn; and the nearest that nanlint does not know.

    What is below a layer that nanlint does not know is not looked at.
    """
    below, seen = [layer.bottoms[index]], {layer}
    opaque = None
    while below:
        producer = below.pop(0).producer
        if producer in seen:
            continue
        seen.add(producer)
        if producer.spec is None:
            opaque = opaque or producer
            continue
        if any(param.lr_mult != 0 for param in producer.params):
            return producer, opaque
        below.extend(producer.bottoms)
    return None, opaque

"""One layer in one pass over a net: what it reads, what it makes, and what its type makes of ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import InPlace
from nanlint.numbers.draws import anything
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer


class Step:
    """One layer in one pass: what it reads and what it makes.

    `grads` holds the gradient of each top while backward runs; `moved`: the weights are no longer
    those of the fillers.
    """

    def __init__(self, layer: Layer, bottoms: list[Value], weights: list[Value], moved: bool = False) -> None:
        self.layer = layer
        self.bottoms = bottoms
        self.weights = weights
        self.moved = moved
        self.tops: list[Value] = []
        self.grads: list[Value] = []
        self.bottom_grads: list[Value | None] = []
        self.pieces: dict[Blob, list[tuple[Blob, Value]]] = {}

    def top_count(self, index: int = 0) -> int | None:
        return self.layer.tops[index].count

    def in_place(self) -> bool:
        return bool(self.layer.bottoms and self.layer.tops) and self.layer.in_place(0)


def run_forward(step: Step) -> list[Value]:
    """The tops of a layer; finite numbers of any size where the type does not say."""
    tops = step.layer.facts.values(step) if not _spoiled_in_place(step) else []
    tops = tops[: len(step.layer.tops)]
    return tops + [anything(blob.count) for blob in step.layer.tops[len(tops) :]]


def run_backward(step: Step) -> list[Value]:
    """The gradients of a layer's bottoms; finite numbers of any size where the type does not say."""
    grads = step.layer.facts.gradients(step) if not _spoiled_in_place(step) else []
    grads = grads[: len(step.bottoms)]
    return grads + [anything(blob.count) for blob in step.layer.bottoms[len(grads) :]]


def _spoiled_in_place(step: Step) -> bool:
    """Whether the top overwrites a bottom that is still needed, and its type does not say what is left of it."""
    facts = step.layer.facts
    if facts.knows_overwritten or not step.in_place():
        return False
    return facts.written_in_place(step.layer.param) in (InPlace.WRONG_OUTPUT, InPlace.REFUSED)

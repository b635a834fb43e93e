"""What each layer type does to ranges: one module a family, looked up by type.

A forward transfer takes a Step and gives the value of each top; a backward transfer gives the
gradient of each bottom. A type without an entry is opaque: finite numbers of any size.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import InPlace
from nanlint.caffe.model import count
from nanlint.numbers.draws import anything
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer

FAMILIES = (
    "sources",
    "elementwise",
    "activations",
    "scaling",
    "sums",
    "reductions",
    "pooling",
    "normalization",
    "lrn",
    "softmax",
    "shaping",
    "losses",
)


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
        return size(self.layer.tops[index])

    def in_place(self) -> bool:
        return bool(self.layer.bottoms and self.layer.tops) and self.layer.in_place(0)


Forward = Callable[[Step], "list[Value]"]
Backward = Callable[[Step], "list[Value]"]

_forward: dict[str, Forward] = {}
_backward: dict[str, Backward] = {}


def forward(*types: str) -> Callable[[Forward], Forward]:
    """Register the forward transfer of some layer types."""

    def register(function: Forward) -> Forward:
        _forward.update(dict.fromkeys(types, function))
        return function

    return register


def backward(*types: str) -> Callable[[Backward], Backward]:
    """Register the backward transfer of some layer types."""

    def register(function: Backward) -> Backward:
        _backward.update(dict.fromkeys(types, function))
        return function

    return register


@cache
def _load() -> None:
    for family in FAMILIES:
        import_module(f"{__name__}.{family}")


def run_forward(step: Step) -> list[Value]:
    """The tops of a layer; finite numbers of any size where the type is not known."""
    _load()
    transfer = _forward.get(step.layer.type)
    tops = transfer(step) if transfer and not _spoiled_in_place(step) else []
    tops = tops[: len(step.layer.tops)]
    return tops + [anything(size(blob)) for blob in step.layer.tops[len(tops) :]]


def _spoiled_in_place(step: Step) -> bool:
    """Whether the top overwrites a bottom that is still needed (Eltwise knows what is left of it)."""
    layer = step.layer
    if layer.spec is None or layer.type == "Eltwise" or not step.in_place():
        return False
    return layer.spec.written_in_place(layer.param) in (InPlace.WRONG_OUTPUT, InPlace.REFUSED)


def run_backward(step: Step) -> list[Value]:
    """The gradients of a layer's bottoms; finite numbers of any size where the type is not known."""
    _load()
    transfer = _backward.get(step.layer.type)
    grads = transfer(step) if transfer and not _spoiled_in_place(step) else []
    grads = grads[: len(step.bottoms)]
    return grads + [anything(size(blob)) for blob in step.layer.bottoms[len(grads) :]]


def size(blob: Blob) -> int | None:
    """How many elements a blob has."""
    return count(blob.shape)

"""Which layers run backward, and to which bottoms they pass a gradient (the end of Net::Init, net.cpp)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer


@dataclass(slots=True)
class Node:
    """One layer that Caffe creates, an automatic Split too (which has no `layer`).

    Blobs are known by number; an in-place top has its bottom's. `losses`: the loss weight of each top.
    `learns`: it has a parameter whose rate is not multiplied by 0.
    """

    layer: Layer | None
    bottoms: list[int]
    tops: list[int]
    losses: list[float]
    learns: bool = False
    propagate_down: Sequence[bool] = ()
    needs: bool = False
    bottom_needs: list[bool] = field(default_factory=list)


def decide_backward(nodes: Sequence[Node], force_backward: bool) -> None:
    """Set `needs` and `bottom_needs` of every node, and what they mean on the layers."""
    _from_parameters(nodes)
    _under_a_loss(nodes)
    if force_backward:
        _force(nodes)
    for node in nodes:
        if node.layer is not None:
            node.layer.runs_backward = node.needs
            node.layer.propagates = node.bottom_needs


def _from_parameters(nodes: Sequence[Node]) -> None:
    """Downwards: what a learning layer touches needs a gradient."""
    needing: set[int] = set()
    for node in nodes:
        node.needs = node.learns or not needing.isdisjoint(node.bottoms)
        if len(node.propagate_down) == len(node.bottoms) and node.propagate_down:
            node.bottom_needs = list(node.propagate_down)
        else:
            node.bottom_needs = [blob in needing for blob in node.bottoms]
        if node.needs:
            needing.update(node.tops)


def _under_a_loss(nodes: Sequence[Node]) -> None:
    """Upwards: only what leads to a weighted top runs, and only until nobody asks below."""
    under_loss: set[int] = set()
    skipped: set[int] = set()
    for node in reversed(nodes):
        contributes = any(node.losses) or not under_loss.isdisjoint(node.tops)
        if node.needs and skipped.issuperset(node.tops):
            node.needs = False
            node.bottom_needs = [False] * len(node.bottoms)
        if contributes:
            under_loss.update(node.bottoms)
        else:
            node.needs = False
            node.bottom_needs = [False] * len(node.bottoms)
        for blob, need in zip(node.bottoms, node.bottom_needs, strict=True):
            if not need:
                skipped.add(blob)


def _force(nodes: Sequence[Node]) -> None:
    for node in nodes:
        node.needs = True
        spec = node.layer.spec if node.layer is not None else None
        node.bottom_needs = [
            need or spec is None or spec.may_propagate(index) for index, need in enumerate(node.bottom_needs)
        ]

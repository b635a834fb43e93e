"""Where Caffe inserts Split layers, and how that renames what layers read (util/insert_splits.cpp)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanlint.caffe.upgrade import OriginalLayer

Slot = tuple[int, int]
"""A bottom or top: the index of its layer, and its own."""


@dataclass(slots=True)
class Step:
    """One layer that Caffe creates, with the blob names that it then uses.

    `layer` is the index of the written layer; for an automatic Split, of the layer whose top `split_top` it
    splits. `loss_weights` is what is left of the explicit ones.
    """

    layer: int
    name: str
    bottoms: list[str]
    tops: list[str]
    loss_weights: list[float]
    split_top: int | None = None


@dataclass(slots=True)
class Plan:
    """The steps in order; who makes what is read (unknown bottoms have no entry); who reads each top."""

    steps: list[Step] = field(default_factory=list)
    sources: dict[Slot, Slot] = field(default_factory=dict)
    readers: dict[Slot, list[Slot]] = field(default_factory=dict)
    unknown: list[Slot] = field(default_factory=list)


def insert_splits(layers: Sequence[OriginalLayer]) -> Plan:
    """The layers that Caffe creates for these. An unknown bottom, where Caffe aborts, keeps its name."""
    plan = Plan()
    uses = _count_uses(layers, plan)
    next_output: dict[Slot, int] = {}
    for i, layer in enumerate(layers):
        explicit = layer.loss_weights
        step = Step(i, layer.param.name, list(layer.bottoms), list(layer.tops), list(explicit))
        plan.steps.append(step)
        for j, name in enumerate(step.bottoms):
            source = plan.sources.get((i, j))
            if source is not None and uses[source] > 1:
                output = next_output.get(source, 0)
                step.bottoms[j] = _output_name(layers[source[0]].param.name, name, source[1], output)
                next_output[source] = output + 1
        for j, name in enumerate(step.tops):
            outputs = uses.get((i, j), 0)
            if outputs <= 1:
                continue
            weight = explicit[j] if j < len(explicit) else 0.0
            weights = [weight] + [0.0] * (outputs - 1) if weight else []
            names = [_output_name(step.name, name, j, k) for k in range(outputs)]
            plan.steps.append(Step(i, f"{name}_{step.name}_{j}_split", [name], names, weights, split_top=j))
            if weight:
                step.loss_weights = []
                next_output[i, j] = next_output.get((i, j), 0) + 1
    return plan


def _count_uses(layers: Sequence[OriginalLayer], plan: Plan) -> dict[Slot, int]:
    """How often each top is used: by a reader, or as a loss with an explicit weight that is not 0."""
    last_top: dict[str, Slot] = {}
    uses: dict[Slot, int] = {}
    for i, layer in enumerate(layers):
        for j, name in enumerate(layer.bottoms):
            source = last_top.get(name)
            if source is None:
                plan.unknown.append((i, j))
                continue
            plan.sources[i, j] = source
            plan.readers.setdefault(source, []).append((i, j))
            uses[source] = uses.get(source, 0) + 1
        for j, name in enumerate(layer.tops):
            last_top[name] = (i, j)
        for name, weight in zip(layer.tops, layer.loss_weights, strict=False):
            if weight:
                uses[last_top[name]] = uses.get(last_top[name], 0) + 1
    return uses


def _output_name(layer: str, blob: str, top: int, output: int) -> str:
    return f"{blob}_{layer}_{top}_split_{output}"

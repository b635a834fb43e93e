"""Layers that one phase has and the other lacks, without anything else to show for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.edits import remove
from nanlint.caffe.model import TEST, TRAIN
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.registry import WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net

@rule("NET009", "layer-in-one-phase", WARNING, effect=Effect.NONE)
def layer_in_one_phase(net: Net) -> Iterator[Problem]:
    """An activation or a normalisation stands in one phase only, so the test runs another function than was trained.

    **In Caffe** `include` and `exclude` drop a layer from a net, and what reads a blob on which it worked in place
    reads the blob as it was (net.cpp, FilterNet). Nothing compares the phases. A Dropout that only the test net has
    does nothing: it passes everything on in TEST (dropout_layer.cpp).

    **Instead** remove the rule, or write the same layer for the other phase.
    """
    both = {TRAIN, TEST}
    other = next((one for one in net.companions if {one.phase, net.phase} == both and one.path == net.path), None)
    if other is None or net.refused or other.refused:
        return
    for layer in net.layers:
        if not layer.param.include and not layer.param.exclude:
            continue
        if layer.type == "Dropout" and net.phase == TEST:
            if not any(_at_the_same_blob(layer, twin) for twin in other.layers if twin.type == "Dropout"):
                yield _only_here(layer, other, "a Dropout does nothing in TEST, and the training net has none there")
        elif layer.facts.changes_values and layer.in_place(0) and _reaches_the_other(layer, other):
            yield _only_here(layer, other, f"the {other.phase} net runs without it, on other numbers")


def _only_here(layer: Layer, other: Net, why: str) -> Problem:
    field = "include" if layer.param.include else "exclude"
    return finding(
        layer.at(f"{field}[0]"),
        f"{layer.called} ({layer.type}) stands in the {layer.net.phase} net only: {why}; remove its `{field}`, or give "
        f"the {other.phase} net the same layer",
        related=[Related("the layer", layer.at("type"))],
        fix=remove(layer, f"{field}[0]"),
        layer=layer.name,
        phase=layer.net.phase,
    )


def _reaches_the_other(layer: Layer, other: Net) -> bool:
    """Whether the other net makes the same blob and has no layer of the type, or of another activation, on it."""
    made = layer.bottoms[0].producer
    twins = [one for one in other.layers if one.name == made.name and one.type == made.type]
    if not twins:
        return False
    return not any(_at_the_same_blob(layer, one) for one in other.layers if one.facts.changes_values)


def _at_the_same_blob(layer: Layer, twin: Layer) -> bool:
    return bool(layer.bottoms) and bool(twin.bottoms) and layer.bottoms[0].name == twin.bottoms[0].name

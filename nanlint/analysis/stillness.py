"""Weights whose gradient in the first iteration is exactly 0, as far as the files prove it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.analysis.optimiser import gets_gradient
from nanlint.analysis.ranges import ranges

if TYPE_CHECKING:
    from nanlint.analysis.ranges import Ranges
    from nanlint.caffe.model import Layer, LearnedParam, Net


def without_gradient(net: Net, one: LearnedParam) -> str | None:
    """Why the first gradient of a learnable blob is 0 in every element; None where that is not proved."""
    if not gets_gradient(net, one):
        return f"no loss reaches `{one.layer.name}`"
    if any(other.owner is one for other in net.params):
        return None
    known = ranges(net)
    return _behind_zero(one.layer, known) or _before_zero(one, known)


def _behind_zero(layer: Layer, known: Ranges) -> str | None:
    """Nothing comes back to the layer: a dead ReLU above it, say."""
    grads = known.step(layer).grads
    if grads and all(grad.constant == 0 for grad in grads):
        return f"the gradient that reaches `{layer.name}` is 0"
    return None


def _before_zero(one: LearnedParam, known: Ranges) -> str | None:
    """Weights that only ever multiply zeros."""
    layer = one.layer
    bottom = known.step(layer).bottoms[0] if len(layer.bottoms) == 1 else None
    if layer.facts.multiplies and one.index == 0 and bottom is not None and bottom.constant == 0:
        return f"`{layer.bottoms[0].name}`, which `{layer.name}` reads, is 0"
    return None

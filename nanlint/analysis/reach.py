"""Walks over a built net: what lies below and above a layer, where a loss is, what could learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer, Net


def below(layer: Layer) -> Iterator[Layer]:
    """The layers whose outputs reach a layer, nearest first, without itself."""
    return _walk(layer, lambda one: (bottom.producer for bottom in one.bottoms))


def above(layer: Layer) -> Iterator[Layer]:
    """The layers that a layer's outputs reach, nearest first, without itself."""
    return _walk(layer, lambda one: (reader for top in one.tops for reader, _ in top.consumers))


def learns(layer: Layer) -> bool:
    """Whether a layer has a parameter whose rate is not multiplied by 0."""
    return any(learned.lr_mult != 0 for learned in layer.params)


def is_opaque(layer: Layer) -> bool:
    """Whether nanlint cannot know what a layer does with a gradient: an unknown or a Python layer."""
    return layer.spec is None or layer.type == "Python"


def has_loss(net: Net) -> bool:
    return any(weight != 0 for layer in net.layers for weight in layer.loss_weights)


def readers(blob: Blob) -> list[Layer]:
    """The layers that read a blob, each once, in order."""
    return list(dict.fromkeys(reader for reader, _ in blob.consumers))


def explicit_weight(blob: Blob) -> float:
    """The `loss_weight` that the file gives a top; 0 where it gives none."""
    weights = blob.producer.param.loss_weight
    return weights[blob.top_index] if blob.top_index < len(weights) else 0.0


def _walk(start: Layer, neighbours: Callable[[Layer], Iterator[Layer]]) -> Iterator[Layer]:
    seen = {start}
    front = [start]
    while front:
        following: list[Layer] = []
        for layer in front:
            for other in neighbours(layer):
                if other not in seen:
                    seen.add(other)
                    following.append(other)
                    yield other
        front = following

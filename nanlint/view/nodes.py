"""A net as people draw it: a node a step, with what normalises and rectifies its result joined to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nanlint.caffe.layers.base import InPlace
from nanlint.caffe.model import Blob, Layer, Net, same_shape

_NEAR = 3
"""How many steps below its first reader the first top of a source may be read along an edge."""


class Node(NamedTuple):
    """One box. `layers` in their order, none for a `label`: the name of a blob that comes from far away."""

    layers: tuple[Layer, ...]
    label: str = ""


class Picture(NamedTuple):
    """Boxes in an order in which every edge leads to a later one; edges are pairs of indices, each once."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]

    @property
    def above(self) -> list[list[int]]:
        """For each node, those that it reads, in their order."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for tail, head in self.edges:
            found[head].append(tail)
        return found


def picture(net: Net) -> Picture:
    """The nodes and edges of a net."""
    groups = _joined(net.layers)
    home = {layer: number for number, group in enumerate(groups) for layer in group}
    reads = [_read(group, home, number) for number, group in enumerate(groups)]
    depth = _depths(reads, home)
    first = _first_readers(reads, home, depth)
    nodes: list[Node] = []
    edges: dict[tuple[int, int], None] = {}
    places: list[int] = []
    for number, group in enumerate(groups):
        tails: list[int] = []
        for blob in reads[number]:
            tail = home[blob.producer]
            steps = depth[number] - first[tail]
            if not reads[tail] and steps > (0 if blob.top_index else _NEAR):
                nodes.append(Node((), blob.name))
                tails.append(len(nodes) - 1)
            else:
                tails.append(places[tail])
        places.append(len(nodes))
        nodes.append(Node(tuple(group)))
        edges.update(dict.fromkeys((tail, places[number]) for tail in tails))
    return Picture(tuple(nodes), tuple(edges))


def _joined(layers: Sequence[Layer]) -> list[list[Layer]]:
    """Layers with what follows them in a chain and changes no shape."""
    groups: list[list[Layer]] = []
    home: dict[Layer, int] = {}
    for layer in layers:
        number = home[layer.bottoms[0].producer] if _continues(layer, groups, home) else len(groups)
        if number == len(groups):
            groups.append([])
        groups[number].append(layer)
        home[layer] = number
    return groups


def _continues(layer: Layer, groups: Sequence[Sequence[Layer]], home: dict[Layer, int]) -> bool:
    if len(layer.bottoms) != 1 or len(layer.tops) != 1 or layer.spec is None or layer.spec.is_loss:
        return False
    bottom = layer.bottoms[0]
    before = bottom.producer
    follows = before.bottoms and len(before.tops) == 1 and groups[home[before]][-1] is before
    if not follows or len(bottom.consumers) != 1:
        return False
    if layer.in_place(0):
        return True
    weighs = any(param.param.shape is None or len(param.param.shape) > 1 for param in layer.params)
    keeps = layer.spec.written_in_place(layer.param) is InPlace.RIGHT
    return keeps and not weighs and same_shape(bottom.shape, layer.tops[0].shape) is True


def _read(group: Sequence[Layer], home: dict[Layer, int], number: int) -> list[Blob]:
    """The blobs from other nodes, each once."""
    blobs = dict.fromkeys(blob for layer in group for blob in layer.bottoms if home[blob.producer] != number)
    return list(blobs)


def _depths(reads: Sequence[Sequence[Blob]], home: dict[Layer, int]) -> list[int]:
    """For each group, how many steps the longest way to it takes."""
    depths: list[int] = []
    for blobs in reads:
        depths.append(max((depths[home[blob.producer]] + 1 for blob in blobs), default=0))
    return depths


def _first_readers(reads: Sequence[Sequence[Blob]], home: dict[Layer, int], depth: Sequence[int]) -> dict[int, int]:
    """For each group that is read, the least depth of a reader: later readers of a source are far from it."""
    first: dict[int, int] = {}
    for number, blobs in enumerate(reads):
        for blob in blobs:
            tail = home[blob.producer]
            first[tail] = min(first.get(tail, depth[number]), depth[number])
    return first

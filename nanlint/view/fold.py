"""Blocks that follow each other and are alike, drawn once: `x 35`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nanlint.caffe.model import Layer
from nanlint.view.layout import cuts, ranks, spine
from nanlint.view.nodes import Node, Picture

_LONGEST = 8
"""The most blocks that together make one that repeats."""
_LEAST_SAVED = 2
"""Folding must spare at least this many nodes."""


class Group(NamedTuple):
    """Nodes that stand for `times` copies of themselves."""

    nodes: tuple[int, ...]
    times: int


class Folded(NamedTuple):
    """A picture with repeats drawn once. `layers`: for each node the layers that it stands for, its copies' too."""

    picture: Picture
    groups: tuple[Group, ...]
    layers: tuple[tuple[Layer, ...], ...]


class _Block(NamedTuple):
    """The nodes after one cut of the spine up to the next, which is the last; what they are, without names."""

    nodes: tuple[int, ...]
    kind: object


def folded(of: Picture) -> Folded:
    """The picture with runs of equal blocks folded."""
    stands_for = list(range(len(of.nodes)))
    firsts: list[tuple[tuple[int, ...], int]] = []
    blocks = _blocks(of)
    start = 0
    while start < len(blocks):
        period, times = _repeats(blocks, start)
        if times > 1:
            first = [node for block in blocks[start : start + period] for node in block.nodes]
            for copy in range(1, times):
                at = start + copy * period
                copied = [node for block in blocks[at : at + period] for node in block.nodes]
                for node, original in zip(copied, first, strict=True):
                    stands_for[node] = original
            firsts.append((tuple(first), times))
        start += period * times
    return _without_copies(of, stands_for, firsts)


def plain(of: Picture) -> Folded:
    """The picture as it is."""
    return Folded(of, (), tuple(node.layers for node in of.nodes))


def _without_copies(
    of: Picture, stands_for: Sequence[int], firsts: Sequence[tuple[tuple[int, ...], int]]
) -> Folded:
    kept = [node for node, original in enumerate(stands_for) if node == original]
    place = {node: index for index, node in enumerate(kept)}
    layers: list[list[Layer]] = [[] for _ in kept]
    for node, original in enumerate(stands_for):
        layers[place[original]] += of.nodes[node].layers
    edges: dict[tuple[int, int], None] = {}
    for tail, head in of.edges:
        if stands_for[head] == head:  # a copy's own edges are its original's
            edges[place[stands_for[tail]], place[head]] = None
    nodes: tuple[Node, ...] = tuple(of.nodes[node] for node in kept)
    groups = tuple(Group(tuple(place[node] for node in first), times) for first, times in firsts)
    return Folded(Picture(nodes, tuple(edges)), groups, tuple(map(tuple, layers)))


def _repeats(blocks: Sequence[_Block], start: int) -> tuple[int, int]:
    """The length and number of the repeats that begin here and spare most; (1, 1) for none."""
    best, most = (1, 1), _LEAST_SAVED - 1
    for period in range(1, _LONGEST + 1):
        pattern = [block.kind for block in blocks[start : start + period]]
        if len(pattern) < period or None in pattern:
            break
        times = 1
        while [one.kind for one in blocks[start + times * period : start + (times + 1) * period]] == pattern:
            times += 1
        saved = (times - 1) * sum(len(block.nodes) for block in blocks[start : start + period])
        if saved > most:
            best, most = (period, times), saved
    return best


def _blocks(of: Picture) -> list[_Block]:
    rank = ranks(of)
    main = spine(of, rank)
    limits = cuts(of, rank, main)
    above = of.above
    aside = {tail for tail, head in of.edges if not main[head]}
    inner: dict[int, list[int]] = {limit: [] for limit in limits}
    onward = iter(limits)
    limit = next(onward, None)
    for node in sorted((node for node, on_main in enumerate(main) if on_main), key=lambda node: (rank[node], node)):
        while limit is not None and rank[node] > rank[limit]:
            limit = next(onward, None)
        if limit is not None:
            inner[limit].append(node)
    blocks: list[_Block] = []
    before = -1
    for limit in limits:
        nodes = inner[limit]
        place = {node: index for index, node in enumerate(nodes)}
        alone = all(main[tail] for node in nodes for tail in above[node]) and not aside.intersection(nodes)
        within = all(tail in place or tail == before for node in nodes for tail in above[node])
        kind = None
        if alone and within and before >= 0:
            kind = tuple((_kind(of.nodes[node]), tuple(place.get(tail, -1) for tail in above[node])) for node in nodes)
        blocks.append(_Block(tuple(nodes), kind))
        before = limit
    return blocks


def _kind(node: Node) -> tuple[object, ...]:
    """What a node does: its layers' fields without their names, and the shapes they make."""
    return tuple((_fields(layer), tuple(top.shape for top in layer.tops)) for layer in node.layers)


def _fields(layer: Layer) -> bytes:
    param = type(layer.param)()
    param.CopyFrom(layer.param)
    for name in ("name", "bottom", "top"):
        param.ClearField(name)
    for one in param.param:
        one.ClearField("name")
    return param.SerializeToString(deterministic=True)

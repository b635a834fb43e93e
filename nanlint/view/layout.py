"""Where nodes lie and how edges run: ranks from top to bottom, a straight spine, what leaves it beside it.

Between two ranks is a gap that holds no node; an edge changes its column only there, and passes a rank in
a lane of its own. So no edge can run through a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from nanlint.view.columns import fitted
from nanlint.view.nodes import Picture

WIDTH, HEIGHT, GAP = 206, 58, 36
"""A node's width and height, and the height of the gap between two ranks, in pixels."""
LABEL_WIDTH, LANE_WIDTH, BESIDE = 120, 10, 16
"""The widths of a label and of a lane, and the distance of two neighbours in a rank, in pixels."""

_SWEEPS = 4
_STRAIGHT, _PINNED = 8.0, 1e9


class Bend(NamedTuple):
    """From the column `x0` below `rank` to the column `x1` above the next, which it passes if `through`."""

    rank: int
    x0: float
    x1: float
    through: bool


class Layout(NamedTuple):
    """The middle and the rank of each node, and the bends of all edges that leave it."""

    x: tuple[float, ...]
    rank: tuple[int, ...]
    bends: tuple[tuple[Bend, ...], ...]


class _Item(NamedTuple):
    """What takes room in a rank: a node, or a lane of the edges that leave the node `of`."""

    of: int
    rank: int
    lane: bool
    width: float
    main: bool


def layout(of: Picture) -> Layout:
    """Places for the nodes of a picture, none over another."""
    rank = ranks(of)
    items, links = _items(of, rank, spine(of, rank))
    rows: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for index, item in enumerate(items):
        if item.main:
            rows[item.rank].append(index)
    near = _neighbours(len(items), links)
    rows = _ordered(rows, items, near)
    x = _columns(rows, items, near)
    _put_beside(x, rows, items, near)
    bends: list[list[Bend]] = [[] for _ in of.nodes]
    for tail, head in links:
        bends[items[tail].of].append(Bend(items[tail].rank, x[tail], x[head], items[head].lane))
    return Layout(tuple(x[: len(of.nodes)]), tuple(rank), tuple(map(tuple, bends)))


def ranks(of: Picture) -> list[int]:
    """The length of the longest way to each node; a node that reads nothing stands just above its first reader."""
    above = of.above
    rank = [0] * len(of.nodes)
    first: dict[int, int] = {}
    for head, tails in enumerate(above):
        rank[head] = max((rank[tail] + 1 for tail in tails), default=0)
        for tail in tails:
            first[tail] = min(first.get(tail, rank[head]), rank[head])
    for node, reader in first.items():
        if not above[node]:
            rank[node] = reader - 1
    return rank


def spine(of: Picture, rank: Sequence[int]) -> list[bool]:
    """Which nodes lie on a way to the deepest end: the net without its other heads, and without labels."""
    ends = sorted(set(range(len(of.nodes))) - {tail for tail, _ in of.edges})
    main = [False] * len(of.nodes)
    above = of.above
    waiting = [max(ends, key=lambda node: rank[node])] if ends else []
    while waiting:
        node = waiting.pop()
        if not main[node] and of.nodes[node].layers:
            main[node] = True
            waiting += above[node]
    return main


def cuts(of: Picture, rank: Sequence[int], main: Sequence[bool]) -> list[int]:
    """The nodes of the spine that every way along it passes, from top to bottom."""
    reach = _deepest_reader(of, rank, main)
    starts = [0] * (max(rank, default=-1) + 2)
    for node, on_main in enumerate(main):
        if on_main:
            starts[rank[node]] += 1
            starts[max(reach[node], rank[node] + 1)] -= 1
    width, total = [], 0
    for change in starts:
        total += change
        width.append(total)
    found = [node for node, on_main in enumerate(main) if on_main and width[rank[node]] == 1]
    return sorted(found, key=lambda node: rank[node])


def _deepest_reader(of: Picture, rank: Sequence[int], main: Sequence[bool]) -> list[int]:
    """For each node of the spine, the rank of its deepest reader on the spine; else 0."""
    deepest = [0] * len(of.nodes)
    for tail, head in of.edges:
        if main[tail] and main[head]:
            deepest[tail] = max(deepest[tail], rank[head])
    return deepest


def _items(of: Picture, rank: Sequence[int], main: Sequence[bool]) -> tuple[list[_Item], list[tuple[int, int]]]:
    """The nodes, then the lanes; and which item is linked to which of the next rank."""
    reach = _deepest_reader(of, rank, main)
    items = [
        _Item(index, rank[index], False, WIDTH if node.layers else LABEL_WIDTH, main[index])
        for index, node in enumerate(of.nodes)
    ]
    links: list[tuple[int, int]] = []
    lanes: list[list[int]] = [[] for _ in of.nodes]
    for tail, head in sorted(of.edges, key=lambda edge: rank[edge[1]]):
        own = lanes[tail]
        while rank[tail] + len(own) < rank[head] - 1:
            passed = rank[tail] + len(own) + 1
            items.append(_Item(tail, passed, True, LANE_WIDTH, passed < reach[tail]))
            links.append((own[-1] if own else tail, len(items) - 1))
            own.append(len(items) - 1)
        passed_by = rank[head] - rank[tail] - 1
        links.append((own[passed_by - 1] if passed_by else tail, head))
    return items, links


class _Neighbours(NamedTuple):
    """For each item those of the rank above it, and those of the rank below."""

    above: list[list[int]]
    below: list[list[int]]


def _neighbours(number: int, links: Iterable[tuple[int, int]]) -> _Neighbours:
    near = _Neighbours([[] for _ in range(number)], [[] for _ in range(number)])
    for tail, head in links:
        near.above[head].append(tail)
        near.below[tail].append(head)
    return near


def _ordered(rows: list[list[int]], items: Sequence[_Item], near: _Neighbours) -> list[list[int]]:
    """The rows, each in the order with the fewest crossings that some sweeps down and up meet."""
    best, fewest = rows, _crossings(rows, near)
    for sweep in range(2 * _SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        rows = _swept(rows, near.above if down else near.below, items, down)
        crossings = _crossings(rows, near)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _swept(rows: list[list[int]], towards: list[list[int]], items: Sequence[_Item], down: bool) -> list[list[int]]:
    place: dict[int, float] = {}
    swept = list(rows)
    for number in range(len(rows)) if down else reversed(range(len(rows))):
        row = rows[number]
        middle = {}
        for index, item in enumerate(row):
            known = [place[one] for one in towards[item] if one in place]
            middle[item] = sum(known) / len(known) if known else index / max(1, len(row) - 1)
        swept[number] = sorted(row, key=lambda item: (middle[item], items[item].lane))
        span = max(1, len(row) - 1)
        place.update({item: index / span if len(row) > 1 else 0.5 for index, item in enumerate(swept[number])})
    return swept


def _crossings(rows: Sequence[Sequence[int]], near: _Neighbours) -> int:
    """How many pairs of links between neighbouring ranks cross."""
    crossings = 0
    for upper, lower in pairwise(rows):
        if len(upper) < 2 or len(lower) < 2:
            continue
        place = {item: index for index, item in enumerate(lower)}
        heads = [sorted(place[one] for one in near.below[item] if one in place) for item in upper]
        seen: list[int] = []
        for found in heads:
            crossings += sum(before > one for one in found for before in seen)
            seen += found
    return crossings


def _columns(rows: Sequence[Sequence[int]], items: Sequence[_Item], near: _Neighbours) -> list[float]:
    """The middle of each item of the spine: as straight as its neighbours allow."""
    x = [0.0] * len(items)
    pinned = _pinned(rows, items)
    for row in rows:
        wanted = [(0.0, _PINNED if item in pinned else 1.0) for item in row]
        _place(row, wanted, x, items)
    for sweep in range(2 * _SWEEPS):
        down = sweep % 2 == 0
        towards = near.above if down else near.below
        for row in rows if down else reversed(rows):
            if len(row) == 1 and row[0] in pinned:
                continue
            wanted = [
                (0.0, _PINNED) if item in pinned else _pull(item, towards[item], x, items) for item in row
            ]
            _place(row, wanted, x, items)
    return x


def _pull(item: int, neighbours: Sequence[int], x: Sequence[float], items: Sequence[_Item]) -> tuple[float, float]:
    """Where an item wants to be, and how much."""
    drawn = [one for one in neighbours if items[one].main]
    if not drawn:
        return x[item], 0.1
    straight = items[item].lane and any(items[one].lane for one in drawn)
    if straight:
        drawn = [one for one in drawn if items[one].lane]
    return sum(x[one] for one in drawn) / len(drawn), _STRAIGHT if straight else 1.0


def _pinned(rows: Sequence[Sequence[int]], items: Sequence[_Item]) -> set[int]:
    """The nodes that stand at 0: those that are alone, and those beside which only lanes run through a block."""
    pinned: set[int] = set()
    block: list[int] = []
    straight = True
    for row in rows:
        nodes = [item for item in row if not items[item].lane]
        if len(row) == 1 and nodes:
            pinned.update(nodes)
            if straight:
                pinned.update(block)
            block, straight = [], True
        else:
            block += nodes
            straight = straight and len(nodes) == 1
    return pinned


def _place(row: Sequence[int], wanted: Sequence[tuple[float, float]], x: list[float], items: Sequence[_Item]) -> None:
    widths = [items[item].width for item in row]
    for item, middle in zip(row, fitted(wanted, widths, BESIDE), strict=True):
        x[item] = middle


def _put_beside(x: list[float], rows: Sequence[Sequence[int]], items: Sequence[_Item], near: _Neighbours) -> None:
    """Place what is not on the spine: each part as one, to the right of all that its ranks hold so far."""
    right = [max((x[item] + items[item].width / 2 for item in row), default=0.0) for row in rows]
    for part in _parts(items, near):
        inner: list[list[int]] = [[] for _ in rows]
        for item in part:
            inner[items[item].rank].append(item)
        used = [row for row in _ordered(inner, items, near) if row]
        for row in used:
            _place(row, [(0.0, 1.0)] * len(row), x, items)
        start = max(
            right[items[row[0]].rank] + BESIDE - (x[row[0]] - items[row[0]].width / 2) for row in used
        )
        for row in used:
            for item in row:
                x[item] += start
            right[items[row[-1]].rank] = x[row[-1]] + items[row[-1]].width / 2


def _parts(items: Sequence[_Item], near: _Neighbours) -> list[list[int]]:
    """The connected parts of what is not on the spine: those that begin far down first, so that they lie near it."""
    seen: set[int] = set()
    parts: list[list[int]] = []
    for first, item in enumerate(items):
        if item.main or first in seen:
            continue
        part, waiting = [], [first]
        seen.add(first)
        while waiting:
            one = waiting.pop()
            part.append(one)
            for other in (*near.above[one], *near.below[one]):
                if not items[other].main and other not in seen:
                    seen.add(other)
                    waiting.append(other)
        parts.append(sorted(part))
    return sorted(parts, key=lambda part: -min(items[one].rank for one in part))

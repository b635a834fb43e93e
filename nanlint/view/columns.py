"""Things side by side in a row, each as near as can be to where it wants to be."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class _Group(NamedTuple):
    """Neighbours that touch: the offset of the whole, its weight, and how many they are."""

    offset: float
    weight: float
    number: int


def fitted(wanted: Sequence[tuple[float, float]], widths: Sequence[float], beside: float) -> list[float]:
    """The middles that keep the order and a distance of `beside`, with the least weighted squares of the ways
    from what is `wanted`: (middle, weight) each.

    Without the distances it is an isotonic regression, which pooling adjacent violators solves exactly.
    """
    steps = [0.0] if widths else []
    for left, right in pairwise(widths):
        steps.append(steps[-1] + (left + right) / 2 + beside)
    groups: list[_Group] = []
    for (middle, weight), step in zip(wanted, steps, strict=True):
        group = _Group(middle - step, weight, 1)
        while groups and groups[-1].offset > group.offset:
            before = groups.pop()
            total = before.weight + group.weight
            offset = (before.offset * before.weight + group.offset * group.weight) / total
            group = _Group(offset, total, before.number + group.number)
        groups.append(group)
    offsets = [group.offset for group in groups for _ in range(group.number)]
    return [offset + step for offset, step in zip(offsets, steps, strict=True)]

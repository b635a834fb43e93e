"""How a row of numbers goes: flat, repeating, rising, swinging."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

LEAST = 9
"""Numbers from which a course can be told."""


def thirds(values: Sequence[float]) -> tuple[float, float]:
    """The medians of the first and of the last third."""
    third = max(1, len(values) // 3)
    return median(values[:third]), median(values[-third:])


def tail(values: Sequence[float]) -> Sequence[float]:
    """The later half."""
    return values[len(values) // 2 :]


def level(values: Sequence[float]) -> float:
    """Where the later half stands."""
    return median(tail(values))


def flat(values: Sequence[float], tolerance: float) -> bool:
    """Whether all but the first value lie within a share of their median."""
    middle = median(values[1:])
    return all(abs(value - middle) <= tolerance * abs(middle) for value in values[1:])


def mostly_flat(values: Sequence[float], tolerance: float) -> bool:
    """Whether nine in ten of the later half lie within a share of their median."""
    rows = tail(values)
    middle = median(rows)
    near = sum(abs(value - middle) <= tolerance * abs(middle) for value in rows)
    return near >= 0.9 * len(rows)


def repeats(values: Sequence[float]) -> bool:
    """Whether the later half only has values that the first half had, to the last digit: the weights stand still.

    Batches come again each epoch; with weights that move their losses do not. The first loss is among those that
    come again: a loss that has fallen to a few last values is no such row.
    """
    half = len(values) // 2
    early, late = set(values[:half]), set(values[half:])
    return late <= early and values[0] in late and (len(late) > 1 or len(early) == 1)


def no_better(values: Sequence[float]) -> bool:
    """Whether the last third is not below the first by more than the values scatter, or by 2 %."""
    first, last = thirds(values)
    third = max(1, len(values) // 3)
    scatter = median([abs(value - first) for value in values[:third]])
    return last > first - max(scatter, 0.02 * abs(first))


def rises(values: Sequence[float]) -> bool:
    """Whether the last third stands far above the first, and above where it all began."""
    first, last = thirds(values)
    third = max(1, len(values) // 3)
    middle = median(values[third:-third])
    above = last > 1.2 * abs(values[0]) and max(values[-third:]) > 2 * abs(values[0])
    return above and last > 1.5 * abs(first) + 1e-6 and last > 0.99 * middle


def swings(values: Sequence[float]) -> bool:
    """Whether the later half goes up and down at nearly each step, by a good part of its level."""
    rows = tail(values)
    steps = [after - before for before, after in pairwise(rows)]
    turns = sum(one * other < 0 for one, other in pairwise(steps))
    if len(steps) < 6 or turns < 0.85 * (len(steps) - 1):
        return False
    return median([abs(step) for step in steps]) > 0.1 * abs(median(rows))


def explodes(values: Sequence[float]) -> bool:
    """Whether the last values before the end are many times those at the start."""
    if len(values) < 2:
        return False
    start = abs(values[0]) if len(values) < 10 else median([abs(value) for value in values[:5]])
    return max(map(abs, values[-3:])) > 3 * start + 1e-30

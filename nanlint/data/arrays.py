"""Arrays of numbers to exact statistics. Only the worker imports this, and numpy with it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanlint.data.spread import UNIT, Spread, Sums, Values, units

Array = NDArray[Any]

_BYTE_VALUES = np.arange(256, dtype=np.int64)
_BYTE_BINS = np.arange(256, dtype=np.float32).view(np.uint32) >> 20
MOST_CHANNELS = 1000
_PROBED, MOST_PROBED = 4096, 1000
"""Numbers at the start of a record that are looked at, and how many distinct ones of them classes may have."""


def as_float(numbers: Array) -> NDArray[np.float32]:
    """Numbers as Caffe's blobs hold them: doubles beyond the greatest float are infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(numbers, dtype=np.float32)


def of_bytes(held: bytes, kind: str) -> Array:
    """The numbers of a kind (`<f4`) that bytes hold; what is left over at the end is none."""
    size = np.dtype(kind).itemsize
    return np.frombuffer(held[: len(held) // size * size], dtype=kind)


def spread_of(records: Array, channels: int, values: Values | None = None) -> Spread:
    """Statistics of records, one a row, whose numbers are `channels` equal runs; `values` get how often each stands
    there.
    """
    if not records.size:
        return Spread()
    shaped = records.reshape(len(records), channels, -1)
    if records.dtype == np.uint8:
        return _of_bytes(shaped, values)
    if values is not None:
        count_values(values, records)
    return _of_floats(as_float(shaped))


def _of_bytes(shaped: Array, values: Values | None) -> Spread:
    spread = Spread(channels=[])
    histogram = np.zeros(256, dtype=np.int64)
    sums = []
    for channel in range(shaped.shape[1]):
        counts = byte_counts(shaped[:, channel])
        histogram += counts
        sums.append(_sums_of_counts(counts))
    spread.channels = sums
    if values is not None:
        present = np.flatnonzero(histogram)
        values.tally({float(one): int(histogram[one]) for one in present})
    for bin_, count in zip(_BYTE_BINS.tolist(), histogram.tolist(), strict=True):
        if count:
            spread.bins[bin_] += count
    return spread


def byte_counts(numbers: Array) -> NDArray[np.int64]:
    """How often each byte stands there. Pairs of bytes are counted, which takes half the time."""
    flat = np.ascontiguousarray(numbers).reshape(-1)
    even = flat[: len(flat) // 2 * 2].view(np.uint16)
    if len(even) < 1 << 15:
        return np.bincount(flat, minlength=256)
    pairs = np.bincount(even, minlength=1 << 16).reshape(256, 256)
    counts: NDArray[np.int64] = pairs.sum(axis=0) + pairs.sum(axis=1)
    if len(flat) % 2:
        counts[flat[-1]] += 1
    return counts


def _sums_of_counts(counts: NDArray[np.int64]) -> Sums:
    present = np.flatnonzero(counts)
    total, squares = int((counts * _BYTE_VALUES).sum()), int((counts * _BYTE_VALUES**2).sum())
    return Sums(int(counts.sum()), float(present[0]), float(present[-1]), total << UNIT, squares << 2 * UNIT)


def _of_floats(shaped: NDArray[np.float32]) -> Spread:
    spread = Spread(channels=[])
    finite = np.isfinite(shaped)
    every = bool(finite.all())
    if not every:
        spread.nonfinite = int(finite.size - np.count_nonzero(finite))
    sums = []
    for channel in range(shaped.shape[1]):
        numbers, kept = shaped[:, channel], finite[:, channel]
        if every:
            low, high, count = float(numbers.min()), float(numbers.max()), numbers.size
        else:
            low = float(np.min(numbers, where=kept, initial=np.inf))
            high = float(np.max(numbers, where=kept, initial=-np.inf))
            numbers, count = np.where(kept, numbers, np.float32(0)), int(np.count_nonzero(kept))
        doubles = numbers.astype(np.float64)
        totals = doubles.sum(axis=1).tolist()
        np.square(doubles, out=doubles)
        squares = doubles.sum(axis=1).tolist()
        sums.append(
            Sums(count, low, high, sum(map(units, totals)), sum(units(one, 2 * UNIT) for one in squares))
        )
    spread.channels = sums
    upper = np.bincount((np.ascontiguousarray(shaped).view(np.uint32) >> 20).reshape(-1))
    present = np.flatnonzero(upper)
    spread.bins = Counter(dict(zip(present.tolist(), upper[present].tolist(), strict=True)))
    return spread


def count_values(values: Values, numbers: Array) -> None:
    """Count each distinct number of an array; NaN is none."""
    if values.many or not numbers.size:
        return
    rows = as_float(numbers).reshape(len(numbers), -1)
    for row in rows[:, :_PROBED] if rows.shape[1] > MOST_PROBED else ():
        if len(np.unique(row)) > MOST_PROBED:
            values.many = True
            values.tally({})
            return
    flat = rows.reshape(-1)
    distinct, counts = np.unique(flat[~np.isnan(flat)], return_counts=True)
    values.tally(dict(zip(distinct.tolist(), counts.tolist(), strict=True)))

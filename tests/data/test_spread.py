"""Statistics are exact, and the same whatever the parts in which numbers are read."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanlint.data.arrays import byte_counts, count_values, spread_of
from nanlint.data.spread import Spread, Values

FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)


def read(rows: list[list[float]], cuts: list[int]) -> Spread:
    """The spread of rows that are read in parts, cut at these rows."""
    bounds = sorted({0, len(rows), *(cut % (len(rows) + 1) for cut in cuts)})
    spread = Spread()
    for start, end in itertools.pairwise(bounds):
        spread.add(spread_of(np.array(rows[start:end], dtype=np.float32), 2))
    return spread


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(FLOATS, min_size=4, max_size=4), min_size=1, max_size=8), st.lists(st.integers(0, 8)))
def test_parts_of_floats_give_the_same_as_the_whole(rows: list[list[float]], cuts: list[int]) -> None:
    assert read(rows, cuts) == read(rows, [])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=40))
def test_figures_are_those_of_the_numbers(numbers: list[float]) -> None:
    channels = spread_of(np.array(numbers, dtype=np.float32)[None], 1).channels
    assert channels is not None
    (sums,) = channels
    assert (sums.low, sums.high) == (min(numbers), max(numbers))
    assert sums.mean == pytest.approx(statistics.fmean(numbers), rel=1e-9, abs=1e-9)
    assert sums.std == pytest.approx(statistics.pstdev(numbers), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("size", [0, 1, 7, 70_001])
def test_bytes_are_counted_each(size: int) -> None:
    numbers = np.random.default_rng(size).integers(0, 256, size).astype(np.uint8)
    assert byte_counts(numbers).tolist() == np.bincount(numbers, minlength=256).tolist()


def test_numbers_that_are_not_finite_are_counted_apart() -> None:
    spread = spread_of(np.array([[1, math.nan, 3, math.inf]], dtype=np.float32), 1)
    assert spread.nonfinite == 2
    assert spread.channels is not None
    assert (spread.channels[0].count, spread.channels[0].mean) == (2, 2.0)


def test_channels_of_other_numbers_have_no_figures() -> None:
    spread = spread_of(np.zeros((1, 4), np.float32), 1)
    spread.add(spread_of(np.zeros((1, 4), np.float32), 2))
    assert spread.channels is None


def labels(*values: float) -> Values:
    found = Values()
    found.tally(Counter(values))
    found.follow(list(values))
    return found


@pytest.mark.parametrize(
    ("one", "other", "falls"),
    [((0, 1), (1, 2), False), ((0, 1), (0, 2), True), ((1, 0), (1, 1), True), ((), (0, 1), False)],
)
def test_order_is_kept_across_parts(one: tuple[float, ...], other: tuple[float, ...], falls: bool) -> None:
    found = labels(*one)
    found.add(labels(*other))
    assert found.falls is falls
    assert found.counts == Counter((*one, *other))


def test_numbers_that_are_all_different_are_no_classes() -> None:
    found = Values()
    count_values(found, np.linspace(0, 1, 5000, dtype=np.float32)[None])
    assert found.many
    assert not found.counts

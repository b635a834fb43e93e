"""Things in a row keep their distance and go as far as they must, no farther."""

from __future__ import annotations

import pytest

from nanlint.view.columns import fitted


def test_what_has_room_stands_where_it_wants() -> None:
    assert fitted([(0, 1), (100, 1)], [20, 20], 10) == [0, 100]


def test_two_that_want_one_place_stand_to_either_side_of_it() -> None:
    assert fitted([(0, 1), (0, 1)], [20, 20], 10) == [-15, 15]


def test_the_heavier_one_moves_less() -> None:
    assert fitted([(0, 2), (0, 1)], [20, 20], 10) == [-10, 20]


def test_a_push_goes_on_to_the_neighbours() -> None:
    assert fitted([(0, 1e9), (0, 1), (35, 1)], [20, 20, 20], 10) == pytest.approx([0, 30, 60], abs=1e-6)


def test_nothing_in_a_row() -> None:
    assert fitted([], [], 10) == []

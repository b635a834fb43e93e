"""Offsets and places of the protocol, in each of its units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanlint.server.lines import At, Lines

TEXT = "a𝒳é\r\nb\rc\n"


@pytest.mark.parametrize(
    ("unit", "places"),
    [
        ("utf-16", [(0, 0), (0, 1), (0, 3), (0, 4)]),
        ("utf-8", [(0, 0), (0, 1), (0, 5), (0, 7)]),
        ("utf-32", [(0, 0), (0, 1), (0, 2), (0, 3)]),
    ],
)
def test_columns_count_units(unit: str, places: list[tuple[int, int]]) -> None:
    assert [Lines(TEXT, unit).at(offset) for offset in range(4)] == places


def test_every_line_end_of_the_protocol_ends_a_line() -> None:
    lines = Lines(TEXT)
    assert [lines.at(TEXT.index(letter)).line for letter in "abc"] == [0, 1, 2]
    assert lines.at(len(TEXT)) == At(3, 0)


def test_a_place_outside_of_the_text_is_the_nearest_one() -> None:
    lines = Lines("ab\ncd")
    assert (lines.offset(0, 99), lines.offset(1, 99), lines.offset(99, 0)) == (2, 5, 5)


@given(st.text(alphabet=st.sampled_from("ab é𝒳\n\r")), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_there_and_back(text: str, unit: str) -> None:
    lines = Lines(text, unit)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] != "\r\n":
            assert lines.offset(*lines.at(offset)) == offset

from __future__ import annotations

from typing import NamedTuple

import pytest

from nanlint.text.edits import collides, edited, whole_line
from nanlint.text.source import Place, Source, Span


class Edit(NamedTuple):
    place: Place
    text: str


TEXT = "pool: AVE stride: 5\r\n"


def edit(old: str, new: str) -> Edit:
    start = TEXT.index(old)
    return Edit(Place(Source("net.prototxt", TEXT), Span(start, start + len(old))), new)


def test_edits_in_any_order() -> None:
    assert edited(TEXT, [edit("5", "3"), edit("AVE", "MAX")]) == "pool: MAX stride: 3\r\n"
    assert edited(TEXT, []) == TEXT


def test_collisions() -> None:
    assert collides(edit("stride: 5", ""), [edit("5", "3")])
    assert collides(edit("AVE", "MAX"), [edit("AVE", "MAX")])
    assert not collides(edit("AVE", "MAX"), [edit(" stride", "x")])


@pytest.mark.parametrize(
    ("before", "removed", "after"),
    [("a: 1\n", "  b: 2 \r\n", "c: 3"), ("a: 1", " b: 2", " c: 3"), ("a: 1\n", "b: 2", ""), ("{\n", "b: 2", " }")],
)
def test_what_to_remove_with_a_field(before: str, removed: str, after: str) -> None:
    text = before + removed + after
    start = text.index("b")
    assert whole_line(text, start, start + 4) == (len(before), len(before) + len(removed))

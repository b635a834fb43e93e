"""Bytes of every encoding that logs are met in become lines."""

from __future__ import annotations

import codecs

import pytest

from nanlint.logs.decode import Decoder

TEXT = "first line\nsecond: größer\n\nlast, without an end"


def decoded(data: bytes, piece: int = 7) -> list[str]:
    decoder = Decoder()
    lines = []
    for start in range(0, len(data), piece):
        lines += decoder.feed(data[start : start + piece])
    return lines + decoder.end()


@pytest.mark.parametrize(
    ("mark", "encoding", "said"),
    [
        (b"", "utf-8", "utf-8"),
        (codecs.BOM_UTF8, "utf-8", "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
        (b"", "utf-16-le", "utf-16"),
        (b"", "utf-16-be", "utf-16"),
    ],
)
@pytest.mark.parametrize("piece", [1, 5, 100_000])
def test_an_encoding_is_told_by_its_mark_or_its_zeros(mark: bytes, encoding: str, said: str, piece: int) -> None:
    text = TEXT * 200
    decoder = Decoder()
    data = mark + text.encode(encoding)
    lines = [line for at in range(0, len(data), piece) for line in decoder.feed(data[at : at + piece])]
    assert lines + decoder.end() == text.split("\n")
    assert decoder.encoding == said


def test_nul_bytes_and_colours_are_left_out() -> None:
    assert decoded(b"a\0\0b \x1b[1;31mred\x1b[0m \x1b]0;title\x07end\n") == ["ab red end"]


def test_bytes_in_no_encoding_cost_no_line() -> None:
    assert len(decoded(b"one\n\xff\xfe\xc3( two\nthree")) == 3


def test_an_empty_file_has_no_line() -> None:
    assert decoded(b"") == []


def test_a_file_without_line_ends_does_not_fill_the_memory() -> None:
    decoder = Decoder()
    pieces = [line for _ in range(6) for line in decoder.feed(b"x" * 400_000)]
    assert pieces
    assert max(map(len, pieces)) <= 1_500_000


def test_a_short_file_can_be_read_before_it_ends() -> None:
    decoder = Decoder()
    assert decoder.feed(b"Iteration 0, loss = 1\nhalf") == []
    assert decoder.settle() == ["Iteration 0, loss = 1"]
    assert decoder.feed(b" a line\n") == ["half a line"]

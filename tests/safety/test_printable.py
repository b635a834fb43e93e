from __future__ import annotations

import pytest

from nanlint.safety import printable


def test_what_everybody_can_read_stays() -> None:
    for text in ("`conv1` has 3 rows", "größer · 漢字 … ×"):
        assert printable.message(text) == printable.name(text) == printable.line(text) == text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\n::error::x", r"a\n::error::x"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x1b[8mhidden", r"\x1b[8mhidden"),
        ("\x85\u2028", r"\x85\u2028"),
        ("a\u202eb\u200b", r"a\u202eb\u200b"),
        ("caf\udce9 \ud800", r"caf\xe9 \ud800"),
        ("\0\t\r", r"\x00\t\r"),
    ],
)
def test_control_characters_are_escaped(hostile: str, shown: str) -> None:
    assert printable.name(hostile) == printable.message(hostile) == printable.line(hostile) == shown


def test_long_names_lose_their_middle() -> None:
    assert printable.name("a" * 1000 + "z") == "a" * 47 + "…" + "a" * 11 + "z"
    assert printable.name("a" * 60) == "a" * 60


def test_long_quotes_and_words_of_a_message_are_cut() -> None:
    said = printable.message(f"`{'x' * 10**6}` is no number; write `1`")
    assert said.endswith("` is no number; write `1`")
    assert len(said) < 110
    prose = "`a` is followed by a long stretch of words that are quoted by nothing and by nobody at all; write `b`"
    assert printable.message(prose) == prose
    assert len(printable.message("9" * 10**6)) < 300
    assert len(printable.message("no end " * 10**5)) == printable.MOST_MESSAGE


def test_evidence_keeps_its_lines() -> None:
    assert printable.paragraphs("one\ntwo\x1b[0m") == "one\ntwo\\x1b[0m"


def test_a_line_keeps_its_own_colours() -> None:
    assert printable.line("\x1b[1;31merror\x1b[0m") == "\x1b[1;31merror\x1b[0m"


@pytest.mark.parametrize("command", ["::error::x", "  ::add-mask::a", "a ##[error]b", "##vso[task.complete]"])
def test_no_line_is_a_command_of_a_job(command: str) -> None:
    said = printable.line(command)
    assert not said.lstrip().startswith("::")
    assert "##[" not in said
    assert "##vso[" not in said

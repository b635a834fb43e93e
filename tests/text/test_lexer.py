from __future__ import annotations

import pytest

from nanlint.text.lexer import scan, string_bytes


def kinds(text: str) -> list[str]:
    return scan(text).kinds[:-1]


def words(text: str) -> list[str]:
    tokens = scan(text)
    return [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)][:-1]


def faults(text: str) -> list[str]:
    return [fault.message for fault in scan(text).faults]


@pytest.mark.parametrize(
    "number",
    ["0", "7", "010", "0x1F", "0XaF", "1.5", ".5", "5.", "1e-3", "1.e-2", "1E+7", "1f", "0f", "1.5F", "0e0"],
)
def test_a_number_is_one_token(number: str) -> None:
    assert kinds(number) == ["number"]
    assert kinds(f"x:{number},") == ["word", ":", "number", ","]


@pytest.mark.parametrize("run", ["08", "00.5", "0xG", "0x", "1e", "1e-", "3x3", "1_000", "1/2", "1.2.3", "+1", "0.1d"])
def test_what_is_no_number_is_one_malformed_token(run: str) -> None:
    assert kinds(run) == ["malformed"]


def test_a_sign_is_a_token_of_its_own() -> None:
    assert words("- 1 -1") == ["-", "1", "-", "1"]


def test_a_word_with_more_than_letters_in_it_is_malformed() -> None:
    assert words("net.prototxt kernel-size") == ["net.prototxt", "kernel-size"]
    assert kinds("net.prototxt kernel-size") == ["malformed", "malformed"]


def test_comments_and_blanks_part_tokens() -> None:
    tokens = scan("a # one\r\n\f\v\tb#two")
    assert tokens.kinds == ["word", "word", ""]
    assert [comment.text for comment in tokens.comments] == ["# one\r", "#two"]


def test_strings_keep_quotes_braces_and_hashes() -> None:
    assert words("""'a"b' "}#{" 'it\\'s'""") == ["""'a"b'""", '"}#{"', "'it\\'s'"]


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (r'"a\nb"', b"a\nb"),
        (r'"\a\b\f\r\t\v\\\'\"\?"', b"\a\b\f\r\t\v\\'\"?"),
        (r'"\101\1\777"', b"A\x01\xff"),
        (r'"\x41\x4"', b"A\x04"),
        (r'"\u00e9\U0001f600"', "é\U0001f600".encode()),
        (r'"\ud83d\ude00"', "\U0001f600".encode()),
        (r'"\ud83d x"', b"\xed\xa0\xbd x"),
        (r'"\U001fffff"', b"\xf7\xbf\xbf\xbf"),
        ('"caf\udce9"', b"caf\xe9"),
        ('"é"', "é".encode()),
        ('""', b""),
    ],
)
def test_string_bytes(token: str, expected: bytes) -> None:
    assert string_bytes(token) == expected


@pytest.mark.parametrize("escape", [r"\q", r"\8", r"\xZZ", r"\u12", r"\U00200000"])
def test_an_unknown_escape_is_a_fault_at_the_escape(escape: str) -> None:
    (fault,) = scan(f'"ab{escape}"').faults
    assert (fault.kind, fault.span.start) == ("bad-string", 3)


def test_a_string_ends_with_its_line() -> None:
    tokens = scan('name: "conv1\nbottom: "x"')
    assert tokens.kinds == ["word", ":", "string", "word", ":", "string", ""]
    (fault,) = tokens.faults
    assert fault.message.startswith('expected a closing "')
    assert fault.edits == (((12, 12), '"'),)
    assert scan('name: "conv1 }').faults[0].edits == ()


def test_a_string_without_its_opening_quote_ends_at_the_closing_one() -> None:
    tokens = scan('name: conv1" type: 3x3" top: "a"')
    assert tokens.kinds == ["word", ":", "string"] * 3 + [""]
    assert string_bytes('conv1"') == b"conv1"
    assert [fault.edits for fault in tokens.faults] == [(((6, 6), '"'),), (((19, 19), '"'),)]
    assert kinds('name"a"') == ["word", "string"]


def test_a_nul_ends_a_string() -> None:
    assert "a NUL byte ends it" in faults('"p\0q')[0]


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\ufeff", "byte order mark"),
        ("\xa0", "no-break space"),
        ("\0", "NUL"),
        ("\x1a", "Ctrl-Z"),
        ("\x1b", "control character"),
    ],
)
def test_invisible_characters_are_named_and_stepped_over(character: str, name: str) -> None:
    tokens = scan(f"a {character}: 1")
    assert tokens.kinds == ["word", ":", "number", ""]
    assert name in tokens.faults[0].message


def test_curly_quotes_make_a_string_with_a_fault() -> None:
    tokens = scan("name: “conv1”")
    assert tokens.kinds == ["word", ":", "string", ""]
    assert [text for _, text in tokens.faults[0].edits] == ['"', '"']


def test_a_number_that_runs_into_a_field_is_two_tokens() -> None:
    tokens = scan("scale: 2shift: 1")
    assert tokens.kinds == ["word", ":", "number", "word", ":", "number", ""]
    assert tokens.faults[0].message == "expected a blank between `2` and `shift`"

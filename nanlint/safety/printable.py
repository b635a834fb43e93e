r"""The door for words: every name, value and message that nanlint shows goes through here.

Names come from anyone, and may hold line breaks, escapes of terminals, marks that turn the writing direction, or a
million letters. In a job of a continuous integration a line that begins with `::error` is a command, so is `##[` or
`##vso[` anywhere in a line. `message` is for a sentence that quotes names, `name` for a name alone, `line` for a whole
line of output as it goes to people: it is the last look, which the console takes.
"""

from __future__ import annotations

import re

MOST_NAME = 60
"""Characters of a name or value that are shown; of a longer one the beginning and the end."""

MOST_QUOTED = 80
"""Characters of what a message quotes: a field with its value, most often."""

MOST_MESSAGE = 2000
"""Characters of a message that are shown."""

_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
_UNPRINTABLE_BUT_BREAKS = re.compile(_UNPRINTABLE.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))
_QUOTED = re.compile(r"`[^`\n]*`")
_LONG_WORD = re.compile(rf"\S{{{4 * MOST_NAME},}}")
_COMMAND = re.compile(r"^\s*::|##(?=\[|vso\[|teamcity\[)")
_COLOUR_OR_UNPRINTABLE = re.compile(rf"(\x1b\[(?:[012]|1;3[0-9])m)|{_UNPRINTABLE.pattern}")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def name(text: str, most: int = MOST_NAME) -> str:
    """A name or value, on one line, in characters that a terminal shows, of at most about `most` of them."""
    return short(escaped(text), most)


def message(text: str) -> str:
    """A sentence on one line: what it quotes in backquotes is cut where it is long, and so is the whole."""
    return _bounded(escaped(text))


def paragraphs(text: str) -> str:
    """As `message`, for words of several lines."""
    return _bounded(_UNPRINTABLE_BUT_BREAKS.sub(_escape, text))


def line(text: str) -> str:
    """A whole line for people: no control characters but the escapes of colours, and no command of a CI job."""
    if text.isascii() and text.isprintable() and "##" not in text and "::" not in text:
        return text
    held = _COLOUR_OR_UNPRINTABLE.sub(lambda found: found[1] or _escape(found), text)
    return _COMMAND.sub(lambda found: found[0].replace("::", r"\x3a:").replace("##", r"#\x23"), held)


def escaped(text: str) -> str:
    r"""A text without control characters, marks of direction and bytes that are no text: `\n`, `\x1b`, `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return _UNPRINTABLE.sub(_escape, text)


def short(text: str, most: int = MOST_NAME) -> str:
    """A text of at most `most` characters: of a longer one the beginning, `…`, and the end."""
    if len(text) <= most:
        return text
    tail = most // 5
    return f"{text[: most - tail - 1]}…{text[len(text) - tail :]}"


def _bounded(text: str) -> str:
    if len(text) <= MOST_NAME:
        return text
    text = _QUOTED.sub(lambda found: f"`{short(found[0][1:-1], MOST_QUOTED)}`", text)
    text = _LONG_WORD.sub(lambda found: short(found[0], 4 * MOST_NAME - 1), text)
    return text if len(text) <= MOST_MESSAGE else text[: MOST_MESSAGE - 1] + "…"


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    point = ord(character)
    if 0xDC80 <= point <= 0xDCFF:  # a byte that is not UTF-8
        point -= 0xDC00
    return _SHORT.get(character) or (f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}")

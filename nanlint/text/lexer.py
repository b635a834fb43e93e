"""The tokens of protobuf's text format, as offsets into the text.

The classes of characters are those of protobuf 3.21 (`io/tokenizer.cc`), with `#` comments and an `f` after
a float allowed, as `text_format.cc` sets it up.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from nanlint.text.source import Span
from nanlint.text.tree import Comment, SyntaxFault

WORD, NUMBER, STRING, MALFORMED, END = "word", "number", "string", "malformed", ""
"""Kinds of tokens; a mark such as `{` is its own kind."""

_INVISIBLE = "\\x00-\\x08\\x0e-\\x1f\\x7f\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff"
_STOP = "\\ \\t\\r\\n\\f\\v,;:={}<>\\[\\]\\#\"'\u201c\u201d\u201e\u2018\u2019" + _INVISIBLE
_CURLY = "\u201c\u201d\u201e\u2018\u2019"
_QUOTES = "\"'" + _CURLY
_CLOSING_QUOTE = r"""["'](?=[\ \t\r\n\f\v,;}\]>]|\Z)"""

_TOKEN = re.compile(
    rf"""
    [\ \t\r\n\f\v]*
    (?: (?P<word>   [A-Za-z_][A-Za-z0-9_]* (?![^{_STOP}]) (?!{_CLOSING_QUOTE}) )
      | (?P<mark>   [:{{}}<>\[\],;=-] )
      | (?P<string> "[^"\\\n\0]*(?:\\[^\n\0][^"\\\n\0]*)*" | '[^'\\\n\0]*(?:\\[^\n\0][^'\\\n\0]*)*' )
      | (?P<number> (?: 0[xX][0-9a-fA-F]+
                      | 0[0-7]+
                      | (?: (?:0|[1-9][0-9]*)(?:\.[0-9]*)? | \.[0-9]+ ) (?:[eE][-+]?[0-9]+)? [fF]? )
                    (?![^{_STOP}]) (?!{_CLOSING_QUOTE}) )
      | (?P<comment> \#[^\n\0]* )
      | (?P<half>   [^-{_STOP}][^{_STOP}]* {_CLOSING_QUOTE} )
      | (?P<malformed> [^-{_STOP}][^{_STOP}]* )
      | (?P<broken> ["'][^\n\0]* )
      | (?P<curly>  [{_CURLY}] (?:[^\n\0"'{_CURLY}]* ["'{_CURLY}])? )
      | (?P<invisible> [{_INVISIBLE}]+ )
      | (?P<end>    \Z )
    )""",
    re.VERBOSE,
)

_PLAIN = re.compile(r"[\w./-]+", re.ASCII)
_DIGITS = {"x": "1 or 2 hex digits", "u": "4 hex digits", "U": "8 hex digits up to 0010ffff"}
_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


class Tokens(NamedTuple):
    """A text cut into tokens: parallel lists closed by an END token, and what is wrong with single tokens."""

    kinds: list[str]
    starts: list[int]
    ends: list[int]
    comments: list[Comment]
    faults: list[SyntaxFault]
    broken_strings: list[int]


@cache
def _run_on() -> re.Pattern[str]:
    """A number with a name stuck to it: `5stride:`."""
    return re.compile(
        r"([0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)"
        rf"([A-Za-z_][A-Za-z0-9_]*)(?![^{_STOP}])(?=[ \t\r\n\f\v]*[:{{<])"
    )


@cache
def _escape() -> re.Pattern[str]:
    """One escape of a string, right or wrong."""
    return re.compile(
        r"\\(?:([abfnrtv\\?'\"])|([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})"
        r"|U(00[01][0-9a-fA-F]{5})|([xuU][0-9a-fA-F]{0,8}|.?))",
        re.DOTALL,
    )


def scan(text: str) -> Tokens:
    """Cut `text` into tokens. Every character of it is in a token, a comment, a blank or a fault."""
    tokens = Tokens([], [], [], [], [], [])
    add_kind, add_start, add_end = tokens.kinds.append, tokens.starts.append, tokens.ends.append
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or END
        start, end = match.span(kind)
        if kind == "mark":
            kind = text[start]
        elif kind == "comment":
            tokens.comments.append(Comment(Span(start, end), text[start:end]))
            continue
        elif kind == "invisible":
            tokens.faults.append(_invisible(text, start, end))
            continue
        elif kind not in (WORD, NUMBER):
            kind, start, end = _checked(tokens, text, kind, start, end)
        add_kind(kind)
        add_start(start)
        add_end(end)
        if kind is END:
            break
    return tokens


def _checked(tokens: Tokens, text: str, kind: str, start: int, end: int) -> tuple[str, int, int]:
    """The token to keep of a match that can hide a fault; what is wrong with it goes to `tokens`."""
    if kind == STRING:
        if text.find("\\", start, end) >= 0:
            tokens.faults.extend(_bad_escapes(text, start, end))
    elif kind == MALFORMED:
        run_on = _run_on().match(text, start)
        if run_on:
            middle = run_on.end(1)
            tokens.faults.append(_no_blank(text, start, middle, end))
            tokens.kinds.append(NUMBER)
            tokens.starts.append(start)
            tokens.ends.append(middle)
            return WORD, middle, end
    elif kind == "broken":
        end = start + len(text[start:end].rstrip())
        tokens.faults.append(_unclosed_string(text, start, end))
        tokens.broken_strings.append(start)
        return STRING, start, end
    elif kind == "half":
        tokens.faults.append(_half_quoted(text, start, end))
        return STRING, start, end
    elif kind == "curly":
        if end - start == 1:
            return MALFORMED, start, end
        tokens.faults.append(_curly_quotes(text, start, end))
        return STRING, start, end
    elif kind == "end":
        return END, start, end
    return kind, start, end


def string_bytes(token: str) -> bytes:
    """The bytes of one quoted token, escapes resolved; an invalid escape stands for the character itself."""
    if token[0] not in _QUOTES:
        body = token[:-1]
    elif len(token) > 1 and (token[-1] == token[0] or token[0] in _CURLY):
        body = token[1:-1]
    else:
        body = token[1:]
    if "\\" not in body:
        return encoded(body)
    out: list[bytes] = []
    at = 0
    high: int | None = None
    for match in _escape().finditer(body):
        plain = body[at : match.start()]
        out.append(encoded(plain))
        at = match.end()
        simple, octal, hexa, short, long, other = match.groups()
        if short or long:
            point = int(short or long, 16)
            if high is not None and not plain and 0xDC00 <= point < 0xE000:
                out[-2:] = []
                point = 0x10000 + ((high - 0xD800) << 10) + (point - 0xDC00)
            out.append(_utf8(point))
            high = point if 0xD800 <= point < 0xDC00 else None
            continue
        high = None
        if simple:
            out.append(bytes((_SIMPLE.get(simple, ord(simple)),)))
        elif octal or hexa:
            out.append(bytes((int(octal, 8) & 255 if octal else int(hexa, 16),)))
        else:
            out.append(encoded(other))
    out.append(encoded(body[at:]))
    return b"".join(out)


def encoded(text: str) -> bytes:
    """The bytes that a text was decoded from, wherever its surrogates come from."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _utf8(point: int) -> bytes:
    if point <= 0x10FFFF:
        return chr(point).encode("utf-8", "surrogatepass")
    return bytes((0xF0 | point >> 18, 0x80 | point >> 12 & 63, 0x80 | point >> 6 & 63, 0x80 | point & 63))


def _no_blank(text: str, start: int, middle: int, end: int) -> SyntaxFault:
    message = f"expected a blank between `{text[start:middle]}` and `{text[middle:end]}`"
    edits = ((Span(middle, middle), " "),)
    return SyntaxFault(Span(start, end), message, title="insert a blank", edits=edits)


def _bad_escapes(text: str, start: int, end: int) -> list[SyntaxFault]:
    faults = []
    for match in _escape().finditer(text, start, end):
        if match.group(6) is None:
            continue
        span = Span(*match.span())
        written = match.group()
        wants = _DIGITS.get(written[1:2])
        if wants:
            message = f"`{written}` in a string needs {wants} after it"
        else:
            message = f"`{written}` is no escape; write `\\\\` for a backslash, and `/` in a path"
        faults.append(SyntaxFault(span, message, "bad-string"))
    return faults


def _unclosed_string(text: str, start: int, end: int) -> SyntaxFault:
    quote = text[start]
    nul = text.startswith("\0", end)
    why = "a NUL byte ends it" if nul else "a string ends on the line where it begins"
    message = f"expected a closing {quote} for this string: {why}"
    if nul or not _PLAIN.fullmatch(text, start + 1, end):
        return SyntaxFault(Span(start, end), message, "bad-string")
    edits = ((Span(end, end), quote),)
    return SyntaxFault(Span(start, end), message, "bad-string", title="close the string", edits=edits)


def _half_quoted(text: str, start: int, end: int) -> SyntaxFault:
    quote = text[end - 1]
    message = f"expected an opening {quote} for the string that ends here, found `{text[start:end]}`"
    edits = ((Span(start, start), quote),)
    return SyntaxFault(Span(start, end), message, "bad-string", title="open the string", edits=edits)


def _curly_quotes(text: str, start: int, end: int) -> SyntaxFault:
    quote = "'" if '"' in text[start:end] else '"'
    edits = ((Span(start, start + 1), quote), (Span(end - 1, end), quote))
    message = f"{text[start]} and {text[end - 1]} do not quote a string: only the plain \" and ' do"
    return SyntaxFault(Span(start, end), message, "stray-character", title="use plain quotes", edits=edits)


_NAMES = {
    0xFEFF: "byte order mark",
    0xA0: "no-break space",
    0x200B: "zero-width space",
    0: "NUL",
    0x1A: "Ctrl-Z",
}


def _invisible(text: str, start: int, end: int) -> SyntaxFault:
    point = ord(text[start])
    name = _NAMES.get(point, "control character" if point < 0x80 else "invisible character")
    what = f"{name} (U+{point:04X})" + (f" and {end - start - 1} more like it" if end - start > 1 else "")
    message = f"the file holds a {what} here, which protobuf's parser refuses outside strings and comments"
    space = "" if point in (0xFEFF, 0x200B, 0, 0x1A) else " "
    edits = ((Span(start, end), space),)
    return SyntaxFault(Span(start, end), message, "stray-character", title="remove it", edits=edits)

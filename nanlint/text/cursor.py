"""A position among the tokens of a file: what stands there, the scalar that begins there, what is wrong."""

from __future__ import annotations

from bisect import bisect_right

from nanlint.text.lexer import END, MALFORMED, NUMBER, STRING, WORD, Tokens, string_bytes
from nanlint.text.source import Source, Span
from nanlint.text.tree import Field, Kind, Scalar, SyntaxFault

AFTER_NAME = (":", "{", "<", "=")
"""Marks that make a field's name of the word before them."""

_COMMENT_MARKS = ("//", "/*", "--", "%")
_KIND = {NUMBER: Kind.NUMBER, WORD: Kind.IDENTIFIER, MALFORMED: Kind.MALFORMED}


class Cursor:
    """`at` is the index of the token at hand. Methods that take a token move it on."""

    def __init__(self, source: Source, tokens: Tokens) -> None:
        self.source = source
        self.text = source.text
        self.kinds, self.starts, self.ends = tokens.kinds, tokens.starts, tokens.ends
        self.at = 0
        self.faults: list[SyntaxFault] = []
        self.comments: list[Span] = []
        self._line = Span(0, -1)

    def span(self) -> Span:
        return Span(self.starts[self.at], self.ends[self.at])

    def found(self) -> str:
        kind = self.kinds[self.at]
        if kind == END:
            return "the end of the file"
        start, end = self.span()
        written = self.text[start : min(end, start + 40)].split("\n")[0]
        return f"`{written}`"

    def line_breaks(self, since: int, ahead: int = 0) -> bool:
        """Whether the token at hand, or one `ahead` of it, is on a later line than the offset `since`."""
        if not self._line.start <= since <= self._line.end:
            end = self.text.find("\n", since)
            self._line = Span(since, end if end >= 0 else len(self.text))
        return self.starts[self.at + ahead] > self._line.end

    def is_prose(self, field: Field) -> bool:
        """Whether the line goes on in words after the name: a sentence, perhaps meant as a comment."""
        at = self.at
        words = (WORD, MALFORMED)
        return (
            self.kinds[at] in words
            and self.kinds[at + 1] in words
            and self.kinds[at + 2] not in AFTER_NAME
            and not self.line_breaks(field.name_end, ahead=1)
        )

    def rest_of_line(self, since: int) -> None:
        """Step over the words after a bad token, up to one that begins a field, a brace or the next line."""
        while True:
            kind = self.kinds[self.at]
            if kind in ("}", ">", "{", "<", END) or self.line_breaks(since):
                return
            if kind == WORD and self.kinds[self.at + 1] in AFTER_NAME:
                return
            self.at += 1

    def foreign_comment(self) -> bool:
        """Step over a comment of another language, if one is at hand."""
        start = self.starts[self.at]
        mark = next((mark for mark in _COMMENT_MARKS if self.text.startswith(mark, start)), None)
        if mark is None:
            return False
        span = Span(start, start + len(mark))
        message = f"expected a field name, found `{mark}`; a comment begins with `#`"
        edits = () if mark == "/*" else ((span, "#"),)
        self.fault(span, message, title="write `#`" if edits else "", edits=edits)
        end = self.text.find("*/" if mark == "/*" else "\n", start)
        end = len(self.text) if end < 0 else end
        self.comments.append(Span(start, end))
        while self.starts[self.at] <= end and self.kinds[self.at] != END:
            self.at += 1
        return True

    def in_comment(self, span: Span) -> bool:
        """Whether a span lies in a comment of another language, where its faults are of no interest."""
        nearest = bisect_right(self.comments, (span.start, len(self.text))) - 1
        return nearest >= 0 and span.start <= self.comments[nearest].end

    def scalar(self) -> Scalar | None:
        """The scalar at hand, or None (and nothing taken) if there is none."""
        at = self.at
        kind = self.kinds[at]
        if kind == STRING:
            return self.string()
        start = self.starts[at]
        sign = ""
        if kind == "-":
            sign = "-"
            at += 1
            kind = self.kinds[at]
        if kind not in _KIND:
            return self.lone_sign() if sign else None
        if kind != NUMBER and self.kinds[at + 1] in AFTER_NAME:
            return self.lone_sign() if sign else None
        end = self.ends[at]
        self.at = at + 1
        text = sign + self.text[self.starts[at] : end]
        return Scalar(_KIND[kind], start, end, text)

    def lone_sign(self) -> Scalar:
        start, end = self.span()
        self.at += 1
        while self.kinds[self.at] in ("-", *_KIND) and self.starts[self.at] == end:
            end = self.ends[self.at]
            self.at += 1
        return Scalar(Kind.MALFORMED, start, end, self.text[start:end])

    def string(self) -> Scalar:
        """One string, or several that stand side by side, which protobuf joins."""
        kinds, starts, ends, text = self.kinds, self.starts, self.ends, self.text
        at = first = self.at
        data = string_bytes(text[starts[at] : ends[at]])
        at += 1
        if kinds[at] == STRING:
            parts = [data]
            while kinds[at] == STRING:
                parts.append(string_bytes(text[starts[at] : ends[at]]))
                at += 1
            data = b"".join(parts)
        self.at = at
        start, end = starts[first], ends[at - 1]
        return Scalar(Kind.STRING, start, end, text[start:end], data)

    def expected(self, what: str, field: Field) -> None:
        message = f"expected {what} after `{field.name}`, found {self.found()}"
        self.fault(Span(field.start, field.end), message)

    def fault(
        self,
        span: Span,
        message: str,
        kind: str = "syntax-error",
        related: tuple[tuple[Span, str], ...] = (),
        title: str = "",
        edits: tuple[tuple[Span, str], ...] = (),
    ) -> None:
        self.faults.append(SyntaxFault(span, message, kind, related, title, edits))

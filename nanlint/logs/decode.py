"""Bytes as they come to lines of text: UTF-8 or UTF-16, with or without marks, NUL bytes and colour codes."""

from __future__ import annotations

import codecs
import re

_LONGEST = 1 << 20
"""Characters after which a line is cut: a file without line ends must not fill the memory."""

_SAMPLE = 4096
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\n]*\x07|[@-Z\\-_])")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Decoder:
    """Takes a file's bytes piece by piece, and gives whole lines without their ends."""

    def __init__(self) -> None:
        self.encoding = ""
        self._head = b""
        self._decode: codecs.IncrementalDecoder | None = None
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that end in this piece."""
        if self._decode is None:
            self._head += data
            return self.settle() if len(self._head) >= _SAMPLE else []
        return self._split(self._decode.decode(data))

    def settle(self) -> list[str]:
        """Choose the encoding by what there is, be it little: the lines so far."""
        if self._decode is not None:
            return []
        name, mark = _encoding(self._head)
        self.encoding = "utf-16" if name.startswith("utf-16") else name
        self._decode = codecs.getincrementaldecoder(name)("replace")
        head, self._head = self._head[mark:], b""
        return self._split(self._decode.decode(head))

    def end(self) -> list[str]:
        """The last lines, of which the very last has no end of its own."""
        lines = self.settle()
        if self._decode is not None:
            lines += self._split(self._decode.decode(b"", final=True))
        if self._rest:
            lines.append(_clean(self._rest))
            self._rest = ""
        return lines

    def _split(self, text: str) -> list[str]:
        whole, newline, rest = (self._rest + text).rpartition("\n")
        if not newline:
            if len(rest) > _LONGEST:
                whole, newline, rest = rest, "\n", ""
            else:
                self._rest = rest
                return []
        self._rest = rest
        return _clean(whole).split("\n")


def _encoding(head: bytes) -> tuple[str, int]:
    """The encoding of a file that begins so, and the length of its mark."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    half = len(head) // 2
    if half >= 2:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > 0.6 * half and even < 0.1 * half:
            return "utf-16-le", 0
        if even > 0.6 * half and odd < 0.1 * half:
            return "utf-16-be", 0
    return "utf-8", 0


def _clean(text: str) -> str:
    if "\0" in text:
        text = text.replace("\0", "")
    return _ESCAPES.sub("", text) if "\x1b" in text else text

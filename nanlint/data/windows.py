"""WindowData: a window file and the images that it names (window_data_layer.cpp, DataLayerSetUp)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from nanlint.data.arrays import spread_of
from nanlint.data.gather import Gathered
from nanlint.data.images import COLOUR, MOST_BYTES, UndecodableError, decode
from nanlint.data.records import Listed, Windows
from nanlint.data.request import Request

_WORD = re.compile(r"\S+")
_INTEGER = re.compile(r"[+-]?\d+$")


class _Broken(Exception):  # noqa: N818
    """The file ends, or has a word where a number should stand."""

    def __init__(self, words: str, line: int) -> None:
        super().__init__(words)
        self.words, self.line = words, line


class _Words:
    """The words of a text, each with its line, as `>>` takes them."""

    def __init__(self, text: str) -> None:
        self._words: Iterator[tuple[str, int]] = (
            (found[0], number) for number, line in enumerate(text.split("\n"), 1) for found in _WORD.finditer(line)
        )
        self.line = 1

    def word(self) -> str | None:
        found = next(self._words, None)
        if found is None:
            return None
        self.line = found[1]
        return found[0]

    def number(self, kind: type[int] | type[float] = int) -> float:
        word = self.word()
        if word is None:
            raise _Broken("it ends within a block", self.line)
        try:
            return kind(word)
        except ValueError:
            raise _Broken(f"`{word[:40]}` stands where a number should", self.line) from None


class _Block(NamedTuple):
    at: int
    path: str
    size: tuple[int, int, int]
    line: int


def read(request: Request) -> Gathered:
    """The window file and its images, as many as are asked for."""
    got = Gathered.of(request)
    path = Path(request.path)
    if path.stat().st_size > MOST_BYTES:
        got.fault("too-large", f"it has {path.stat().st_size} bytes")
        got.refused, got.whole = True, False
        return got
    reader = _Reader(request, got)
    reader.read(_Words(path.read_bytes().decode("utf-8", "surrogateescape")))
    return got


class _Reader:
    def __init__(self, request: Request, got: Gathered) -> None:
        self.request, self.got = request, got
        self.blocks: list[_Block] = []
        self.boxes: dict[int, list[tuple[int, tuple[int, int, int, int]]]] = {}
        self.foreground = self.background = self.absent = self.looked_for = 0

    def read(self, words: _Words) -> None:
        got = self.got
        try:
            self.read_blocks(words)
        except _Broken as broken:
            got.fault("window-broken", broken.words, -1, f"line {broken.line}")
        if not self.blocks:
            if not got.faults:
                got.fault("windows-empty", "it has no block")
            got.records = 0
        got.records = self.foreground + self.background
        got.read = got.records
        self.read_images()
        channels = self.blocks[-1].size[0] if self.blocks else 0
        images = Listed(len(self.blocks), self.absent, self.looked_for)
        got.content = Windows(self.foreground, self.background, images, channels)

    def read_blocks(self, words: _Words) -> None:
        while True:
            hashtag = words.word()
            if hashtag is None:
                return
            line = words.line
            index = words.word()
            if index is None or not _INTEGER.match(index):
                if hashtag != "#":
                    raise _Broken(f"`{hashtag[:40]}` stands where `#` should", line)
                return
            if hashtag != "#":
                raise _Broken(f"`{hashtag[:40]}` stands where `#` should", line)
            path = words.word()
            if path is None:
                raise _Broken("it ends within a block", words.line)
            size = tuple(int(words.number()) for _ in range(3))
            block = _Block(int(index), self.request.root_folder + path, (size[0], size[1], size[2]), line)
            if block.at != len(self.blocks):
                self.got.fault("window-index", f"{block.at}|{len(self.blocks)}", -1, f"line {line}")
            self.blocks.append(block)
            for _ in range(max(0, int(words.number()))):
                self.window(words)

    def window(self, words: _Words) -> None:
        label, overlap = int(words.number()), words.number(float)
        line = words.line
        corners = tuple(int(words.number()) for _ in range(4))
        foreground, background = self.request.thresholds
        if overlap >= foreground:
            if label <= 0:
                self.got.fault("window-class", str(label), -1, f"line {line}")
            self.foreground += 1
        elif overlap < background:
            label = 0
            self.background += 1
        else:
            return
        box = corners[0], corners[1], corners[2], corners[3]
        self.boxes.setdefault(len(self.blocks) - 1, []).append((line, box))
        values = self.got.tops[1].values if len(self.got.tops) > 1 else None
        if values is not None:
            values.tally({float(label): 1})

    def read_images(self) -> None:
        request, got = self.request, self.got
        deadline = None if request.seconds is None else monotonic() + request.seconds
        blocks = list(enumerate(self.blocks))
        if request.most is not None and len(blocks) > request.most:
            got.whole = False
            blocks = list(islice(blocks, 0, None, max(1, len(blocks) // request.most)))
        for number, block in blocks:
            if deadline is not None and monotonic() > deadline:
                got.whole = False
                return
            self.image(number, block)

    def image(self, number: int, block: _Block) -> None:
        got, path = self.got, Path(self.request.root) / block.path
        where = f"line {block.line + 1}"
        self.looked_for += 1
        try:
            if not path.is_file():
                self.absent += 1
                got.fault("image-missing", block.path, -1, where)
                return
            pixels, _ = decode(path.read_bytes(), COLOUR)
        except (UndecodableError, OSError, ValueError) as wrong:
            got.fault("image-corrupt", f"{block.path}|{wrong}", -1, where)
            return
        _, height, width = pixels.shape
        if (block.size[1], block.size[2]) != (height, width):
            got.fault(
                "window-size", f"{block.size[1]} x {block.size[2]}|{height} x {width}|{block.path}", -1, where
            )
        top = got.tops[0]
        top.shaped(pixels.shape, number)
        top.dtype = "uint8"
        top.spread.add(spread_of(pixels.reshape(1, -1), len(pixels)))
        for line, (x1, y1, x2, y2) in self.boxes.get(number, ()):
            inside = 0 <= x1 <= x2 < width and 0 <= y1 <= y2 < height
            clipped = self.request.clipped and x1 <= x2 and y1 <= y2
            if not inside and not clipped:
                got.fault("window-box", f"{x1} {y1} {x2} {y2}|{height} x {width}|{block.path}", -1, f"line {line}")

"""ImageData: a list of images, a line each (image_data_layer.cpp, DataLayerSetUp and load_batch)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from nanlint.data.arrays import Array, spread_of
from nanlint.data.gather import Gathered
from nanlint.data.images import COLOUR, GREY, MOST_BYTES, UndecodableError, as_web_page, decode
from nanlint.data.mean import subtracting
from nanlint.data.records import Listed
from nanlint.data.request import Request
from nanlint.data.spread import Spread

_LABEL = re.compile(r"\s*([+-]?\d+)")
_PARTED = re.compile(r"(.+?)[\t,;]+\s*[+-]?\d+\s*$")
_INTEGER = re.compile(r"\s*[+-]?\d+\s*$")


class Line(NamedTuple):
    """A line of the list as Caffe takes it apart: at its last blank, then `atoi`."""

    at: int
    name: str
    label: int
    text: str

    @property
    def where(self) -> str:
        return f"line {self.at + 1}, `{_short(self.text)}`"


def lines_of(text: str) -> Iterator[Line]:
    """The lines of a list, blank ones too."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    for index, line in enumerate(lines):
        name, blank, label = line.rpartition(" ")
        yield Line(index, name if blank else line, atoi(label), line)


def atoi(text: str) -> int:
    """The whole number at the start of a text; 0 where there is none."""
    found = _LABEL.match(text)
    return int(found[1]) if found and len(found[1]) < 11 else 0


def read(request: Request) -> Gathered:
    """The list and its images; of a part the images that fall to it, of a sample some images and every line."""
    got = Gathered.of(request)
    path = Path(request.path)
    if path.stat().st_size > MOST_BYTES:
        got.fault("too-large", f"it has {path.stat().st_size} bytes")
        got.refused, got.whole = True, False
        return got
    lines = list(lines_of(path.read_bytes().decode("utf-8", "surrogateescape")))
    first, last = len(lines) * request.part // request.parts, len(lines) * (request.part + 1) // request.parts
    own = lines[first:last]
    got.records = len(lines)
    if not lines:
        got.fault("list-empty", "it has no line")
        return got
    values = got.tops[1].values if len(got.tops) > 1 else None
    if values is not None:
        labels = [float(line.label) for line in own]
        values.tally(Counter(labels))
        values.follow(labels)
        got.tops[1].shaped((), 0)
    for line in own:
        _check(line, got, request, first)
    _Images(request, got, first).read(own)
    return got


def _check(line: Line, got: Gathered, request: Request, first: int) -> None:
    """What the text of a line alone shows."""
    index, text = line.at - first, line.text
    if not text.strip():
        got.fault("line-blank", "it is blank", index, f"line {line.at + 1}")
    elif " " not in text:
        apart = _PARTED.match(text)
        if apart:
            got.fault("line-separator", f"no blank parts the label from `{_short(apart[1])}`", index, line.where)
        else:
            got.fault("line-without-label", "it has no label", index, line.where)
    elif text.endswith(" "):
        got.fault("line-trailing-blank", "it ends in a blank, so its label is 0", index, line.where)
    elif not _INTEGER.match(text.rpartition(" ")[2]):
        got.fault("line-label", f"`{_short(text.rpartition(' ')[2])}` is no whole number", index, line.where)


class _Images:
    def __init__(self, request: Request, got: Gathered, offset: int) -> None:
        self.request, self.got, self.offset = request, got, offset
        self.deadline = None if request.seconds is None else monotonic() + request.seconds
        self.subtract = subtracting(request.transform)
        if self.subtract is not None:
            got.tops[0].after = Spread()
        self.absent = self.looked_for = 0

    def read(self, lines: list[Line]) -> None:
        chosen = lines
        most = self.request.most
        if most is not None and len(lines) > most:
            self.got.whole = False
            chosen = [lines[index * (len(lines) - 1) // (most - 1)] for index in range(most)]
        for line in chosen:
            if self.deadline is not None and monotonic() > self.deadline:
                self.got.whole = False
                break
            self.take(line)
        self.got.content = Listed(len(lines), self.absent, self.looked_for)

    def take(self, line: Line) -> None:
        """One image."""
        got, index = self.got, line.at - self.offset
        got.read += 1
        self.looked_for += 1
        path = Path(self.request.root) / (self.request.root_folder + line.name)
        try:
            if not line.name or not path.is_file():
                self.absent += not self.lies_apart(line)
                got.fault("image-missing", _short(line.name), index, line.where)
                return
            pixels, cut = decode(_bytes_of(path), COLOUR if self.request.is_color else GREY)
        except UndecodableError as wrong:
            got.fault("image-corrupt", f"{_short(line.name)}|{wrong}", index, line.where)
            return
        except (OSError, ValueError) as wrong:
            got.fault("image-missing", f"{_short(line.name)}", index, f"{line.where}: {type(wrong).__name__}")
            return
        if cut:
            got.fault("image-cut", _short(line.name), index, line.where)
        got.shaped(pixels.shape, index)
        self._count(pixels)

    def lies_apart(self, line: Line) -> bool:
        """Whether the image is there, and only what should part it from its label is wrong."""
        apart = _PARTED.match(line.text)
        folder = Path(self.request.root)
        return apart is not None and (folder / (self.request.root_folder + apart[1])).is_file()

    def _count(self, pixels: Array) -> None:
        top = self.got.tops[0]
        top.dtype = "uint8"
        rows = pixels.reshape(1, -1)
        top.spread.add(spread_of(rows, len(pixels), top.values))
        if top.after is not None and self.subtract is not None:
            moved = self.subtract(rows, pixels.shape)
            if moved is None:
                top.after.channels = None
            else:
                top.after.add(spread_of(moved, len(pixels)))


def _bytes_of(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise UndecodableError(f"it has {path.stat().st_size} bytes")
    with path.open("rb") as file:
        data = file.read()
    if as_web_page(data):
        raise UndecodableError("it is a web page")
    return data


def _short(text: str) -> str:
    """A text for a message: no bytes that are no text, no end."""
    shown = text.strip("\r").encode("utf-8", "replace").decode("utf-8", "replace")
    return shown if len(shown) <= 80 else shown[:77] + "..."

"""HDF5Data: the datasets of the files of a list (hdf5_data_layer.cpp, util/hdf5.cpp)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import h5py
import numpy as np

from nanlint.data.arrays import MOST_CHANNELS, Array, as_float, count_values, spread_of
from nanlint.data.gather import Gathered
from nanlint.data.images import MOST_BYTES, as_web_page
from nanlint.data.records import Listed
from nanlint.data.request import Request

_BLOCK_BYTES = 1 << 23
_CLASSES = {
    h5py.h5t.STRING: "H5T_STRING",
    h5py.h5t.BITFIELD: "H5T_BITFIELD",
    h5py.h5t.OPAQUE: "H5T_OPAQUE",
    h5py.h5t.COMPOUND: "H5T_COMPOUND",
    h5py.h5t.REFERENCE: "H5T_REFERENCE",
    h5py.h5t.ENUM: "H5T_ENUM",
    h5py.h5t.VLEN: "H5T_VLEN",
    h5py.h5t.ARRAY: "H5T_ARRAY",
}
_READABLE = (h5py.h5t.FLOAT, h5py.h5t.INTEGER)


class Line(NamedTuple):
    """A file of the list: its place in it, its name as written, where it lies."""

    at: int
    number: int
    name: str
    path: Path

    @property
    def where(self) -> str:
        return f"line {self.number}, `{self.name}`"


def lines_of(request: Request) -> list[Line]:
    """The names of a list, as `>>` reads them: a blank parts two of them."""
    text = Path(request.path).read_bytes().decode("utf-8", "surrogateescape")
    names = [(number, name) for number, line in enumerate(text.split("\n"), 1) for name in line.split()]
    return [Line(index, number, name, Path(request.root) / name) for index, (number, name) in enumerate(names)]


def read(request: Request) -> Gathered:
    """The list's files, one after the other; of a part the rows that fall to it."""
    got = Gathered.of(request)
    listed = lines_of(request)
    got.content = Listed(len(listed), sum(not one.path.exists() for one in listed), len(listed))
    if not listed:
        got.fault("list-empty", "it names no file")
        return got
    _Files(request, got).read(listed)
    return got


class _Files:
    def __init__(self, request: Request, got: Gathered) -> None:
        self.request, self.got = request, got
        self.deadline = None if request.seconds is None else monotonic() + request.seconds
        self.first: dict[str, tuple[int, ...]] = {}
        self.base = 0

    def read(self, listed: list[Line]) -> None:
        """Look at each file, then read the rows that are wanted of those that can be read."""
        rows = [self.rows(line) for line in listed]
        total = sum(rows)
        self.got.records = total
        request = self.request
        first, last = total * request.part // request.parts, total * (request.part + 1) // request.parts
        self.base = first
        wanted: Any = range(first, last)
        if request.most is not None and total > request.most:
            self.got.whole = False
            wanted = sorted({index * (total - 1) // max(1, request.most - 1) for index in range(request.most)})
        start = 0
        for line, count in zip(listed, rows, strict=True):
            inside = [row - start for row in wanted if start <= row < start + count] if count else []
            if inside and not self.take(line, inside, start):
                self.got.whole = False
                return
            start += count

    def rows(self, line: Line) -> int:
        """The rows of a file, 0 where Caffe refuses it; what is wrong is noted by the first part alone."""
        silent = self.request.part > 0
        before = (list(self.got.faults), self.got.counted.copy())
        try:
            return self._checked(line)
        finally:
            if silent:
                self.got.faults, self.got.counted = before

    def _checked(self, line: Line) -> int:
        got = self.got
        if not line.path.is_file():
            got.fault("file-missing", "there is none", line.at, line.where)
            got.whole = False
            return 0
        try:
            with _opened(line.path) as file:
                return self._datasets(file, line)
        except (OSError, RuntimeError, ValueError, KeyError, MemoryError):
            with line.path.open("rb") as raw:
                start = raw.read(256)
            words = "it is a web page" if as_web_page(start) else "it is no HDF5 file, or cut short"
            got.fault("unreadable", words, line.at, line.where)
            got.whole = False
            return 0

    def _datasets(self, file: h5py.File, line: Line) -> int:
        got, rows, usable = self.got, -1, True
        for name in self.request.tops:
            found = _dataset(file, name, line.path.parent)
            if found is None:
                names = ", ".join(f"`{one}`" for one in sorted(file)[:6])
                got.fault("dataset-missing", f"{name}|{names}", line.at, line.where)
                return 0
            kind = found.id.get_type().get_class()
            if kind not in _READABLE:
                got.fault("dtype", f"{name}|{_CLASSES.get(kind, 'another class')}", line.at, line.where)
                return 0
            if not found.shape:
                got.fault("no-axes", name, line.at, line.where)
                return 0
            if rows >= 0 and found.shape[0] != rows:
                got.fault("rows-differ", f"{name}|{found.shape[0]}|{rows}", line.at, line.where)
                usable = False
            rows = found.shape[0] if rows < 0 else rows
            inner = found.shape[1:]
            if math.prod(inner) * 4 > MOST_BYTES:
                got.fault("too-large", f"`{name}` has rows of {_spelt(inner)} numbers", line.at, line.where)
                usable = False
            if name in self.first and inner != self.first[name]:
                got.fault(
                    "file-shapes-differ",
                    f"{name}|{_spelt(inner)}|{_spelt(self.first[name])}",
                    line.at,
                    line.where,
                )
            self.first.setdefault(name, inner)
        for name, top in zip(self.request.tops, got.tops, strict=True):
            top.dtype = top.dtype or _dataset_of(file, name).dtype.name
            top.shaped(tuple(_dataset_of(file, name).shape[1:]), line.at)
        if rows == 0:
            got.fault("no-rows", "its datasets have no row", line.at, line.where)
        return max(rows, 0) if usable else 0

    def take(self, line: Line, rows: list[int], start: int) -> bool:
        """The rows of one file, `start` rows being in the files before it; False where the time is over."""
        try:
            with _opened(line.path) as file:
                for first, last in _runs(rows):
                    for name, top in zip(self.request.tops, self.got.tops, strict=True):
                        data = _dataset_of(file, name)
                        for at, block in _blocks(data, first, last):
                            self._count(name, top, block, start + at, line)
                    self.got.read += last - first
                    if self.deadline is not None and monotonic() > self.deadline:
                        return False
        except (OSError, RuntimeError, ValueError, MemoryError) as wrong:
            words = str(wrong).split("(")[0].strip() or type(wrong).__name__
            self.got.fault("damaged", words[:1].lower() + words[1:], line.at, line.where)
            return False
        return True

    def _count(self, name: str, top: Any, block: Array, at: int, line: Line) -> None:
        inner = block.shape[1:]
        flat = as_float(block).reshape(len(block), -1)
        channels = inner[0] if inner and 0 < inner[0] <= MOST_CHANNELS else 1
        top.spread.add(spread_of(flat, channels))
        finite = np.isfinite(flat)
        if not finite.all():
            row = int(np.flatnonzero(~finite.all(axis=1))[0])
            words = f"{name}|{float(flat[row][~finite[row]][0]):g}"
            self.got.fault("non-finite", words, at + row - self.base, line.where)
        if flat.shape[1] > 1:
            top.zero_rows += int(np.count_nonzero(~flat.any(axis=1)))
        if top.values is not None:
            count_values(top.values, flat)
            if flat.shape[1] == 1:
                top.values.follow(flat[:, 0].tolist())


def _opened(path: Path) -> h5py.File:
    return h5py.File(path, "r", locking=False)


def _dataset_of(file: h5py.File, name: str) -> h5py.Dataset:
    return file[name]


def _dataset(file: h5py.File, name: str, folder: Path) -> h5py.Dataset | None:
    """The dataset of a name in the root group; no link leads out of the folder of the file."""
    if "/" in name or not name or name not in file:
        link = file.get(name, getlink=True) if name else None
        if not isinstance(link, h5py.ExternalLink):
            return None
    link = file.get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        target = (folder / link.filename).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise ValueError("a link out of the folder")
    found = file[name]
    if not isinstance(found, h5py.Dataset):
        return None
    for other, *_ in found.external or ():
        if not (folder / other).resolve().is_relative_to(folder.resolve()):
            raise ValueError("numbers out of the folder")
    return found


def _runs(rows: list[int]) -> Iterator[tuple[int, int]]:
    """Rows that follow each other, as their first and the one after their last."""
    first = previous = rows[0]
    for row in rows[1:]:
        if row != previous + 1:
            yield first, previous + 1
            first = row
        previous = row
    yield first, previous + 1


def _blocks(data: h5py.Dataset, first: int, last: int) -> Iterator[tuple[int, Array]]:
    size = max(1, math.prod(data.shape[1:]) * data.dtype.itemsize)
    step = max(1, _BLOCK_BYTES // size)
    for at in range(first, last, step):
        yield at, np.asarray(data[at : min(last, at + step)])


def _spelt(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1"

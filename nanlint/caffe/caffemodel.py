"""Which layers a weights file holds, with the shapes of their blobs, without reading its numbers.

A `.caffemodel` is a NetParameter in protobuf's wire format: what is not asked for is stepped over, so a model
of half a gigabyte costs no more than its table of layers. A `.caffemodel.h5` is an HDF5 file with a group
`data` that holds a group a layer and a dataset a blob (net.cpp, ToHDF5).
"""

from __future__ import annotations

import math
import mmap
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from nanlint.caffe.hdf5 import MAGIC, Tree, UnknownFormatError, read_tree
from nanlint.safety.reading import open_regular

# field numbers of the schema
_NET_LAYER, _NET_LAYERS = 100, 2
_NAME, _BLOBS = {_NET_LAYER: 1, _NET_LAYERS: 4}, {_NET_LAYER: 7, _NET_LAYERS: 6}
_LEGACY_AXES, _DATA, _SHAPE, _DOUBLE_DATA, _DIM = (1, 2, 3, 4), 5, 7, 8, 1

_STATE_ITER, _STATE_LEARNED, _STATE_HISTORY, _STATE_STEP = 1, 2, 3, 4
_GROUP, _GROUP_END = 3, 4
_SIZES = {1: 8, 5: 4}

_LFS_POINTER = b"version https://git-lfs"

MOST_SCANNED = 1 << 18
"""Bytes at the start of each blob that are looked through for nan and infinity: a run that blew up left
hardly a number that is finite.
"""

Chunk = tuple[int, int, int]
"""A field: its number, and where its value starts and ends (for a number: the number itself, and -1)."""


Span = tuple[int, int, str]
"""Numbers in a file: where they start, how many bytes they take, and of which kind they are (`<f4`, `<f8`)."""


class NotAModelError(Exception):
    """The file is no NetParameter in protobuf's wire format, and no HDF5 file with a group `data`."""


@dataclass(frozen=True)
class SavedBlob:
    """One blob of a saved layer. `legacy`: it has four old axes, which may have 1s in front of its shape.
    `numbers`: where they stand in the file.
    """

    shape: tuple[int, ...]
    legacy: bool
    count: int
    finite: bool
    numbers: tuple[Span, ...] = field(default=(), compare=False)

    def shape_of(self, axes: int) -> tuple[int, ...]:
        """The shape as Caffe compares it with that of a blob with so many axes (blob.cpp, ShapeEquals)."""
        spare = 4 - axes
        if self.legacy and 0 < spare <= 4 and self.shape[:spare] == (1,) * spare:
            return self.shape[spare:]
        return self.shape


@dataclass(frozen=True)
class SavedLayer:
    """A layer of a weights file. `absent`: blobs may be missing where the net shares them (HDF5)."""

    name: str
    blobs: tuple[SavedBlob | None, ...]
    absent: bool = False


def saved_layers(path: Path) -> tuple[SavedLayer, ...] | None:
    """The layers of a weights file; None where this cannot say (a Git LFS pointer, an unusual HDF5 file).

    Raises NotAModelError where Caffe cannot read it, OSError where nobody can.
    """
    stat = path.stat()
    return _read(path.resolve(), stat.st_mtime_ns, stat.st_size)


def saved_blob(path: Path) -> SavedBlob:
    """The one blob of a `.binaryproto`, a BlobProto in protobuf's wire format.

    Raises NotAModelError where it is none, OSError where it cannot be read.
    """
    with open_regular(path) as file:
        if not file.read(1):
            raise NotAModelError
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _blob(data, 0, len(data))


@dataclass(frozen=True)
class SavedState:
    """A solver state: where the run stood, the weights that belong to it, the optimiser's memory."""

    iteration: int
    step: int
    learned_net: str
    history: tuple[SavedBlob, ...]


def saved_history(path: Path) -> SavedState:
    """A `.solverstate` in protobuf's wire format (SolverState). Raises NotAModelError or OSError."""
    iteration, step = saved_state(path)
    learned_net, history = "", []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for number, at, stop in _fields(data, 0, len(data), whole=True):
            if number == _STATE_LEARNED and stop >= 0:
                learned_net = data[at:stop].decode("utf-8", "replace")
            elif number == _STATE_HISTORY and stop >= 0:
                history.append(_blob(data, at, stop))
    return SavedState(iteration, step, learned_net, tuple(history))


def saved_state(path: Path) -> tuple[int, int]:
    """The iteration and the step of `multistep` in a `.solverstate` (SolverState, sgd_solver.cpp).

    Raises NotAModelError where it is no SolverState in protobuf's wire format, OSError where it cannot be read.
    """
    iteration = step = 0
    with open_regular(path) as file:
        if not file.read(1):
            return 0, 0
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with data:
        for number, value, end in _fields(data, 0, len(data), whole=True):
            if number == _STATE_ITER and end < 0:
                iteration = value
            elif number == _STATE_STEP and end < 0:
                step = value
    return iteration, step


@lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> tuple[SavedLayer, ...] | None:
    """The layers of the file as it is at a time of change and a size, by which they are remembered."""
    with open_regular(path) as file:
        start = file.read(len(_LFS_POINTER))
        if not start:
            return ()
        if start == _LFS_POINTER:
            return None
        if start.startswith(MAGIC):
            return _of_hdf5(path)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return tuple(_layers(data))


def _of_hdf5(path: Path) -> tuple[SavedLayer, ...] | None:
    try:
        layers = read_tree(path).get("data")
    except UnknownFormatError:
        return None
    if not isinstance(layers, dict):
        raise NotAModelError
    return tuple(_hdf5_layer(name, group) for name, group in layers.items() if isinstance(group, dict))


def _hdf5_layer(name: str, group: Tree) -> SavedLayer:
    shapes = {int(key): shape for key, shape in group.items() if key.isdecimal() and isinstance(shape, tuple)}
    blobs = tuple(
        SavedBlob(shapes[index], False, math.prod(shapes[index]), True) if index in shapes else None
        for index in range(max(shapes, default=-1) + 1)
    )
    return SavedLayer(name, blobs, absent=True)


def _layers(data: mmap.mmap) -> Iterator[SavedLayer]:
    for number, start, end in _fields(data, 0, len(data), whole=True):
        if end >= 0 and number in _NAME:
            name, blobs = b"", []
            for inner, at, stop in _fields(data, start, end):
                if inner == _NAME[number] and stop >= 0:
                    name = data[at:stop]
                elif inner == _BLOBS[number] and stop >= 0:
                    blobs.append(_blob(data, at, stop))
            yield SavedLayer(name.decode("utf-8", "surrogateescape"), tuple(blobs))


def _blob(data: mmap.mmap, start: int, end: int) -> SavedBlob:
    legacy = dict.fromkeys(_LEGACY_AXES, 0)
    shape: list[int] = []
    has_legacy = False
    count, doubles, finite = 0, 0, True
    spans: list[Span] = []
    for number, at, stop in _fields(data, start, end):
        if number in legacy and stop < 0:
            legacy[number], has_legacy = at, True
        elif number == _SHAPE and stop >= 0:
            shape += _dims(data, at, stop)
        elif number == _DATA and stop >= 0:
            count += (stop - at) // 4
            spans.append((at, stop - at, "<f4"))
            finite = finite and _finite(data[at : min(stop, at + MOST_SCANNED)], "f")
        elif number == _DOUBLE_DATA and stop >= 0:
            doubles += (stop - at) // 8
            spans.append((at, stop - at, "<f8"))
            finite = finite and _finite(data[at : min(stop, at + MOST_SCANNED)], "d")
    axes = tuple(legacy.values()) if has_legacy else tuple(shape)
    kind = "<f8" if doubles else "<f4"
    return SavedBlob(axes, has_legacy, doubles or count, finite, tuple(one for one in spans if one[2] == kind))


def _dims(data: mmap.mmap, start: int, end: int) -> Iterator[int]:
    for number, at, stop in _fields(data, start, end):
        if number == _DIM and stop < 0:
            yield at
        elif number == _DIM:
            while at < stop:
                dim, at = _varint(data, at, stop)
                yield dim


def _finite(numbers: bytes, code: str) -> bool:
    """A sum is finite exactly if all its terms are: doubles hold sums of many floats."""
    values = array(code)
    values.frombytes(numbers[: len(numbers) // values.itemsize * values.itemsize])
    return math.isfinite(sum(values))


def _fields(data: mmap.mmap, at: int, end: int, whole: bool = False) -> Iterator[Chunk]:
    """The fields of a message. The end of a group that nobody began, or a 0, ends the `whole` file without a
    word: so a text file that begins with `layer` reads as an empty net.
    """
    while at < end:
        tag, at = _varint(data, at, end)
        number, kind = tag >> 3, tag & 7
        if tag == 0 or kind == _GROUP_END:
            if whole:
                return
            raise NotAModelError
        if number == 0:
            raise NotAModelError
        if kind == _GROUP:
            at = _after_group(data, at, end, number)
            continue
        if kind == 0:
            value, at = _varint(data, at, end)
            yield number, value, -1
            continue
        if kind == 2:
            size, at = _varint(data, at, end)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise NotAModelError
        if size > end - at:
            raise NotAModelError
        yield number, at, at + size
        at += size


def _after_group(data: mmap.mmap, at: int, end: int, number: int) -> int:
    """Where a group ends that began before `at`."""
    open_groups = [number]
    while open_groups:
        tag, at = _varint(data, at, end)
        number, kind = tag >> 3, tag & 7
        if kind == _GROUP:
            open_groups.append(number)
        elif kind == _GROUP_END:
            if open_groups.pop() != number:
                raise NotAModelError
        elif kind == 0:
            _, at = _varint(data, at, end)
        elif kind in _SIZES:
            at += _SIZES[kind]
        elif kind == 2:
            size, at = _varint(data, at, end)
            at += size
        else:
            raise NotAModelError
        if at > end:
            raise NotAModelError
    return at


def _varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise NotAModelError

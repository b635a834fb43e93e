"""Mean files and matrices: a BlobProto in a `.binaryproto` (io.cpp, Blob::FromProto)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nanlint.caffe.caffemodel import NotAModelError, SavedBlob, saved_blob
from nanlint.data.arrays import Array, as_float, of_bytes, spread_of
from nanlint.data.gather import Gathered
from nanlint.data.images import MOST_BYTES
from nanlint.data.records import Matrix
from nanlint.data.request import Request, Transform


class Blob(NamedTuple):
    """A blob of a file: its shape, and the numbers there are."""

    shape: tuple[int, ...]
    numbers: Array
    saved: SavedBlob


def load(path: Path) -> Blob:
    """Raises NotAModelError where it is no BlobProto, OSError where it cannot be read.

    An empty file is an empty BlobProto, as it is for Caffe.
    """
    saved = saved_blob(path) if path.stat().st_size else SavedBlob((), False, 0, True)
    parts = []
    with path.open("rb") as file:
        for start, size, kind in saved.numbers:
            if size > MOST_BYTES:
                raise NotAModelError
            file.seek(start)
            held = file.read(size)
            parts.append(as_float(of_bytes(held, kind)))
    numbers = np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)
    return Blob(saved.shape, numbers, saved)


def read(request: Request) -> Gathered:
    """A mean file or an Infogain matrix as one record."""
    got = Gathered.of(request)
    try:
        blob = load(Path(request.path))
    except NotAModelError:
        got.fault("unreadable", "it is no BlobProto")
        got.refused, got.whole = True, False
        return got
    got.read = got.records = 1
    wanted = int(np.prod(blob.shape, dtype=object)) if blob.shape else 1
    got.content = Matrix(blob.shape, len(blob.numbers))
    if wanted != len(blob.numbers):
        spelt = " x ".join(map(str, blob.shape)) or "a scalar"
        got.fault("count", f"it claims {spelt} = {wanted} numbers and holds {len(blob.numbers)}")
        return got
    got.tops[0].shaped(blob.shape, 0)
    got.tops[0].dtype = "float32"
    if not len(blob.numbers):
        return got
    channels = _channels(blob.shape)
    if request.kind == "mean":
        first = blob.numbers[: wanted // max(1, blob.shape[0])] if len(blob.shape) == 4 else blob.numbers
        got.tops[0].spread.add(spread_of(first[None], channels))
        return got
    got.tops[0].spread.add(spread_of(blob.numbers[None], 1))
    side = round(len(blob.numbers) ** 0.5)
    if side * side == len(blob.numbers):
        rows = blob.numbers.reshape(side, side)
        zero = tuple(np.flatnonzero(~rows.any(axis=1)).tolist())
        got.content = Matrix(blob.shape, len(blob.numbers), zero, int(np.count_nonzero(rows < 0)))
    return got


def _channels(shape: tuple[int, ...]) -> int:
    """The channels of a mean: axis 1 of four, axis 0 of three."""
    if len(shape) == 4:
        return max(1, shape[1])
    return max(1, shape[0]) if len(shape) == 3 else 1


Subtract = Callable[[Array, tuple[int, ...]], "Array | None"]


def subtracting(transform: Transform) -> Subtract | None:
    """What takes the mean file from records and scales them; None without a mean file that can be read."""
    if not transform.mean_file or not transform.known:
        return None
    try:
        blob = load(Path(transform.mean_file))
    except (OSError, NotAModelError):
        return None
    scale = np.float32(transform.scale)

    def subtract(records: Array, shape: tuple[int, ...]) -> Array | None:
        size = int(np.prod(shape))
        if tuple(blob.shape[-3:]) != shape or len(blob.numbers) < size:
            return None
        moved: Array = (as_float(records) - blob.numbers[:size]) * scale
        return moved

    return subtract

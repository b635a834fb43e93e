"""Weights and solver states with their numbers (net.cpp, CopyTrainedLayersFrom; sgd_solver.cpp, Restore)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from nanlint.caffe.caffemodel import (
    NotAModelError,
    SavedBlob,
    SavedLayer,
    SavedState,
    saved_history,
    saved_layers,
)
from nanlint.data.arrays import Array, as_float, of_bytes
from nanlint.data.gather import Gathered
from nanlint.data.images import as_web_page
from nanlint.data.records import Figures, Weights
from nanlint.data.request import Request

_LFS_POINTER = b"version https://git-lfs"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_BLOCK = 1 << 24


def read(request: Request) -> Gathered:
    """A `.caffemodel` or `.caffemodel.h5`, or a solver state."""
    got = Gathered.of(request)
    path = Path(request.path)
    with path.open("rb") as file:
        start = file.read(256)
    try:
        if start.startswith(_LFS_POINTER):
            raise NotAModelError
        if request.kind == "snapshot":
            got.content = _hdf5_state(path) if start.startswith(_HDF5) else saved_history(path)
            got.read = got.records = 1
            return got
        if start.startswith(_HDF5):
            content = _hdf5(path, request)
        else:
            layers = saved_layers(path) or ()
            content = Weights(layers, tuple(_binary(path, layers, request)), as_web_page(start))
    except (NotAModelError, OSError, RuntimeError, ValueError, KeyError, MemoryError):
        pointer = start.startswith(_LFS_POINTER)
        words = "a Git LFS pointer" if pointer else "a web page" if as_web_page(start) else "cut short, or no model"
        got.fault("unreadable", words)
        got.refused, got.whole = True, False
        return got
    got.read = got.records = len(content.layers)
    got.content = content
    return got


def _binary(path: Path, layers: tuple[SavedLayer, ...], request: Request) -> Iterator[tuple[Figures | None, ...]]:
    deadline = None if request.seconds is None else monotonic() + request.seconds
    with path.open("rb") as file:
        for layer in layers:
            yield tuple(_figures(file, blob, deadline) if blob else None for blob in layer.blobs)


def _figures(file: Any, blob: SavedBlob, deadline: float | None) -> Figures:
    found = Figures(0, 0, float("inf"), float("-inf"))
    for start, size, kind in blob.numbers:
        for at in range(start, start + size, _BLOCK):
            if deadline is not None and monotonic() > deadline:
                return found._replace(whole=False)
            file.seek(at)
            held = file.read(min(_BLOCK, start + size - at))
            found = _and(found, of_bytes(held, kind))
    return found


def _and(found: Figures, numbers: Array) -> Figures:
    if not numbers.size:
        return found
    floats = as_float(numbers)
    finite = np.isfinite(floats)
    kept = floats[finite]
    return Figures(
        found.number + floats.size,
        found.nonfinite + floats.size - kept.size,
        min(found.low, float(kept.min())) if kept.size else found.low,
        max(found.high, float(kept.max())) if kept.size else found.high,
    )


def _hdf5(path: Path, request: Request) -> Weights:
    import h5py

    deadline = None if request.seconds is None else monotonic() + request.seconds
    layers, figures = [], []
    with h5py.File(path, "r", locking=False) as file:
        group = file["data"]
        for name in group:
            blobs: list[SavedBlob | None] = []
            found: list[Figures | None] = []
            saved = group[name]
            numbers = sorted(int(key) for key in saved if key.isdecimal())
            for index in range(numbers[-1] + 1 if numbers and numbers[-1] < 1000 else 0):
                data = saved.get(str(index))
                if not isinstance(data, h5py.Dataset):
                    blobs.append(None)
                    found.append(None)
                    continue
                blobs.append(SavedBlob(tuple(data.shape), False, int(np.prod(data.shape, dtype=object)), True))
                late = deadline is not None and monotonic() > deadline
                seen = Figures(0, 0, float("inf"), float("-inf"), not late)
                found.append(seen if late else _and(seen, _read_all(data)))
            layers.append(SavedLayer(name, tuple(blobs), absent=True))
            figures.append(tuple(found))
    return Weights(tuple(layers), tuple(figures))


def _read_all(data: Any) -> Array:
    if data.size * 4 > 1 << 28:
        raise ValueError("too large")
    return np.asarray(data[()])


def _hdf5_state(path: Path) -> SavedState:
    import h5py

    with h5py.File(path, "r", locking=False) as file:
        history = file["history"]
        shapes = tuple(tuple(history[str(index)].shape) for index in range(len(history)))
        blobs = tuple(SavedBlob(shape, False, int(np.prod(shape, dtype=object)), True) for shape in shapes)
        learned = file["learned_net"][()] if "learned_net" in file else b""
        name = learned.decode("utf-8", "replace") if isinstance(learned, bytes) else ""
        step = int(file["current_step"][()]) if "current_step" in file else 0
        return SavedState(int(file["iter"][()]), step, name, blobs)

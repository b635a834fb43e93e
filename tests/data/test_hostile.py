"""Damaged files of every kind: no crash, no hang, nothing written beside them, and what is cut is told."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from nanlint.data.client import Worker
from nanlint.data.records import READ
from nanlint.data.request import Request
from nanlint.engine.case_data import make
from tests.data.sources import RECORDS, bytes_below

TOPS = ("data", "label")
KINDS = ("lmdb", "leveldb", "hdf5", "images", "windows", "mean", "weights", "snapshot")
EACH = 250
"""Damaged files of each kind: 2,000 in all."""
MOST_SECONDS = 2.0
WINDOWS = "# 0\na.png\n3\n4\n4\n2\n1 0.9 0 0 3 3\n0 0.1 0 0 1 1\n"


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.stop()


def sound(kind: str, folder: Path) -> tuple[Request, list[Path]]:
    """A sound source of a kind, and the files of it that are to be damaged."""
    folder.mkdir()
    tops = TOPS if kind in ("lmdb", "leveldb", "hdf5", "images", "windows") else ("data",)
    path = folder / "source"
    damaged = [path]
    if kind in ("lmdb", "leveldb"):
        make(kind, RECORDS, path)
        damaged = sorted(one for one in path.iterdir() if one.name != "LOCK" and one.stat().st_size)
    elif kind == "hdf5":
        make("hdf5", "data: 30x2x3 = 0..99\nlabel: 30 = 0 1\n", folder / "a.h5")
        path.write_text("a.h5\n")
        damaged = [folder / "a.h5"]
    elif kind in ("images", "windows"):
        for suffix in ("png", "jpg"):
            make("image", "data: 16x16x3 = 0..255\n", folder / f"a.{suffix}")
        path.write_text(WINDOWS if kind == "windows" else "a.png 0\na.jpg 1\n")
        damaged = [folder / "a.png", *([path] if kind == "windows" else [folder / "a.jpg"])]
    elif kind == "mean":
        make("binaryproto", "data: 1x3x8x8 = 0..99\n", path)
    elif kind == "weights":
        make("caffemodel", "fc: 8x8 = 0.5, 8 = 1\nconv: 4x3x3x3 = 0.1, 4\n", path)
    else:
        make("SolverState", "iter: 7 history { shape { dim: 2 } data: 0 data: 1 }\n", path)
    return Request(kind, str(path), str(folder), tops, frozenset(tops), most=64, seconds=0.5), damaged


def damage(data: bytes, draw: random.Random) -> tuple[str, bytes]:
    """Bytes that are cut, noised or grown, and which of these."""
    how = draw.choice(("cut", "noised", "grown"))
    if how == "cut":
        return how, data[: draw.randrange(len(data))]
    if how == "grown":
        return how, data + draw.randbytes(draw.randrange(1, 5000))
    noised = bytearray(data)
    for _ in range(draw.choice((1, 8, 200))):
        noised[draw.randrange(len(noised))] = draw.randrange(256)
    return how, bytes(noised)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files(kind: str, tmp_path: Path, worker: Worker) -> None:
    request, files = sound(kind, tmp_path / "data")
    assert worker.ask(request)[0].account(request, 0.0).state == READ
    draw = random.Random(kind)
    held = {file: file.read_bytes() for file in files}
    for number in range(EACH):
        file = draw.choice(files)
        how, damaged = damage(held[file], draw)
        file.write_bytes(damaged)
        before, begun = bytes_below(tmp_path), monotonic()
        found = worker.ask(request)[0].account(request, 0.0)
        assert monotonic() - begun < MOST_SECONDS + 0.5, (number, how, file.name)
        assert bytes_below(tmp_path) == before
        assert found.faults or found.whole, (number, how, file.name)
        file.write_bytes(held[file])
    assert worker.ask(request)[0].account(request, 0.0).state == READ

"""Small databases, HDF5 files and images, written from the words that cases use."""

from __future__ import annotations

from pathlib import Path

from nanlint.data.records import Account
from nanlint.data.request import Request, Transform
from nanlint.data.worker import answer
from nanlint.engine.case_data import make

RECORDS = "data: 40x1x4x4 = 0..255\nlabel: 40 = 3 1 4 0 5\n"


def lmdb(folder: Path, text: str = RECORDS, name: str = "db") -> Path:
    make("lmdb", text, folder / name)
    return folder / name


def account(kind: str, path: Path, **more: object) -> Account:
    """A source read in this process, with the tops `data` and `label`."""
    tops = ("data", "label")
    request = Request(kind, str(path), str(path.parent), tops, frozenset(tops), **more)  # type: ignore[arg-type]
    got, seconds = answer(request)
    return got.account(request, seconds)


def bytes_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with what it holds."""
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


__all__ = ["RECORDS", "Transform", "account", "bytes_below", "lmdb"]

"""LMDB and LevelDB as sorted stores of keys and values, opened so that nothing is written beside them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import error, unpack_from
from typing import Any, NamedTuple, Protocol

from nanlint.data.keys import between

_MAGIC = 0xBEEFC0DE
_MAGIC_AT, _PAGE_SIZE_AT, _ENTRIES_AT, _LAST_PAGE_AT, _TRANSACTION_AT = 16, 40, 120, 136, 144
_TABLES = (".ldb", ".sst")
_MOST_COPIED = 1 << 30


class StoreError(Exception):
    """A store that cannot be opened: the kind of fault, and words on it."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind, self.words = kind, words


class Store(Protocol):
    """A sorted store. `records`: how many it says that it holds."""

    records: int | None

    def walk(self, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values from a key on."""

    def ends(self) -> tuple[bytes, bytes] | None:
        """The first and the last key; None where there is none."""


class LmdbMeta(NamedTuple):
    """What the newer of the two meta pages says (lmdb's mdb.c, struct MDB_meta)."""

    records: int
    size: int


def lmdb_meta(path: Path) -> LmdbMeta | None:
    """The entries of the main tree and the bytes that the pages take; None where the file begins otherwise."""
    with path.open("rb") as file:
        first = file.read(256)
        try:
            (page_size,) = unpack_from("<I", first, _PAGE_SIZE_AT)
            file.seek(page_size)
            pages = [first, file.read(256)]
            found = [
                (unpack_from("<Q", page, _TRANSACTION_AT)[0], page)
                for page in pages
                if len(page) == 256 and unpack_from("<I", page, _MAGIC_AT) == (_MAGIC,)
            ]
        except (error, OSError, OverflowError):
            return None
    if not found or not 256 <= page_size <= 1 << 16:
        return None
    _, page = max(found, key=lambda one: one[0])
    (records,), (last,) = unpack_from("<Q", page, _ENTRIES_AT), unpack_from("<Q", page, _LAST_PAGE_AT)
    return LmdbMeta(records, (last + 1) * page_size)


class _Lmdb:
    def __init__(self, environment: Any, records: int) -> None:
        self.records: int | None = records
        self._transaction = environment.begin()

    def walk(self, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        cursor = self._transaction.cursor()
        if cursor.set_range(start) if start is not None else cursor.first():
            yield from cursor.iternext()

    def ends(self) -> tuple[bytes, bytes] | None:
        cursor = self._transaction.cursor()
        if not cursor.first():
            return None
        first = bytes(cursor.key())
        return (first, bytes(cursor.key())) if cursor.last() else None


class _LevelDb:
    records: int | None = None

    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def walk(self, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        yield from self._opened.iterator(start=start, verify_checksums=True, fill_cache=False)

    def ends(self) -> tuple[bytes, bytes] | None:
        first = next(self._opened.iterator(include_value=False), None)
        last = next(self._opened.iterator(include_value=False, reverse=True), None)
        return None if first is None or last is None else (first, last)


@contextmanager
def opened(kind: str, path: str) -> Iterator[Store]:
    """A database of a kind, `lmdb` or `leveldb`. Raises StoreError, or OSError where it cannot be read."""
    with (_lmdb if kind == "lmdb" else _leveldb)(Path(path)) as store:
        yield store


@contextmanager
def _lmdb(folder: Path) -> Iterator[Store]:
    import lmdb

    file = folder / "data.mdb"
    if not file.is_file():
        raise StoreError("no-database", f"`{folder.name}` holds no `data.mdb`")
    meta = lmdb_meta(file)
    if meta is None:
        raise StoreError("damaged", "`data.mdb` does not begin like an LMDB")
    size = file.stat().st_size
    if size < meta.size:
        raise StoreError("truncated", f"`data.mdb` has {size} of the {meta.size} bytes that its pages take")
    try:
        environment = lmdb.open(
            str(folder), readonly=True, lock=False, create=False, readahead=False, max_dbs=0, subdir=True
        )
    except lmdb.Error as wrong:
        raise StoreError("damaged", str(wrong)) from wrong
    try:
        yield _Lmdb(environment, meta.records)
    except lmdb.Error as wrong:
        raise StoreError("damaged", str(wrong)) from wrong
    finally:
        environment.close()


@contextmanager
def _leveldb(folder: Path) -> Iterator[Store]:
    """Opening a LevelDB rewrites it, so a mirror is opened: links to its tables, copies of the rest."""
    import plyvel

    if not (folder / "CURRENT").is_file():
        raise StoreError("no-database", f"`{folder.name}` holds no `CURRENT`")
    with tempfile.TemporaryDirectory(prefix="nanlint-") as mirror:
        _mirror(folder, Path(mirror))
        try:
            store = plyvel.DB(mirror, create_if_missing=False, max_open_files=64)
        except (plyvel.Error, OSError) as wrong:
            raise StoreError("damaged", str(wrong).replace(mirror, folder.name)) from wrong
        try:
            yield _LevelDb(store)
        except plyvel.Error as wrong:
            raise StoreError("damaged", str(wrong).replace(mirror, folder.name)) from wrong
        finally:
            store.close()


def _mirror(folder: Path, mirror: Path) -> None:
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if not entry.is_file() or entry.name == "LOCK":
            continue
        if entry.name.endswith(_TABLES):
            (mirror / entry.name).symlink_to(Path(entry.path).resolve())
        elif entry.stat().st_size > _MOST_COPIED:
            raise StoreError("damaged", f"`{entry.name}` has {entry.stat().st_size} bytes")
        else:
            shutil.copyfile(entry.path, mirror / entry.name)


def spread_keys(ends: tuple[bytes, bytes], number: int) -> list[bytes]:
    """Keys evenly between the first and the last, those two among them."""
    first, last = ends
    inner = [between(first, last, index / (number - 1)) for index in range(1, number - 1)]
    return [first, *inner, last]

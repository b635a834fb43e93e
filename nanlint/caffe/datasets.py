"""How many items a data layer's source holds, where the source is on this machine.

LMDB states it in its meta pages, an ImageData list has a line an item, an HDF5Data list names files whose
datasets have an item a row.
"""

from __future__ import annotations

from pathlib import Path
from struct import error, unpack_from
from typing import TYPE_CHECKING

from nanlint.caffe.hdf5 import UnknownFormatError, read_tree
from nanlint.safety.reading import first_regular, first_there, is_folder, open_regular, read_regular

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer

_LMDB_MAGIC = 0xBEEFC0DE
_META, _PAGE_SIZE, _MAIN_ENTRIES, _TRANSACTION = 16, 40, 120, 144
"""Offsets in a meta page: the meta data, the page size, the entries of the main tree, the transaction."""


def batch_size(layer: Layer) -> int | None:
    """The batch size that a data layer states; None for other layers."""
    field = layer.facts.source_block
    size: int = getattr(layer.param, field).batch_size if field else 0
    return size or None


def items(layer: Layer, base: Path) -> int | None:
    """How many items the source holds, looked up from the working directory and from `base`; None if unknown."""
    field = layer.facts.source_block
    source = getattr(layer.param, field).source if field else ""
    if not source or "\0" in source:
        return None
    path = first_there((Path(source), base / source))
    try:
        return None if path is None else _count(layer, path, base)
    except (OSError, error, UnknownFormatError, UnicodeDecodeError):
        return None


def _count(layer: Layer, path: Path, base: Path) -> int | None:
    if layer.type == "Data":
        return _lmdb_entries(path / "data.mdb") if is_folder(path) else None
    lines = [line for line in read_regular(path).decode().splitlines() if line.strip()]
    if layer.type == "ImageData":
        return len(lines)
    counts = [_hdf5_rows(layer, line.strip(), base) for line in lines]
    return sum(count for count in counts if count is not None) if counts and None not in counts else None


def _hdf5_rows(layer: Layer, name: str, base: Path) -> int | None:
    path = first_regular((Path(name), base / name))
    shape = read_tree(path).get(layer.param.top[0]) if path is not None and layer.param.top else None
    return shape[0] if isinstance(shape, tuple) and shape else None


def _lmdb_entries(path: Path) -> int | None:
    """The entries of the newer of the two meta pages (lmdb's mdb.c, struct MDB_meta)."""
    with open_regular(path) as file:
        first = file.read(256)
        (page_size,) = unpack_from("<I", first, _PAGE_SIZE)
        file.seek(page_size)
        pages = [first, file.read(256)]
    found = [
        (unpack_from("<Q", page, _TRANSACTION)[0], unpack_from("<Q", page, _MAIN_ENTRIES)[0])
        for page in pages
        if unpack_from("<I", page, _META) == (_LMDB_MAGIC,)
    ]
    return int(max(found)[1]) if found else None

"""The tree of an HDF5 file as Caffe writes it: groups, and the shapes of the datasets in them.

Only what libhdf5 writes by default is understood (superblock 0, groups as symbol tables, object headers of
version 1; HDF5 File Format Specification 2.0, sections II and III). Numbers are not read.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from struct import error, unpack_from

from nanlint.safety.reading import open_regular

Tree = dict[str, "Tree | tuple[int, ...]"]
"""Names with a group, or with the shape of a dataset."""

MAGIC = b"\x89HDF\r\n\x1a\n"

_DATASPACE, _CONTINUATION, _SYMBOL_TABLE = 0x0001, 0x0010, 0x0011
_ENTRY = 40
_ROOT_HEADER = 64
_MOST_DEPTH = 4


class UnknownFormatError(Exception):
    """The file uses a part of the format that this does not read, or is damaged."""


def read_tree(path: Path) -> Tree:
    """The groups and datasets of a file. Raises UnknownFormatError, or OSError if it cannot be read."""
    with open_regular(path) as file:
        if len(file.read(_ROOT_HEADER + 8)) < _ROOT_HEADER + 8:
            raise UnknownFormatError
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with data:
        if data[:8] != MAGIC or data[8] != 0 or data[13:15] != b"\x08\x08":
            raise UnknownFormatError
        try:
            (root,) = unpack_from("<Q", data, _ROOT_HEADER)
            found = _Reader(data).object(root, _MOST_DEPTH)
        except (error, ValueError, IndexError, OverflowError) as damaged:
            raise UnknownFormatError from damaged
    if isinstance(found, dict):
        return found
    raise UnknownFormatError


class _Reader:
    """Walks the objects of a file. Each node and header is visited once, so a damaged file cannot lead in circles."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.seen: set[int] = set()

    def visit(self, at: int) -> None:
        if at in self.seen:
            raise UnknownFormatError
        self.seen.add(at)

    def object(self, header: int, depth: int) -> Tree | tuple[int, ...]:
        """What an object header describes: a group, or a dataset by its shape."""
        if not depth:
            raise UnknownFormatError
        data = self.data
        for kind, at in self.messages(header):
            if kind == _SYMBOL_TABLE:
                tree, heap = unpack_from("<QQ", data, at)
                return {name: self.object(child, depth - 1) for name, child in self.links(tree, heap)}
            if kind == _DATASPACE:
                version, rank = data[at], data[at + 1]
                return unpack_from(f"<{rank}Q", data, at + (8 if version == 1 else 4))
        raise UnknownFormatError

    def messages(self, header: int) -> Iterator[tuple[int, int]]:
        """Type and place of each message of an object header."""
        data = self.data
        version, _, left, _, size = unpack_from("<BBHII", data, header)
        if version != 1:
            raise UnknownFormatError
        blocks = [(header + 16, size)]
        while blocks and left:
            at, size = blocks.pop(0)
            end = at + size
            while at + 8 <= end and left:
                kind, length = unpack_from("<HH", data, at)
                if kind == _CONTINUATION:
                    blocks.append(unpack_from("<QQ", data, at + 8))
                yield kind, at + 8
                at += 8 + length
                left -= 1

    def links(self, node: int, heap: int, below: int = 256) -> Iterator[tuple[str, int]]:
        """Name and object header of each member of a group, from its B-tree."""
        data = self.data
        self.visit(node)
        signature, _, level, used = unpack_from("<4sBBH", data, node)
        if signature != b"TREE" or level >= below or data[heap : heap + 4] != b"HEAP":
            raise UnknownFormatError
        (names,) = unpack_from("<Q", data, heap + 24)
        for index in range(used):
            (child,) = unpack_from("<Q", data, node + 32 + 16 * index)
            if level:
                yield from self.links(child, heap, level)
                continue
            self.visit(child)
            (symbols,) = unpack_from("<H", data, child + 6)
            for at in range(child + 8, child + 8 + symbols * _ENTRY, _ENTRY):
                offset, header = unpack_from("<QQ", data, at)
                start = names + offset
                yield data[start : data.find(b"\0", start)].decode("utf-8", "surrogateescape"), header

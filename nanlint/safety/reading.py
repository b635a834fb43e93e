"""The door for paths: every file that a prototxt, a list or a configuration names is looked at and opened here.

A prototxt comes from anyone, and may name a FIFO, a device without end, a folder, a name that is too long. So what it
names is read only where it is a regular file, and text only up to a size. What the call itself names may be a pipe,
but is bounded too.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TypeVar

MOST_TEXT = 64 << 20
"""Bytes of a file that is read whole: a net of 100,000 layers has a third of that."""

MOST_PATH = 4096
"""Characters of a path that an operating system takes; no longer one leads anywhere."""

AnyPath = TypeVar("AnyPath", str, Path)

_CAREFUL = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_PIECE = 1 << 20


class NotRegularError(OSError):
    """A path leads to a folder, a pipe, a device: to no regular file."""


class TooLargeError(OSError):
    """A file has more bytes than are read of one."""


def mode(path: str | os.PathLike[str]) -> int:
    """The mode of what a path leads to; 0 where it leads nowhere, is no path, or may not be looked at."""
    try:
        return os.stat(path).st_mode
    except (OSError, ValueError):
        return 0


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads anywhere, as far as this process may look. Never raises."""
    return mode(path) != 0


def is_regular(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads to a regular file. Never raises."""
    return stat.S_ISREG(mode(path))


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads to a folder. Never raises."""
    return stat.S_ISDIR(mode(path))


def first_there(paths: Iterable[AnyPath]) -> AnyPath | None:
    """The first of some paths that leads anywhere; None if none does."""
    return next((path for path in paths if is_there(path)), None)


def first_regular(paths: Iterable[AnyPath]) -> AnyPath | None:
    """The first of some paths that leads to a regular file; None if none does."""
    return next((path for path in paths if is_regular(path)), None)


def is_forbidden(path: str | os.PathLike[str]) -> bool:
    """Whether this process may not even look at a path, or not read what it leads to. Never raises."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and not os.access(path, os.R_OK)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False


def open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    """A regular file, opened for reading its bytes: without waiting, whatever the path leads to.

    Raises NotRegularError for anything else, OSError where it may not be read or the name cannot be that of a file.
    """
    try:
        handle = os.open(path, _CAREFUL)
    except ValueError as wrong:  # a NUL in the path
        raise OSError(errno.EINVAL, "no path holds a NUL", os.fspath(path)) from wrong
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotRegularError(errno.EINVAL, _what(os.fstat(handle).st_mode), os.fspath(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: str | os.PathLike[str], most: int = MOST_TEXT) -> bytes:
    """The bytes of a regular file: the only way to read what a prototxt names.

    Raises NotRegularError for anything else, TooLargeError for more than `most` bytes, OSError where it may not
    be read.
    """
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > most:
            raise _too_large(path, most)
        data = file.read(most + 1)
    if len(data) > most:
        raise _too_large(path, most)
    return data


def read_named(path: str | os.PathLike[str], most: int = MOST_TEXT) -> bytes:
    """The bytes of what the call itself names, which may be a pipe. Raises OSError, and TooLargeError as above."""
    with open(path, "rb") as file:
        return read_stream(file, os.fspath(path), most)


def read_stream(stream: IO[bytes], name: str, most: int = MOST_TEXT) -> bytes:
    """All that a stream holds. Raises TooLargeError where that is more than `most` bytes."""
    pieces, size = [], 0
    while piece := stream.read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise _too_large(name, most)
    return b"".join(pieces)


def reason(wrong: Exception) -> str:
    """`no such file or directory`, from an OSError or whatever else was raised."""
    if "embedded null" in str(wrong):
        return "no path holds a NUL"
    words = getattr(wrong, "strerror", None) or str(wrong) or type(wrong).__name__
    return words[0].lower() + words[1:]


def _too_large(path: str | os.PathLike[str], most: int) -> TooLargeError:
    return TooLargeError(errno.EFBIG, f"it is larger than {most >> 20} MiB", os.fspath(path))


def _what(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    kind = next((words for holds, words in kinds if holds(mode)), "a device")
    return f"it is {kind}, not a regular file"

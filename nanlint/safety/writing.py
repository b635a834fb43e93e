"""The door for writing: every file that nanlint writes or changes is written here, and only where the call asks for it.

A reader sees the former file or the whole new one. Owner, mode, extended attributes, hard and symbolic links stay.
A file without write permission is left alone, even for one who may write everything.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path


def replace_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Put new content into a file, or make the file.

    A file with several names, or with an owner to whom it could not be given back, is written where it lies: a kill
    at that moment may leave it half written, a full disk does not. Raises OSError, and then leaves it as it was.
    """
    target = os.path.realpath(path)
    try:
        before = os.stat(target)
    except FileNotFoundError:
        _in_one_step(Path(target), data, None)
        return
    if not stat.S_ISREG(before.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", os.fspath(path))
    if not before.st_mode & 0o222 or not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
    if before.st_nlink > 1 or not _can_give(before):
        _where_it_lies(target, data)
    else:
        _in_one_step(Path(target), data, before)


def _can_give(before: os.stat_result) -> bool:
    """Whether a new file can have the owner and group of the former one."""
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        return True
    return before.st_uid == os.geteuid() and before.st_gid in (os.getegid(), *os.getgroups())


def _in_one_step(target: Path, data: bytes, before: os.stat_result | None) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if before is None:
            part.chmod(0o666 & ~_umask())
        else:
            _like(part, target, before)
        part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _like(part: Path, target: Path, before: os.stat_result) -> None:
    """Give a new file the owner, attributes and mode of the one that it replaces."""
    made = part.stat()
    if hasattr(os, "chown") and (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid):
        os.chown(part, before.st_uid, before.st_gid)
    if hasattr(os, "listxattr"):
        with contextlib.suppress(OSError):
            for attribute in os.listxattr(target):
                os.setxattr(part, attribute, os.getxattr(target, attribute))
    part.chmod(stat.S_IMODE(before.st_mode))


def _where_it_lies(target: str, data: bytes) -> None:
    with open(target, "r+b") as file:
        former = file.read()
        try:
            _overwrite(file.fileno(), data)
        except OSError:
            _overwrite(file.fileno(), former)
            raise


def _overwrite(handle: int, data: bytes) -> None:
    os.lseek(handle, 0, os.SEEK_SET)
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]
    os.ftruncate(handle, len(data))
    os.fsync(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

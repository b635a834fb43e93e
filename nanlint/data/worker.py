"""The process that opens foreign bytes: it takes requests over a pipe, and dies alone where a file kills its reader.

A damaged LMDB is SIGBUS in whoever maps it; a declared size can be any number. So nothing that maps or parses
data in C runs in the process that lints.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
from collections.abc import Callable
from importlib import import_module
from time import perf_counter
from typing import BinaryIO

from nanlint.data.gather import Gathered
from nanlint.data.request import Request

MOST_MEMORY = 512 << 20
"""Bytes of the worker's memory, a mapped database not counted."""

READERS = {
    "lmdb": "databases",
    "leveldb": "databases",
    "hdf5": "hdf5",
    "images": "lists",
    "windows": "windows",
    "mean": "mean",
    "matrix": "mean",
    "weights": "weights",
    "snapshot": "weights",
}
"""The module of this package whose `read` takes a kind of source."""

LENGTH = struct.Struct("<Q")


def main() -> None:
    """Serve requests from standard input until it ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    requests = sys.stdin.buffer
    while (request := receive(requests)) is not None:
        _limit_memory(MOST_MEMORY + _mapped(request))
        send(answers, answer(request))


def answer(request: Request) -> tuple[Gathered, float]:
    """What a source holds, and the seconds that reading it took."""
    begun = perf_counter()
    try:
        read = reader(request)
        begun = perf_counter()
        got = read(request)
    except ImportError as missing:
        got = _refused(request, "library-missing", missing.name or str(missing))
    except MemoryError:
        got = _refused(request, "too-large", "it takes more memory than a reader is given")
    except OSError as wrong:
        got = _refused(request, "unreadable", (wrong.strerror or type(wrong).__name__).lower())
    except Exception as wrong:  # whatever a damaged file makes a library raise
        got = _refused(request, "damaged", f"{type(wrong).__name__}: {str(wrong)[:200]}")
    return got, perf_counter() - begun


def reader(request: Request) -> Callable[[Request], Gathered]:
    """The function that reads a source. Raises ImportError where its library is missing."""
    found: Callable[[Request], Gathered] = import_module(f"nanlint.data.{READERS[request.kind]}").read
    return found


def _mapped(request: Request) -> int:
    """Bytes that opening a source maps."""
    file = os.path.join(request.path, "data.mdb") if request.kind == "lmdb" else request.path  # noqa: PTH118
    return os.stat(file).st_size if os.path.isfile(file) else 0  # noqa: PTH113, PTH116


def _limit_memory(size: int) -> None:
    """Let this process take no more address space."""
    try:
        import resource
    except ImportError:  # no such limit on this system
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size, hard))


def send(stream: BinaryIO, value: object) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()


def receive(stream: BinaryIO) -> Request | None:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    request: Request = pickle.loads(stream.read(LENGTH.unpack(head)[0]))
    return request


def _refused(request: Request, kind: str, words: str) -> Gathered:
    got = Gathered.of(request)
    got.fault(kind, words)
    got.refused, got.whole = True, False
    return got

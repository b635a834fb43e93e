"""A whole source as a map over its parts and a merge: on this machine's cores, or on a cluster."""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from nanlint.data.client import Answer, Worker, workers
from nanlint.data.gather import merged
from nanlint.data.request import Request
from nanlint.data.session import Progress

PART_BYTES = 64 << 20
"""About how much of a source a part has: a part's database is opened and closed by itself, so that no more of it
is mapped at a time.
"""

MOST_PARTS = 4096


def parts_of(request: Request) -> list[Request]:
    """The requests into which a whole reading is cut, in the order in which their results are merged."""
    if request.kind not in ("lmdb", "leveldb", "hdf5", "images"):
        return [request]
    number = min(MOST_PARTS, max(1, -(-_bytes_of(request) // PART_BYTES)))
    return [replace(request, part=part, parts=number) for part in range(number)]


def _bytes_of(request: Request) -> int:
    """About how many bytes a source has, from the sizes of its files."""
    path = Path(request.path)
    if path.is_dir():
        return sum(entry.stat().st_size for entry in os.scandir(path) if entry.is_file())
    if request.kind == "hdf5":
        names = path.read_bytes().split()
        files = (Path(request.root) / os.fsdecode(name) for name in names[:10_000])
        return sum(file.stat().st_size for file in files if file.is_file())
    if request.kind == "images":
        return path.stat().st_size * 200
    return 0


def whole(request: Request, worker: Worker, progress: Progress | None = None) -> Answer:
    """Every record of a source, and the seconds that it took; `worker` reads what is a single part, as many as there
    are cores the rest.
    """
    parts = parts_of(request)
    if len(parts) == 1:
        return worker.ask(parts[0])
    begun = perf_counter()
    with workers(min(len(parts), _cores())) as crew:
        got = merged([got for got, _ in _mapped(parts, crew, progress)])
    return got, perf_counter() - begun


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def _mapped(parts: list[Request], crew: Sequence[Worker], progress: Progress | None) -> Iterator[Answer]:
    """The answers to requests, in their order, each worker taking the next one when it is done."""
    answers: dict[int, Answer] = {}
    waiting = deque(enumerate(parts))
    busy: dict[int, tuple[Worker, int]] = {}

    def give(worker: Worker) -> None:
        if waiting:
            number, part = waiting.popleft()
            worker.send(part)
            busy[worker.stream] = worker, number

    for worker in crew:
        give(worker)
    while busy:
        for stream in select.select(list(busy), [], [])[0]:
            worker, number = busy.pop(stream)
            answers[number] = worker.answer(parts[number])
            give(worker)
            if progress is not None:
                progress(parts[0].path, len(answers), len(parts))
    return iter([answers[number] for number in range(len(parts))])


def on_cluster(request: Request, address: str) -> Answer:
    """The same on a Dask cluster, whose workers see the data under the same paths. Raises OSError, ImportError."""
    from dask.distributed import Client

    from nanlint.data.worker import answer

    begun = perf_counter()
    with Client(address, timeout=10) as client:  # type: ignore[no-untyped-call]
        answers = client.gather(client.map(answer, parts_of(request), pure=False))
    return merged([got for got, _ in answers]), perf_counter() - begun

"""The other end of the worker: requests out, results back, and what its death means for one source."""

from __future__ import annotations

import atexit
import os
import pickle
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic

from nanlint.data.gather import Gathered
from nanlint.data.request import Request
from nanlint.data.worker import LENGTH

PATIENCE = 1.5
"""Seconds beyond its budget after which a reader is taken to hang."""

_START = "import sys; sys.path[:] = {path!r}; from nanlint.data.worker import main; main()"
_IMPORTS = 10.0
"""Seconds that the first answer may take longer, for the libraries to be imported."""

Answer = tuple[Gathered, float]


class Worker:
    """One process that reads, started with the first request, and anew where one killed it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._fresh = True

    def start(self) -> None:
        """Start the process, unless it runs."""
        if self._process is None:
            # its own folder is no place to import from: the user's may hold a `numpy.py`
            command = [sys.executable, "-c", _START.format(path=sys.path)]
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            self._fresh = True

    def ask(self, request: Request) -> Answer:
        """Read a source. What kills the reader, or keeps it longer than it may, is a fault of the source."""
        self.send(request)
        return self.answer(request)

    def send(self, request: Request) -> None:
        """Hand a request over, to be answered."""
        self.start()
        process = self._running()
        data = pickle.dumps(request, pickle.HIGHEST_PROTOCOL)
        with suppress(BrokenPipeError):  # its death is met when the answer is awaited
            assert process.stdin is not None
            process.stdin.write(LENGTH.pack(len(data)) + data)
            process.stdin.flush()

    def answer(self, request: Request) -> Answer:
        """The answer to the request that was sent last."""
        begun = monotonic()
        patience = None if request.seconds is None else request.seconds + PATIENCE + (_IMPORTS if self._fresh else 0)
        head = self._receive(LENGTH.size, patience, begun)
        if isinstance(head, bytes):
            data = self._receive(LENGTH.unpack(head)[0], patience, begun)
            if isinstance(data, bytes):
                self._fresh = False
                answer: Answer = pickle.loads(data)
                return answer
            head = data
        self.stop()
        return self._death(request, head), monotonic() - begun

    def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):
                    if stream is not None:
                        stream.close()

    @property
    def stream(self) -> int:
        """The descriptor on which an answer arrives."""
        process = self._running()
        assert process.stdout is not None
        return process.stdout.fileno()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self.start()
        assert self._process is not None
        return self._process

    def _receive(self, size: int, patience: float | None, begun: float) -> bytes | str:
        """So many bytes; or why they do not come."""
        held = bytearray()
        descriptor = self.stream
        while len(held) < size:
            left = None if patience is None else max(0.0, patience - (monotonic() - begun))
            if not select.select([descriptor], [], [], left)[0]:
                return "timeout"
            data = os.read(descriptor, size - len(held))
            if not data:
                return _ending(self._running().wait())
            held += data
        return bytes(held)

    def _death(self, request: Request, how: str) -> Gathered:
        got = Gathered.of(request)
        words = "reading it takes too long" if how == "timeout" else f"it kills its reader ({how})"
        got.fault("killed", words)
        got.refused, got.whole = True, False
        return got


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


_idle: list[Worker] = []


def borrowed() -> Worker:
    """A worker that an earlier run has left, or another one."""
    return _idle.pop() if _idle else Worker()


def give_back(worker: Worker) -> None:
    """Keep a worker for the next run in this process; the process's end ends it."""
    if not _idle:
        atexit.register(_stop_idle)
    _idle.append(worker)


def _stop_idle() -> None:
    while _idle:
        _idle.pop().stop()


@contextmanager
def workers(number: int) -> Iterator[Sequence[Worker]]:
    """So many workers, ended afterwards."""
    made = [Worker() for _ in range(number)]
    try:
        yield made
    finally:
        for worker in made:
            worker.stop()

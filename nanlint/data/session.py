"""What one run has read of the data beside its nets: each source once, within the run's budget, or as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from nanlint.data.places import refusal
from nanlint.data.records import REFUSED, Account, Fault
from nanlint.data.request import Request

if TYPE_CHECKING:
    from nanlint.data.client import Answer, Worker

Progress = Callable[[str, int, int], None]
"""Told a source's path, how many of its parts are read, and of how many."""

SAMPLE, FULL, NO = "sample", "full", "no"
MODES = (SAMPLE, FULL, NO)

MOST_RECORDS = 256
SECONDS, SECONDS_IN_ALL = 0.5, 2.0
_LEAST = 0.02
"""Seconds for the first record alone, once the budget is spent."""


class Session:
    """The accounts of one run. `mode`: SAMPLE or FULL. Libraries that are `missing` are said once."""

    def __init__(self, mode: str = SAMPLE, progress: Progress | None = None, scheduler: str = "") -> None:
        self.mode = mode
        self.missing: set[str] = set()
        self._progress, self._scheduler = progress, scheduler
        self._worker: Worker | None = None
        self._spent, self._closed = 0.0, False
        self._accounts: dict[Request, Account] = {}

    def account(self, request: Request) -> Account:
        """What a source holds, read now unless it has been."""
        if request not in self._accounts:
            self._accounts[request] = self._read(request)
            if self._closed:
                self.close()
        return self._accounts[request]

    def close(self) -> None:
        """Give the worker back; one that is needed later goes with its answer."""
        self._closed = True
        if self._worker is not None:
            from nanlint.data.client import give_back

            give_back(self._worker)
            self._worker = None

    @property
    def worker(self) -> Worker:
        """The process that reads, from the first reading on."""
        if self._worker is None:
            from nanlint.data.client import borrowed

            self._worker = borrowed()
        return self._worker

    def _read(self, request: Request) -> Account:
        why = refusal(request.path)
        if why:
            return _refused(request, "refused", f"it is {why}")
        if self.mode == FULL:
            got, seconds = self._whole(request)
        else:
            left = SECONDS_IN_ALL - self._spent
            most, seconds = (MOST_RECORDS, min(SECONDS, left)) if left > _LEAST else (1, _LEAST)
            got, seconds = self.worker.ask(replace(request, most=most, seconds=seconds))
            self._spent += seconds
        for fault in got.faults:
            if fault.kind == "library-missing":
                self.missing.add(fault.words)
        return got.account(request, seconds)

    def _whole(self, request: Request) -> Answer:
        from nanlint.data import scan

        if self._scheduler:
            return scan.on_cluster(request, self._scheduler)
        return scan.whole(request, self.worker, self._progress)


def _refused(request: Request, kind: str, words: str) -> Account:
    return Account(
        request.kind, request.path, REFUSED, faults=(Fault(kind, words),), counted={kind: 1}
    )

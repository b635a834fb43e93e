"""What a file does to the process that reads it is a fault of the file, and the next one is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from signal import SIGSTOP

import pytest

from nanlint.data import client
from nanlint.data.client import Worker
from nanlint.data.request import Request
from nanlint.data.stores import lmdb_meta
from tests.data.sources import lmdb

TOPS = ("data", "label")


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.stop()


def request(path: Path) -> Request:
    return Request("lmdb", str(path), "", TOPS, frozenset(TOPS), most=256, seconds=1.0)


def test_a_reader_that_dies_is_started_anew(tmp_path: Path, worker: Worker) -> None:
    whole = lmdb(tmp_path)
    assert worker.ask(request(whole))[0].read == 40
    process = worker._process
    assert process is not None
    process.kill()
    got, _ = worker.ask(request(whole))
    assert [one.words for one in got.faults] == ["it kills its reader (SIGKILL)"]
    assert worker.ask(request(whole))[0].read == 40


def test_a_reader_that_hangs_is_ended(
    tmp_path: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lmdb(tmp_path)
    worker.ask(request(whole))
    assert worker._process is not None
    worker._process.send_signal(SIGSTOP)
    monkeypatch.setattr(client, "PATIENCE", 0.1)
    got, _ = worker.ask(replace(request(whole), seconds=0.1))
    assert [one.words for one in got.faults] == ["reading it takes too long"]


def test_damaged_pages_do_not_end_the_run(tmp_path: Path, worker: Worker) -> None:
    whole, broken = lmdb(tmp_path), lmdb(tmp_path, name="broken") / "data.mdb"
    data = bytearray(broken.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    broken.write_bytes(data)
    assert worker.ask(request(broken.parent))[0].faults
    assert worker.ask(request(whole))[0].read == 40


def test_no_module_of_the_users_folder_is_imported(
    tmp_path: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = lmdb(tmp_path)
    (tmp_path / "numpy.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    assert worker.ask(request(whole))[0].read == 40


def test_the_meta_page_tells_records_and_size(tmp_path: Path) -> None:
    file = lmdb(tmp_path) / "data.mdb"
    meta = lmdb_meta(file)
    assert meta is not None
    assert meta.records == 40
    assert meta.size <= file.stat().st_size

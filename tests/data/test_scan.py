"""A whole source in parts: on this machine's cores or on a cluster, the same comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nanlint.data import scan
from nanlint.data.client import Worker
from nanlint.data.records import Account
from nanlint.data.request import Request
from tests.data.sources import lmdb

TEXT = "data: 300x1x8x8 = 0..255\nlabel: 300 = 3 1 4 0 5\n"


def request(path: Path) -> Request:
    return Request("lmdb", str(path), "", ("data", "label"), frozenset(("data", "label")), prints=True)


def whole(wanted: Request) -> Account:
    worker = Worker()
    try:
        return scan.whole(wanted, worker)[0].account(wanted, 0.0)
    finally:
        worker.stop()


def test_parts_on_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = request(lmdb(tmp_path, TEXT))
    alone = whole(wanted)
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(scan, "PART_BYTES", 10_000)
    parts = scan.parts_of(wanted)
    assert len(parts) > 3
    worker = Worker()
    got, _ = scan.whole(wanted, worker, lambda _, done, of: told.append((done, of)))
    assert got.account(wanted, 0.0) == alone
    assert told[-1] == (len(parts), len(parts))


def test_a_part_that_kills_its_reader_is_a_fault_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = lmdb(tmp_path, TEXT) / "data.mdb"
    data = bytearray(file.read_bytes())
    data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
    file.write_bytes(data)
    monkeypatch.setattr(scan, "PART_BYTES", 10_000)
    assert whole(request(file.parent)).faults


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_two_workers_of_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("dask.distributed")
    wanted = request(lmdb(tmp_path, TEXT))
    alone = whole(wanted)
    monkeypatch.setattr(scan, "PART_BYTES", 10_000)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        got, _ = scan.on_cluster(wanted, cluster.scheduler_address)
    assert replace(got.account(wanted, 0.0)) == alone

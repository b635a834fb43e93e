"""Databases are read whole, in parts or as a sample, and nothing is written beside them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from nanlint.data.gather import merged
from nanlint.data.request import Request, Transform
from nanlint.data.worker import answer
from nanlint.engine.case_data import make
from tests.data.sources import RECORDS, account, bytes_below, lmdb


@pytest.mark.parametrize("kind", ["lmdb", "leveldb"])
def test_every_record_counts(tmp_path: Path, kind: str) -> None:
    make(kind, RECORDS, tmp_path / "db")
    found = account(kind, tmp_path / "db")
    data, label = found.tops
    assert (found.state, found.whole, found.read, found.records) == ("read", True, 40, 40)
    assert (data.shape, data.dtype, data.low, data.high) == ((1, 4, 4), "uint8", 0.0, 255.0)
    assert (label.values, label.falls) == ({0.0: 8, 1.0: 8, 3.0: 8, 4.0: 8, 5.0: 8}, True)


@pytest.mark.parametrize("kind", ["lmdb", "leveldb"])
@pytest.mark.parametrize("parts", [2, 3, 7])
def test_parts_give_the_same_account(tmp_path: Path, kind: str, parts: int) -> None:
    make(kind, "float_data: 40x2x3x3 = -1 0.25 nan 7, 3x2x2x3 = 1e30\nlabel: 43 = 0 1 1\n", tmp_path / "db")
    whole = Request(kind, str(tmp_path / "db"), "", ("data", "label"), frozenset(("data", "label")), prints=True)
    pieces = [answer(replace(whole, part=part, parts=parts))[0] for part in range(parts)]
    assert merged(pieces).account(whole, 0.0) == answer(whole)[0].account(whole, 0.0)


@pytest.mark.parametrize("kind", ["lmdb", "leveldb"])
def test_a_sample_is_spread_over_the_store(tmp_path: Path, kind: str) -> None:
    make(kind, "data: 400x1x2x2 = 0..255\nlabel: 400 = 0..399\n", tmp_path / "db")
    found = account(kind, tmp_path / "db", most=20)
    values = sorted(found.tops[1].values or {})
    assert not found.whole
    assert found.records == (400 if kind == "lmdb" else None)
    assert 15 <= found.read <= 20
    assert (values[0], values[-1]) == (0.0, 399.0)
    assert max(later - earlier for earlier, later in itertools.pairwise(values)) < 60


@pytest.mark.parametrize("kind", ["lmdb", "leveldb"])
def test_nothing_is_written_beside_the_data(tmp_path: Path, kind: str) -> None:
    make(kind, RECORDS, tmp_path / "db")
    before = bytes_below(tmp_path)
    account(kind, tmp_path / "db")
    assert bytes_below(tmp_path) == before


def test_images_are_decoded_blue_first(tmp_path: Path) -> None:
    lmdb(tmp_path, "encoded: 2x3x1x1 = 10 20 30\n")
    found = account("lmdb", tmp_path / "db")
    assert found.encoded == 2
    assert [one.mean for one in found.tops[0].channels or ()] == [30.0, 20.0, 10.0]


def test_a_mean_file_is_subtracted_pixel_by_pixel(tmp_path: Path) -> None:
    lmdb(tmp_path, "data: 2x1x1x2 = 10 20\n")
    make("binaryproto", "data: 1x1x1x2 = 10 0\n", tmp_path / "mean")
    found = account("lmdb", tmp_path / "db", transform=Transform(0.5, mean_file=str(tmp_path / "mean")))
    (after,) = found.tops[0].after or ()
    assert (after.low, after.high) == (0.0, 10.0)


def test_a_cut_file_is_told_before_it_is_mapped(tmp_path: Path) -> None:
    file = lmdb(tmp_path) / "data.mdb"
    file.write_bytes(file.read_bytes()[:6000])
    found = account("lmdb", tmp_path / "db")
    assert found.state == "refused"
    assert [one.kind for one in found.faults] == ["truncated"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("broken: 3x1x8x8 = 0..255\n", "undecodable"),
        ("data: 3x1x2x2 = 1\nsize: 3x3 = 1 2 3\n", "size-mismatch"),
        ("data: 3x1x2x2 = 1\nsize: 3x3 = 1 0 3\n", "no-numbers"),
        ("data: 3x1x2x2 = 1\nsize: 3x3 = 1 65000 65000\n", "too-large"),
        ("float_data: 3x1x2x2 = 1 inf\n", "non-finite"),
    ],
)
def test_what_is_wrong_is_told_with_its_record(tmp_path: Path, text: str, kind: str) -> None:
    lmdb(tmp_path, text)
    first = account("lmdb", tmp_path / "db").faults[0]
    assert (first.kind, first.record) == (kind, "record 0, key 00000000")

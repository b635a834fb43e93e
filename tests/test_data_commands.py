"""`nanlint data`, `nanlint probe`, and what an ordinary check reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nanlint.data.session as sessions
from nanlint.engine.case_data import make
from tests.calls import Call, caller, small_project
from tests.data.sources import bytes_below

NET = """layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.00390625 }
  data_param { source: "train_lmdb" backend: LMDB batch_size: 8 } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = small_project(tmp_path)
    (found / "net.prototxt").write_text(NET)
    make("lmdb", "data: 300x1x4x4 = 0..255\nlabel: 300 = 3 1 4 0 5\n", found / "train_lmdb")
    return found


@pytest.fixture
def nanlint(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    return caller(folder, monkeypatch, capsys)


def test_every_record_is_counted(nanlint: Call) -> None:
    done = nanlint("data", "good.prototxt", "--output-format", "json")
    found = json.loads(done.stdout)
    (source,) = found["sources"]
    assert (source["state"], source["whole"], source["read"], source["records"]) == ("read", True, 300, 300)
    assert (source["shapes"], source["min"], source["max"]) == ([[1, 4, 4]], [0.0], [255.0])
    assert source["labels"] == {"0": 60, "1": 60, "3": 60, "4": 60, "5": 60}
    assert [one["code"] for one in found["findings"]] == ["DAT101", "DAT105"]
    assert done.returncode == 1
    assert done.stdout == nanlint("data", "good.prototxt", "--output-format", "json").stdout


def test_people_see_labels_and_what_is_wrong(nanlint: Call) -> None:
    shown = nanlint("data", "good.prototxt").stdout
    assert "lmdb train_lmdb (layer `data`, TRAIN): 300 records, all read" in shown
    assert "0: 60, 1: 60, 3: 60" in shown
    assert "label-outside-classes" in shown


def test_a_sample_says_how_many_it_saw(nanlint: Call) -> None:
    found = json.loads(nanlint("data", "good.prototxt", "--data", "sample", "--output-format", "json").stdout)
    (source,) = found["sources"]
    assert not source["whole"]
    assert source["records"] == 300
    assert source["read"] <= 256


def test_a_check_reads_a_sample_and_knows_the_shapes(nanlint: Call) -> None:
    assert "DAT101" in nanlint("good.prototxt").stdout
    assert "85 parameters" in nanlint("shapes", "good.prototxt").stdout


def test_a_check_can_leave_the_data_alone(nanlint: Call) -> None:
    assert "DAT" not in nanlint("good.prototxt", "--data", "no").stdout


def test_nothing_is_written_beside_the_data(folder: Path, nanlint: Call) -> None:
    before = bytes_below(folder)
    nanlint("data", "good.prototxt")
    nanlint("good.prototxt")
    assert bytes_below(folder) == before


def test_no_reader_is_started_where_there_is_no_data(
    folder: Path, nanlint: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "net.prototxt").write_text(NET.replace("train_lmdb", "elsewhere"))
    monkeypatch.setattr(sessions.Session, "worker", property(lambda _: pytest.fail("a reader was started")))
    assert nanlint("good.prototxt").stderr == ""


def test_without_a_library_one_line_says_what_to_install(
    nanlint: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nanlint.data.client import Worker

    def missing(self: Worker, request: object) -> object:
        from nanlint.data.worker import _refused

        return _refused(request, "library-missing", "lmdb"), 0.0  # type: ignore[arg-type]

    monkeypatch.setattr(Worker, "ask", missing)
    done = nanlint("good.prototxt")
    assert done.returncode == 0
    assert done.stderr == (
        "nanlint: `lmdb` is not installed, so the data that it reads was left out: pip install 'nanlint[data]'\n"
    )


def test_a_probe_reads_the_data_once(folder: Path, nanlint: Call) -> None:
    done = nanlint("probe", "good.prototxt")
    assert "max_iter: 38" in done.stdout
    (folder / "probe.prototxt").write_text(done.stdout)
    assert "nothing found" in nanlint("probe.prototxt", "--select", "SET,NET,SOL,LR,TXT").stdout


def test_a_probe_is_not_written_over_a_file(folder: Path, nanlint: Call) -> None:
    assert nanlint("probe", "good.prototxt", "--out", "net.prototxt").returncode == 2
    assert (folder / "net.prototxt").read_text() == NET
    assert nanlint("probe", "good.prototxt", "--out", "probe.prototxt").returncode == 0
    assert "debug_info: true" in (folder / "probe.prototxt").read_text()

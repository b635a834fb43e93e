"""Cases: the two sides of a file, the files of a side, and the data that is made for them."""

from __future__ import annotations

from pathlib import Path

import h5py
import lmdb
import pytest
from PIL import Image

from nanlint.caffe.caffemodel import saved_layers, saved_state
from nanlint.engine import cases
from nanlint.engine.case_data import make
from nanlint.schema.descriptors import message_class


@pytest.fixture
def case(tmp_path: Path) -> Path:
    (tmp_path / "solver.prototxt").write_text("net: 'net.prototxt'\n")
    (tmp_path / "net.prototxt").write_text("name: 'shared'\n")
    return tmp_path / "a-rule.case"


def texts(parts: tuple[cases.Part, ...]) -> dict[str, str]:
    return {part.name: part.text for part in parts}


def test_marked_lines_are_of_one_side(case: Path) -> None:
    case.write_text("base_lr: 1\n-gamma: 1\n+gamma: 2\n")
    read = cases.read(case)
    assert texts(read.bad)["solver.prototxt"] == "base_lr: 1\ngamma: 1\n"
    assert texts(read.good)["solver.prototxt"] == "base_lr: 1\ngamma: 2\n"


def test_what_a_case_leaves_out_is_shared(case: Path) -> None:
    case.write_text("-base_lr: 1\n")
    assert texts(cases.read(case).bad)["net.prototxt"] == "name: 'shared'\n"
    case.write_text("=== net.prototxt\n-name: 'own'\n")
    assert texts(cases.read(case).bad) == {"solver.prototxt": "net: 'net.prototxt'\n", "net.prototxt": "name: 'own'\n"}


def test_a_file_may_be_of_one_side(case: Path) -> None:
    case.write_text("weights: 'w.caffemodel'\n+=== w.caffemodel from caffemodel\n+fit: 1x4\n")
    read = cases.read(case)
    assert "w.caffemodel" not in texts(read.bad)
    assert cases.Part("w.caffemodel", "fit: 1x4\n", "caffemodel") in read.good


def test_a_solver_may_be_empty(case: Path) -> None:
    case.write_text("=== solver.prototxt\n+base_lr: 1\n")
    assert texts(cases.read(case).bad)["solver.prototxt"] == ""


def test_the_first_line_may_name_what_is_linted(case: Path) -> None:
    case.write_text("$ nanlint deploy.prototxt net.prototxt\n=== deploy.prototxt\n-name: 'x'\n")
    read = cases.read(case)
    assert read.paths == ("deploy.prototxt", "net.prototxt")
    assert list(cases.lint(read, read.bad).files) == ["deploy.prototxt", "net.prototxt", "solver.prototxt"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("base_lr: 1\n", "no line begins with - or +"),
        ("-x: 1\n=== a\n=== a\n", "`a` is there twice"),
        ("-x: 1\n=== ../a\n", "outside"),
    ],
)
def test_what_is_no_case(case: Path, text: str, wrong: str) -> None:
    case.write_text(text)
    with pytest.raises(ValueError, match=wrong):
        cases.read(case)


def test_a_database_of_datums(tmp_path: Path) -> None:
    make("lmdb", "data: 5x3x2x2 = 0..255\nlabel: 5 = 0..1\n", tmp_path / "train_lmdb")
    with lmdb.open(str(tmp_path / "train_lmdb"), readonly=True, lock=False) as database, database.begin() as read:
        datums = [message_class("Datum").FromString(value) for _, value in read.cursor()]
    assert [datum.label for datum in datums] == [0, 1, 0, 1, 0]  # type: ignore[attr-defined]
    assert datums[0].data == bytes(range(12))  # type: ignore[attr-defined]


def test_hdf5_datasets(tmp_path: Path) -> None:
    make("hdf5", "data: 2x3 = 0..4 nan\nlabel: 2 int32 = 7\n", tmp_path / "train.h5")
    with h5py.File(tmp_path / "train.h5") as file:
        assert (file["data"].shape, file["data"].dtype, file["data"][0, 2]) == ((2, 3), "float32", 2)
        assert (file["label"].dtype, [*file["label"]]) == ("int32", [7, 7])


def test_weights_and_a_state(tmp_path: Path) -> None:
    make("caffemodel", "fit: 2x4 = 1, 2\n", tmp_path / "w.caffemodel")
    (layer,) = saved_layers(tmp_path / "w.caffemodel") or ()
    assert [blob and blob.shape for blob in layer.blobs] == [(2, 4), (2,)]
    make("SolverState", "iter: 500 current_step: 2", tmp_path / "w.solverstate")
    assert saved_state(tmp_path / "w.solverstate") == (500, 2)


def test_images_and_bytes(tmp_path: Path) -> None:
    make("image", "data: 4x6x3 = 0..255\n", tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (6, 4)
    make("hex", "6e 61 6e", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"nan"


def test_an_unknown_maker_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="`hdf` is neither a message nor one of caffemodel, .*hdf5"):
        make("hdf", "", tmp_path / "x")

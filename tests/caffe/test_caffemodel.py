from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from nanlint.caffe.caffemodel import NotAModelError, SavedBlob, saved_layers
from nanlint.caffe.hdf5 import read_tree
from nanlint.schema.descriptors import new_net


def test_reads_names_shapes_and_counts_of_both_formats(tmp_path: Path) -> None:
    net = new_net()
    net.layer.add(name="a").blobs.add().data.extend([1.0, 2.0])
    net.layer[0].blobs[0].shape.dim.extend([2, 1])
    net.layers.add(name="b").blobs.add(num=1, channels=1, height=1, width=3).data.extend([1.0] * 3)
    path = tmp_path / "m.caffemodel"
    path.write_bytes(net.SerializeToString())
    layers = saved_layers(path)
    assert layers is not None
    by_name = {layer.name: layer.blobs for layer in layers}
    assert by_name["a"] == (SavedBlob((2, 1), False, 2, True),)
    assert by_name["b"] == (SavedBlob((1, 1, 1, 3), True, 3, True),)
    assert by_name["b"][0].shape_of(2) == (1, 3)


def test_an_infinite_number_is_seen(tmp_path: Path) -> None:
    net = new_net()
    net.layer.add(name="a").blobs.add().data.extend([1.0, float("-inf"), float("inf")])
    (tmp_path / "m").write_bytes(net.SerializeToString())
    layers = saved_layers(tmp_path / "m")
    assert layers
    assert [blob and blob.finite for blob in layers[0].blobs] == [False]


@pytest.mark.parametrize("content", [b"\x89HDF\r\n\x1a\n" + bytes(80), b"version https://git-lfs.github.com/spec/v1\n"])
def test_says_nothing_of_what_it_cannot_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m").write_bytes(content)
    assert saved_layers(tmp_path / "m") is None


@pytest.mark.parametrize("content", [b"name: 'a'", b"\xa2\x06\x7f", b"\x07"])
def test_what_protobuf_cannot_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(NotAModelError):
        saved_layers(tmp_path / "m")


def hdf5_files(shared: Path) -> dict[str, bytes]:
    """The weights in HDF5 of the judge's cases, by note."""
    files = {}
    for line in (shared / "oracle/cases/solver_net.jsonl").read_text().splitlines():
        case = json.loads(line)
        content = case["files"].get("m.h5")
        if isinstance(content, dict):
            files[case["note"]] = base64.b64decode(content["base64"])
    return files


def test_reads_what_caffe_wrote_as_hdf5(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes(hdf5_files(shared)["HDF5 weights: without bias, into a net with"])
    assert read_tree(path) == {"data": {"data": {}, "ip": {"0": (2, 3)}, "loss": {}}}
    layers = saved_layers(path)
    assert layers is not None
    assert {layer.name: len(layer.blobs) for layer in layers} == {"data": 0, "ip": 1, "loss": 0}


def test_an_hdf5_file_without_a_net_is_refused(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes(hdf5_files(shared)["HDF5 weights: a solverstate instead"])
    with pytest.raises(NotAModelError):
        saved_layers(path)


def test_a_damaged_hdf5_file_ends_in_no_other_error(shared: Path, tmp_path: Path) -> None:
    whole = hdf5_files(shared)["HDF5 weights: wider"]
    path = tmp_path / "m.h5"
    for at in range(8, len(whole), 97):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            saved_layers(path)
        except NotAModelError:
            continue


@pytest.mark.parametrize("ending", [b"", b"\x00\xff", b"\x0cxyz", b"\xc3\x0c\xc4\x0c"])
def test_an_end_that_nobody_began_ends_the_file(tmp_path: Path, ending: bytes) -> None:
    net = new_net()
    net.layer.add(name="a")
    (tmp_path / "m").write_bytes(net.SerializeToString() + ending)
    layers = saved_layers(tmp_path / "m")
    assert layers is not None
    assert [layer.name for layer in layers] == ["a"]


@pytest.mark.parametrize("content", [b"\xc3\x0c", b"\xc3\x0c\xcc\x0c"])
def test_a_group_that_does_not_end_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(NotAModelError):
        saved_layers(tmp_path / "m")

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.caffe.caffemodel import NotAModelError, SavedBlob, saved_layers
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
    assert not layers[0].blobs[0].finite


@pytest.mark.parametrize(
    "content", [b"\x89HDF\r\n\x1a\n" + bytes(8), b"version https://git-lfs.github.com/spec/v1\n"]
)
def test_says_nothing_of_what_it_cannot_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m").write_bytes(content)
    assert saved_layers(tmp_path / "m") is None


@pytest.mark.parametrize("content", [b"name: 'a'", b"\xa2\x06\x7f", b"\x00"])
def test_what_protobuf_cannot_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(NotAModelError):
        saved_layers(tmp_path / "m")

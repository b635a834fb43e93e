"""The matrix of InfogainLoss in a file beside the net."""

from __future__ import annotations

from pathlib import Path
from struct import pack

import pytest

from nanlint.caffe.caffemodel import NotAModelError, saved_blob
from tests.rules.nets import data, layer, train_net


def matrix(size: int) -> bytes:
    """A BlobProto of size x size ones: the shape is field 7, the packed numbers field 5."""
    numbers = pack(f"<{size * size}f", *[1.0] * size**2)
    return bytes([0x3A, 4, 0x0A, 2, size, size, 0x2A, len(numbers)]) + numbers


def problems(folder: Path) -> list[str]:
    loss = layer("InfogainLoss", "x y", "l", 'infogain_loss_param { source: "H.binaryproto" }')
    net = train_net(folder, data(4, 3) + data(4, name="y") + loss)
    return [problem.message for problem in net.found("shape-mismatch")]


def test_a_matrix_of_too_few_classes(tmp_path: Path) -> None:
    (tmp_path / "H.binaryproto").write_bytes(matrix(2))
    assert problems(tmp_path) == [
        "`l` wants a matrix of 3 x 3 for the 3 classes of `x` (4 x 3), but the file `H.binaryproto` has 4 numbers, "
        "and Caffe aborts; give it 9"
    ]


@pytest.mark.parametrize("content", [matrix(3), b"", b"\xff\xff\xff", None], ids=["fits", "empty", "no proto", "none"])
def test_nothing_is_said_of_a_matrix_that_fits_or_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "H.binaryproto").write_bytes(content)
    assert problems(tmp_path) == []


def test_a_saved_blob(tmp_path: Path) -> None:
    path = tmp_path / "mean.binaryproto"
    path.write_bytes(matrix(2))
    assert saved_blob(path).shape == (2, 2)
    path.write_bytes(b"")
    with pytest.raises(NotAModelError):
        saved_blob(path)

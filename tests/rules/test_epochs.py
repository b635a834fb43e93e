"""The rules about data whose size is known."""

from __future__ import annotations

from pathlib import Path
from struct import pack_into

import pytest

from tests.rules.solving import found

RUN = 'lr_policy: "fixed" base_lr: 0.1 max_iter: 20 test_interval: 5 '
NET = """
layer {
  name: "images" type: "ImageData" top: "x" top: "y"
  image_data_param { source: "list.txt" batch_size: 10 new_height: 4 new_width: 4 }
}
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "out" inner_product_param { num_output: 2 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "out" bottom: "y" top: "loss" }
"""


def lmdb(entries: int, page: int = 4096) -> bytes:
    """The two meta pages of a database; the second one is an older transaction."""
    data = bytearray(2 * page)
    for start, transaction, count in ((0, 2, entries), (page, 1, entries - 1)):
        pack_into("<I", data, start + 16, 0xBEEFC0DE)
        pack_into("<I", data, start + 40, page)
        pack_into("<Q", data, start + 120, count)
        pack_into("<Q", data, start + 144, transaction)
    return bytes(data)


@pytest.mark.parametrize(
    ("images", "solver", "said"),
    [
        (200, "test_iter: 20", set()),
        (201, "test_iter: 21", {"warning run-before-epoch", "info test-set-coverage"}),
        (100, "test_iter: 5", {"info test-set-coverage"}),
        (200, "test_iter: 20 iter_size: 2", {"info effective-batch"}),
    ],
)
def test_a_list_of_images(tmp_path: Path, images: int, solver: str, said: set[str]) -> None:
    (tmp_path / "list.txt").write_text("a.jpg 0\n" * images)
    names = {"run-before-epoch", "test-set-coverage", "effective-batch"}
    assert {one for one in found(tmp_path, RUN + solver, NET) if one.split()[1] in names} == said


def test_a_database(tmp_path: Path) -> None:
    net = NET.replace("ImageData", "Data").replace("image_data_param", "data_param").replace("list.txt", "db")
    net = net.replace("new_height: 4 new_width: 4", "backend: LMDB")
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "data.mdb").write_bytes(lmdb(201))
    assert "warning run-before-epoch" in found(tmp_path, RUN + "test_iter: 1", net)
    (tmp_path / "db" / "data.mdb").write_bytes(lmdb(200))
    assert "warning run-before-epoch" not in found(tmp_path, RUN + "test_iter: 1", net)


def test_data_that_is_elsewhere_says_nothing(tmp_path: Path) -> None:
    assert "info test-set-coverage" not in found(tmp_path, RUN + "test_iter: 1", NET)

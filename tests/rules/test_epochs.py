"""The rules about data whose size is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.engine.case_data import make
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
    make("lmdb", "data: 201x3x4x4 = 0..255\nlabel: 201 = 0 1\n", tmp_path / "db")
    assert "warning run-before-epoch" in found(tmp_path, RUN + "test_iter: 1", net)
    make("lmdb", "data: 200x3x4x4 = 0..255\nlabel: 200 = 0 1\n", tmp_path / "other")
    of_other = net.replace('"db"', '"other"')
    assert "warning run-before-epoch" not in found(tmp_path, RUN + "test_iter: 1", of_other)


def test_each_phase_is_held_to_its_own_batch(tmp_path: Path) -> None:
    make("lmdb", "data: 40x3x4x4 = 0..255\nlabel: 40 = 0 1\n", tmp_path / "db")
    layers = "".join(
        f'layer {{ name: "d" type: "Data" top: "x" top: "y" include {{ phase: {phase} }} '
        f'data_param {{ source: "db" backend: LMDB batch_size: {batch} }} }}'
        for phase, batch in (("TRAIN", 8), ("TEST", 10))
    )
    net = layers + NET[NET.index('layer { name: "ip"') :]
    assert "info test-set-coverage" not in found(tmp_path, RUN + "test_iter: 4", net)
    assert "info test-set-coverage" in found(tmp_path, RUN + "test_iter: 5", net)


def test_data_that_is_elsewhere_says_nothing(tmp_path: Path) -> None:
    assert "info test-set-coverage" not in found(tmp_path, RUN + "test_iter: 1", NET)

"""Weights that decay alone makes infinite."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.analysis.decay import overflow
from nanlint.caffe.load import load_solver

NET = """
layer { name: "data" type: "DummyData" top: "x" top: "y"
        dummy_data_param { shape { dim: 4 dim: 8 } shape { dim: 4 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "out"
        inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "out" bottom: "y" top: "loss" }
"""


def update_of(folder: Path, settings: str) -> int | None:
    (folder / "net.prototxt").write_text(NET)
    path = folder / "solver.prototxt"
    path.write_text(f'net: "net.prototxt" lr_policy: "fixed" {settings}')
    solver = load_solver(str(path))
    assert solver.train_net is not None
    found = overflow(solver.param, solver.train_net)
    return None if found is None else found.update


@pytest.mark.parametrize(
    ("settings", "update"),
    [
        # 0.1 * 1e6 = 1e5: five powers of ten an update, from 3.5e-4 to a thousand times the largest float
        ("base_lr: 0.1 weight_decay: 1e6 max_iter: 20", 9),
        ("base_lr: 1e38 weight_decay: 0.0005 max_iter: 5", 2),
        ("base_lr: 0.1 weight_decay: 1e6 max_iter: 8", None),
        ("base_lr: 0.1 weight_decay: 100 max_iter: 90", None),
        ('base_lr: 0.1 weight_decay: 1e6 max_iter: 20 regularization_type: "L1"', None),
        ('type: "Adam" base_lr: 0.1 weight_decay: 1e6 max_iter: 20', None),
        ("base_lr: 0.1 weight_decay: 1e6 max_iter: 20 momentum: 1.5", None),
    ],
)
def test_the_update_that_reaches_infinity(tmp_path: Path, settings: str, update: int | None) -> None:
    assert update_of(tmp_path, settings) == update


def test_frozen_weights_stay(tmp_path: Path) -> None:
    frozen = NET.replace("inner_product_param", "param { lr_mult: 0 } param { lr_mult: 0 } inner_product_param")
    (tmp_path / "net.prototxt").write_text(frozen)
    path = tmp_path / "solver.prototxt"
    path.write_text('net: "net.prototxt" lr_policy: "fixed" base_lr: 1e38 weight_decay: 1 max_iter: 9')
    solver = load_solver(str(path))
    assert solver.train_net is not None
    assert overflow(solver.param, solver.train_net) is None

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.caffe.edits import remove, write
from nanlint.caffe.load import load_solver
from nanlint.text.edits import edited
from tests.rules.nets import layer, train_net


def solver_after(folder: Path, text: str, route: str, value: object) -> str:
    path = folder / "solver.prototxt"
    path.write_text(text)
    fix = write(load_solver(str(path)), route, value)
    return edited(text, fix.edits)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("base_lr: 1\nmax_iter: 3\n", "base_lr: 0.1\nmax_iter: 3\n"),
        ("max_iter: 3  # few\n", "max_iter: 3  # few\nbase_lr: 0.1\n"),
        ("max_iter: 3", "max_iter: 3\nbase_lr: 0.1"),
        ("", "base_lr: 0.1\n"),
    ],
)
def test_a_field_is_changed_or_added(tmp_path: Path, before: str, after: str) -> None:
    assert solver_after(tmp_path, before, "base_lr", 0.1) == after


def after(folder: Path, settings: str, route: str, value: object) -> str:
    text = layer("Pooling", "x", "p", settings)
    (one,) = train_net(folder, text).layers
    return edited(text, write(one, route, value).edits).partition('top: "p" ')[2].rstrip().removesuffix("}").rstrip()


def test_a_block_is_made_where_there_is_none(tmp_path: Path) -> None:
    assert after(tmp_path, "", "pooling_param.stride", 2) == "pooling_param { stride: 2 }"


def test_a_block_on_one_line_keeps_its_line(tmp_path: Path) -> None:
    settings = "pooling_param { kernel_size: 3 }"
    assert after(tmp_path, settings, "pooling_param.stride", 2) == "pooling_param { kernel_size: 3 stride: 2 }"
    assert after(tmp_path, "pooling_param {}", "pooling_param.stride", 2) == "pooling_param { stride: 2 }"


def test_a_block_on_several_lines_gets_one_more(tmp_path: Path) -> None:
    settings = "pooling_param {\n  kernel_size: 3  # odd\n}"
    added = "pooling_param {\n  kernel_size: 3  # odd\n  stride: 2\n}"
    assert after(tmp_path, settings, "pooling_param.stride", 2) == added


def test_a_field_is_removed_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "solver.prototxt"
    path.write_text("base_lr: 1\nmomentum: 0.9\n")
    fix = remove(load_solver(str(path)), "momentum")
    assert fix is not None
    assert edited(path.read_text(), fix.edits) == "base_lr: 1\n"
    assert remove(load_solver(str(path)), "delta") is None

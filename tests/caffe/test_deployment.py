"""Which nets beside a solver are the deploy nets of its training net."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.caffe.deployment import deployments
from nanlint.caffe.load import Files, load_solver
from nanlint.caffe.options import Options

TRAIN = """
layer { name: "data" type: "Data" top: "data" top: "label" data_param { source: "x" batch_size: 4 backend: LMDB } }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1" inner_product_param { num_output: 4 } }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 4 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
"""
DEPLOY = """
input: "data" input_shape { dim: 1 dim: 4 }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1" inner_product_param { num_output: 4 } }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 4 } }
"""


def found(folder: Path, files: dict[str, str], named: tuple[str, ...] = ()) -> list[str]:
    for name, text in {"solver.prototxt": 'net: "train.prototxt"\nmax_iter: 1\n', **files}.items():
        (folder / name).write_text(text)
    options, read = Options(), Files()
    solver = load_solver(str(folder / "solver.prototxt"), options, read)
    named = tuple(str(folder / name) for name in named)
    return [Path(pair.deploy.path).name for pair in deployments(solver, options, read, named)]


def test_a_file_called_deploy(tmp_path: Path) -> None:
    assert found(tmp_path, {"train.prototxt": TRAIN, "my_deploy.prototxt": DEPLOY}) == ["my_deploy.prototxt"]


def test_a_net_with_the_names_of_the_training_net_and_an_input(tmp_path: Path) -> None:
    assert found(tmp_path, {"train.prototxt": TRAIN, "lenet.prototxt": DEPLOY}) == ["lenet.prototxt"]


def test_a_net_with_other_names_that_is_not_called_deploy_is_another(tmp_path: Path) -> None:
    other = DEPLOY.replace('name: "ip', 'name: "fc') + 'layer { name: "prob" type: "Softmax" bottom: "ip2" top: "p" }'
    assert found(tmp_path, {"train.prototxt": TRAIN, "lenet.prototxt": other}) == []


def test_of_several_training_nets_the_one_whose_name_it_bears(tmp_path: Path) -> None:
    others = {"train_big.prototxt": TRAIN, "deploy_big.prototxt": DEPLOY, "deploy.prototxt": DEPLOY}
    assert found(tmp_path, {"train.prototxt": TRAIN, **others}) == ["deploy.prototxt"]


def test_the_one_that_is_named_and_no_other(tmp_path: Path) -> None:
    files = {"train.prototxt": TRAIN, "deploy.prototxt": DEPLOY, "elsewhere.prototxt": DEPLOY}
    assert found(tmp_path, files, ("elsewhere.prototxt",)) == ["elsewhere.prototxt"]


def test_one_that_is_named_and_missing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        found(tmp_path, {"train.prototxt": TRAIN}, ("missing.prototxt",))


def test_a_test_net_of_the_solver_is_none(tmp_path: Path) -> None:
    solver = 'train_net: "train.prototxt"\ntest_net: "deploy.prototxt"\ntest_iter: 1\ntest_interval: 1\nmax_iter: 1\n'
    files = {"solver.prototxt": solver, "train.prototxt": TRAIN, "deploy.prototxt": DEPLOY}
    assert found(tmp_path, files) == []


def test_the_stage_deploy_of_the_training_net(tmp_path: Path) -> None:
    staged = TRAIN.replace('type: "Softmax', 'exclude { stage: "deploy" } type: "Softmax')
    assert found(tmp_path, {"train.prototxt": staged}) == ["train.prototxt"]

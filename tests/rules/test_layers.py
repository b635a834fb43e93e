"""Empty blobs, layers that overwrite what they read, engines that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.rules.layers import (
    cudnn_on_cpu,
    empty_at_forward,
    empty_output,
    in_place_gradient,
    in_place_output,
    stochastic_on_cpu,
)
from tests.rules.nets import data, layer, solver, train_net

IP = "inner_product_param { num_output: 3 weight_filler { type: 'xavier' } }"


def test_the_layer_that_makes_an_empty_blob_is_named_once(tmp_path: Path) -> None:
    net = train_net(
        tmp_path,
        data(2, 3, 4, 4)
        + layer("Pooling", "x", "p", "pooling_param { kernel_size: 5 stride: 1 }")
        + layer("ReLU", "p", "r"),
    )
    [problem] = empty_at_forward(net)
    assert "`p` makes `p` 2 x 3 x 0 x 0, which holds no element" in problem.message


def test_the_first_reader_of_an_input_without_a_shape_is_named(tmp_path: Path) -> None:
    net = train_net(tmp_path, 'layer { name: "in" type: "Input" top: "x" }\n' + layer("ReLU", "x", "r"))
    [problem] = empty_at_forward(net)
    assert "`r` reads `x`, which `in` makes without a shape" in problem.message


def test_an_empty_output_is_printed(tmp_path: Path) -> None:
    text = 'layer { name: "in" type: "Input" top: "x" }\n'
    assert [p.layer for p in empty_output(solver(tmp_path, text, "display: 1"))] == ["in"]
    assert list(empty_output(solver(tmp_path, text, ""))) == []


@pytest.mark.parametrize(
    ("type_name", "settings", "is_wrong"),
    [
        ("Pooling", "pooling_param { kernel_size: 3 pad: 1 }", True),
        ("Convolution", "convolution_param { num_output: 3 kernel_size: 1 }", True),
        ("Convolution", "convolution_param { num_output: 3 kernel_size: 3 pad: 1 }", False),
        ("LRN", "", True),
        ("LRN", "lrn_param { norm_region: WITHIN_CHANNEL }", False),
        ("ReLU", "", False),
        ("BatchNorm", "", False),
    ],
)
def test_what_cannot_work_in_place(tmp_path: Path, type_name: str, settings: str, is_wrong: bool) -> None:
    net = train_net(tmp_path, data(2, 3, 8, 8) + layer(type_name, "x", "x", settings))
    assert bool(list(in_place_output(net))) is is_wrong


@pytest.mark.parametrize(
    ("type_name", "settings", "is_wrong"),
    [
        ("Power", "", True),
        ("ReLU", "", False),
        ("ReLU", "relu_param { negative_slope: -1 }", True),
        ("TanH", "", False),
    ],
)
def test_whose_gradient_is_wrong_in_place(tmp_path: Path, type_name: str, settings: str, is_wrong: bool) -> None:
    net = train_net(
        tmp_path,
        data(2, 3)
        + layer("InnerProduct", "x", "h", IP)
        + layer(type_name, "h", "h", settings)
        + layer("Reduction", "h", "r", "loss_weight: 1"),
    )
    assert bool(list(in_place_gradient(net))) is is_wrong


@pytest.mark.parametrize("mode", ["CPU", "GPU"])
def test_engines_and_methods_that_only_a_gpu_has(tmp_path: Path, mode: str) -> None:
    text = data(2, 3, 8, 8) + layer(
        "Pooling", "x", "p", "pooling_param { kernel_size: 2 pool: STOCHASTIC engine: CUDNN }"
    )
    run = solver(tmp_path, text, f"solver_mode: {mode}")
    expected = {"p"} if mode == "CPU" else set()
    assert {problem.layer for problem in cudnn_on_cpu(run)} == expected
    assert {problem.layer for problem in stochastic_on_cpu(run)} == expected

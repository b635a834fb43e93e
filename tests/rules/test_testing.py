"""Test nets: what was never trained, stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import engine

DATA = """
layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
  shape { dim: 8 dim: 3 } shape { dim: 8 } data_filler { type: "uniform" } data_filler { type: "constant" } } }
"""
SCORE = """
layer { name: "score" type: "InnerProduct" bottom: "data" top: "score"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
"""
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }\n'
SOLVER = 'base_lr: 0.01\nlr_policy: "fixed"\nmax_iter: 100\ntest_iter: 1\ntest_interval: 10\n'
TWO = SOLVER + 'train_net: "net.prototxt"\ntest_net: "test.prototxt"\n'
ONE = SOLVER + 'net: "net.prototxt"\n'


def said(folder: Path, solver: str, **nets: str) -> list[str]:
    """What is said about tests and stages, as `warning untrained-test-layer`."""
    (folder / "solver.prototxt").write_text(solver)
    for name, text in nets.items():
        (folder / f"{name}.prototxt").write_text(text)
    report = engine.check([str(folder / "solver.prototxt")])
    assert report.failures == ()
    found = [finding for finding in report.findings if finding.code.startswith("TEST")]
    return [f"{finding.severity.value} {finding.name}" for finding in found]


def test_a_layer_that_the_test_net_alone_has(tmp_path: Path) -> None:
    renamed = SCORE.replace('name: "score"', 'name: "fc"')
    found = said(tmp_path, TWO, net=DATA + SCORE + LOSS, test=DATA + renamed + LOSS)
    assert found == ["warning untrained-test-layer"]


def test_where_the_solver_names_weights_they_may_hold_it(tmp_path: Path) -> None:
    renamed = SCORE.replace('name: "score"', 'name: "fc"')
    solver = TWO + 'weights: "elsewhere.caffemodel"\n'
    assert said(tmp_path, solver, net=DATA + SCORE + LOSS, test=DATA + renamed + LOSS) == ["info untrained-test-layer"]


@pytest.mark.parametrize(
    "layer",
    [
        SCORE,
        'layer { name: "other" type: "ReLU" bottom: "data" top: "data" }' + SCORE,
        SCORE + 'layer { name: "b" type: "Bias" bottom: "score" top: "score" blobs { shape { dim: 2 } data: [0, 0] } }',
    ],
)
def test_what_needs_no_training_is_silent(tmp_path: Path, layer: str) -> None:
    assert said(tmp_path, TWO, net=DATA + SCORE + LOSS, test=DATA + layer + LOSS) == []


def test_weights_shared_with_a_trained_layer_are_trained(tmp_path: Path) -> None:
    shared = SCORE.replace("inner_product_param", 'param { name: "w" } param { name: "b" } inner_product_param')
    twin = shared.replace('name: "score"', 'name: "twin"').replace('top: "score"', 'top: "twin"')
    silence = 'layer { name: "silence" type: "Silence" bottom: "twin" }'
    assert said(tmp_path, TWO, net=DATA + shared + LOSS, test=DATA + shared + twin + silence + LOSS) == []


def accuracy(rule: str) -> str:
    return f'layer {{ name: "a" type: "Accuracy" bottom: "score" bottom: "label" top: "a" include {{ {rule} }} }}\n'


def test_a_stage_that_nobody_sets(tmp_path: Path) -> None:
    net = DATA + SCORE + LOSS + accuracy('phase: TEST stage: "val"')
    assert said(tmp_path, ONE, net=net) == ["warning stage-never-set"]


def test_one_stage_of_several_that_is_not_set_may_be_meant(tmp_path: Path) -> None:
    net = DATA + SCORE + LOSS + accuracy('phase: TEST stage: "val"') + accuracy('phase: TEST stage: "final"')
    assert said(tmp_path, ONE + 'test_state { stage: "val" }\n', net=net) == ["info stage-never-set"]


def test_a_stage_for_use_is_no_business_of_the_solver(tmp_path: Path) -> None:
    prob = 'layer { name: "p" type: "Softmax" bottom: "score" top: "p" include { stage: "deploy" } }\n'
    assert said(tmp_path, ONE, net=DATA + SCORE + LOSS + prob) == []


def test_a_stage_that_no_layer_names(tmp_path: Path) -> None:
    net = DATA + SCORE + LOSS + accuracy('phase: TEST stage: "val"')
    found = said(tmp_path, ONE + 'test_state { stage: "vel" }\n', net=net)
    assert found == ["info stage-never-set", "warning unknown-stage"]


def test_a_stage_in_the_old_format(tmp_path: Path) -> None:
    old = 'layers { name: "a" type: ACCURACY bottom: "score" bottom: "label" top: "a" include { stage: "val" } }\n'
    score = SCORE.replace("layer {", "layers {").replace('"InnerProduct"', "INNER_PRODUCT")
    loss = LOSS.replace("layer {", "layers {").replace('"SoftmaxWithLoss"', "SOFTMAX_LOSS")
    data = DATA.replace("layer {", "layers {").replace('"DummyData"', "DUMMY_DATA")
    assert said(tmp_path, ONE, net=data + score + loss + old) == ["warning stage-never-set"]

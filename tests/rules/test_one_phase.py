"""Layers that stand in the training net or in the test net alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.rules.one_phase import layer_in_one_phase
from tests.rules.nets import data, layer, solver

IP = "inner_product_param { num_output: 3 weight_filler { type: 'xavier' } }"
RUN = "max_iter: 10 test_iter: 1 test_interval: 5"


def activation(type_name: str, rule: str) -> str:
    return layer(type_name, "h", "h", rule).replace('name: "h"', 'name: "a"')


@pytest.mark.parametrize(
    ("between", "phases"),
    [
        (activation("ReLU", "include { phase: TRAIN }"), ["TRAIN"]),
        (activation("ReLU", "exclude { phase: TRAIN }"), ["TEST"]),
        (activation("Dropout", "include { phase: TEST }"), ["TEST"]),
        (activation("Dropout", "include { phase: TRAIN }"), []),
        (activation("ReLU", ""), []),
    ],
)
def test_what_only_one_phase_computes(tmp_path: Path, between: str, phases: list[str]) -> None:
    text = data(4, 5) + layer("InnerProduct", "x", "h", IP) + between + layer("Reduction", "h", "r", "loss_weight: 1")
    nets = solver(tmp_path, text, RUN).nets
    assert [problem.phase for net in nets for problem in layer_in_one_phase(net)] == phases

"""What is done to a gradient before the optimiser sees it, and what updates make of the weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.solving import LINE, STILL, found

RUN = 'lr_policy: "fixed" base_lr: 0.1 max_iter: 20 '

@pytest.mark.parametrize(
    ("solver", "said"),
    [
        ("weight_decay: 21", "warning decay-beyond-stability"),
        ("weight_decay: -1", "warning unusual-weight-decay"),
        ("weight_decay: inf", "error unusual-weight-decay"),
        ('weight_decay: 0.1 regularization_type: "l2"', "error unknown-regularization-type"),
        ('regularization_type: "l2"', "info unknown-regularization-type"),
        ("clip_gradients: -0.0", "error zero-clip-gradients"),
        ("iter_size: 0", "error zero-iter-size"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, solver: str, said: str) -> None:
    assert said in found(tmp_path, RUN + solver)


@pytest.mark.parametrize(
    ("solver", "net"),
    [
        ('type: "AdaGrad" delta: 0', STILL),
        ('type: "AdaDelta" momentum: 0.9 delta: -1e-8', LINE),
        ('type: "AdaDelta" momentum: 2 delta: 1e-6', LINE),
        ("momentum: 10", LINE),
        ("weight_decay: 100", LINE.replace("value: 1 }", "value: 1e-3 }")),
    ],
)
def test_a_blow_up_of_a_small_net_is_proved_by_running_it(tmp_path: Path, solver: str, net: str) -> None:
    run = RUN.replace("max_iter: 20", "max_iter: 60")
    assert "error run-blows-up" in found(tmp_path, run + solver, net)


def test_an_unknown_regularization_is_not_noticed_where_nothing_decays(tmp_path: Path) -> None:
    net = LINE.replace('top: "out"', 'top: "out" param { decay_mult: 0 }')
    said = found(tmp_path, RUN + 'weight_decay: 0.1 regularization_type: "L3"', net)
    assert "info unknown-regularization-type" in said


@pytest.mark.parametrize(
    ("param", "said"),
    [
        ("lr_mult: nan", "error unusual-multiplier"),
        ("decay_mult: -1", "warning unusual-multiplier"),
    ],
)
def test_multipliers_of_the_net(tmp_path: Path, param: str, said: str) -> None:
    net = LINE.replace('top: "out"', f'top: "out" param {{ {param} }}')
    assert said in found(tmp_path, RUN, net)

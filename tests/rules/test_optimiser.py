"""The rules about optimisers and updates: what is proved, what is likely, and what is not said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.solving import LINE, found

RUN = 'lr_policy: "fixed" base_lr: 0.1 max_iter: 20 '


@pytest.mark.parametrize(
    "solver",
    [
        RUN + "momentum: 0.9 weight_decay: 0.0005",
        RUN + 'type: "Nesterov" momentum: 0.9',
        RUN + 'type: "AdaGrad"',
        RUN + 'type: "AdaDelta" momentum: 0.95 delta: 1e-6',
        RUN.replace("0.1", "0.001") + 'type: "Adam" momentum: 0.9 momentum2: 0.999',
        RUN.replace("0.1", "0.001") + 'type: "RMSProp" rms_decay: 0.98',
        RUN + "momentum: 0.9 clip_gradients: 35 iter_size: 4",
    ],
)
def test_a_usual_optimiser_is_silent(tmp_path: Path, solver: str) -> None:
    said = found(tmp_path, solver)
    assert not {one for one in said if not one.startswith("info")}


@pytest.mark.parametrize(
    ("solver", "said"),
    [
        ('type: "Adagrad"', "error unknown-solver-type"),
        ('type: ""', "error unknown-solver-type"),
        ('type: "SGD" solver_type: SGD', "error two-solver-types"),
        ('type: "AdaGrad" momentum: 0.9', "error momentum-refused"),
        ('type: "RMSProp" momentum: 1e-45', "error momentum-refused"),
        ('type: "RMSProp" rms_decay: 0.99999999', "error rms-decay-out-of-range"),
        ('type: "RMSProp" rms_decay: nan', "error rms-decay-out-of-range"),
        ('type: "Adam" momentum: 0.99999999', "error adam-momentum-one"),
        ('type: "Adam" momentum: -1', "error adam-momentum-one"),
        ('type: "Adam" momentum: 1 momentum2: 1', "warning adam-momentum-one"),
        ('type: "AdaGrad" delta: 0', "warning zero-delta"),
        ('type: "AdaGrad" delta: 1e-50', "warning zero-delta"),
        ('type: "Adam" momentum: 0.9 delta: -1', "warning unusual-delta"),
        ("momentum: 1.1", "warning momentum-at-or-above-one"),
        ("momentum: inf", "error momentum-at-or-above-one"),
        ('type: "AdaDelta" momentum: 2', "warning momentum-at-or-above-one"),
        ("momentum: -0.9", "warning negative-momentum"),
        ('type: "Adam" momentum: 0.9 momentum2: 1', "warning momentum2-at-or-above-one"),
        ('type: "Adam"', "warning averaging-without-momentum"),
        ('type: "RMSProp" rms_decay: 0.99', "warning large-first-step"),
        ("delta: 1", "info unread-optimiser-field"),
        ("solver_type: ADAM", "info solver-type-by-enum"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, solver: str, said: str) -> None:
    assert said in found(tmp_path, RUN + solver)


@pytest.mark.parametrize(
    ("solver", "net"),
    [
        ('type: "AdaGrad" delta: 0', LINE),
        ("momentum: 1", LINE),
        ('type: "AdaGrad" delta: 0', LINE.replace('type: "constant" value: 0.5', 'type: "gaussian" std: 1')),
        ("weight_decay: 19.9", LINE),
    ],
)
def test_what_stays_finite_or_depends_on_luck_is_not_claimed(tmp_path: Path, solver: str, net: str) -> None:
    assert not {one for one in found(tmp_path, RUN + solver, net) if one.startswith("error")}


@pytest.mark.parametrize(
    "net",
    [
        LINE.replace('data_filler { type: "constant" value: 1 }', "data_filler { }"),
        LINE.replace('top: "loss"', 'top: "loss" loss_weight: 0'),
        LINE.replace('type: "constant" value: 0.5', 'type: "gaussian" std: 1').replace(
            'layer { name: "loss"',
            'layer { name: "dead" type: "Power" bottom: "out" top: "out" power_param { scale: 0 } }'
            '\nlayer { name: "loss"',
        ),
    ],
)
def test_a_weight_that_surely_has_no_gradient_proves_zero_over_zero(tmp_path: Path, net: str) -> None:
    solver = RUN + 'type: "RMSProp" rms_decay: 0.9 delta: 0'
    assert "error zero-delta" in found(tmp_path, solver, net)
    assert "warning zero-delta" in found(tmp_path, solver + " weight_decay: 0.1", net)

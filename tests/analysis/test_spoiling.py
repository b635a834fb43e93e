"""Settings that spoil weights at once, and those that some BLAS forgives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.solving import LINE, found

RUN = 'lr_policy: "fixed" base_lr: 0.1 max_iter: 5 '


def errors(folder: Path, solver: str, param: str = "") -> set[str]:
    net = LINE.replace('top: "out"', f'top: "out" param {{ {param} }}')
    said = found(folder, RUN + solver, net)
    return {one.split()[1] for one in said if one.startswith("error") and one != "error run-blows-up"}


@pytest.mark.parametrize(
    ("solver", "param", "said"),
    [
        ("momentum: inf", "", "momentum-at-or-above-one"),
        ("momentum: -inf", "", "negative-momentum"),
        ('type: "AdaDelta" momentum: inf', "", "momentum-at-or-above-one"),
        ("weight_decay: -inf", "", "unusual-weight-decay"),
        ('type: "RMSProp" weight_decay: inf', "", "unusual-weight-decay"),
        ("", "lr_mult: nan", "unusual-multiplier"),
        ('type: "Adam" momentum: 0.9', "lr_mult: inf", "unusual-multiplier"),
        ("weight_decay: 0", "decay_mult: inf", "unusual-multiplier"),
    ],
)
def test_certain_for_every_blas(tmp_path: Path, solver: str, param: str, said: str) -> None:
    assert said in errors(tmp_path, solver, param)


@pytest.mark.parametrize(
    ("solver", "param"),
    [
        ('type: "Adam" momentum: 0.9 momentum2: 1 weight_decay: inf', ""),
        ('type: "Adam" momentum: 0.9', "lr_mult: nan"),
        ('type: "Adam" momentum: inf', ""),
        ("weight_decay: inf", "decay_mult: 0 lr_mult: 0"),
        ('type: "AdaDelta" momentum: 1 weight_decay: inf', ""),
    ],
)
def test_a_factor_that_some_blas_takes_as_zero_is_not_certain(tmp_path: Path, solver: str, param: str) -> None:
    assert errors(tmp_path, solver, param) <= {"everything-frozen"}

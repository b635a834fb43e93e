"""The rules about learning rates: what is said, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.rules.registry import rules
from tests.rules.solving import findings, found, load

NAMES = {rule.name for rule in rules() if rule.code.startswith("LR")}


def rates(folder: Path, solver: str) -> set[str]:
    return {said for said in found(folder, solver) if said.split()[1] in NAMES}


@pytest.mark.parametrize(
    "solver",
    [
        'lr_policy: "fixed" base_lr: 0.01 max_iter: 10',
        'lr_policy: "step" base_lr: 0.01 gamma: 0.1 stepsize: 5 max_iter: 10',
        'lr_policy: "exp" base_lr: 0.01 gamma: 0.9 max_iter: 10',
        'lr_policy: "inv" base_lr: 0.01 gamma: 0.0001 power: 0.75 max_iter: 10',
        'lr_policy: "multistep" base_lr: 0.01 gamma: 0.1 stepvalue: [3, 6] max_iter: 10',
        'lr_policy: "poly" base_lr: 0.01 power: 0.5 max_iter: 10',
    ],
)
def test_a_sound_schedule_is_silent(tmp_path: Path, solver: str) -> None:
    assert rates(tmp_path, solver) == set()


@pytest.mark.parametrize(
    ("solver", "said"),
    [
        ('lr_policy: "poly" base_lr: 1 power: 1', "error poly-without-max-iter"),
        ('lr_policy: "poly" base_lr: 1 power: 1 max_iter: 0', "warning poly-without-max-iter"),
        ('lr_policy: "exp" base_lr: 0.01 gamma: 1.1 max_iter: 981', "error non-finite-rate"),
        ('lr_policy: "fixed" base_lr: 1e39 max_iter: 1', "error non-finite-rate"),
        ('lr_policy: "fixed" base_lr: -0.01 max_iter: 1', "warning negative-rate"),
        ('lr_policy: "fixed" max_iter: 1', "error zero-base-lr"),
        ('lr_policy: "fixed" base_lr: 0 max_iter: 1', "warning zero-base-lr"),
        ('lr_policy: "step" base_lr: 1 stepsize: 5 max_iter: 6', "error zero-gamma"),
        ('lr_policy: "step" base_lr: 1 gamma: 0.1 stepsize: 5 max_iter: 50', "warning vanishing-rate"),
        ('lr_policy: "step" base_lr: 1 gamma: 0.1 stepsize: 5 max_iter: 5', "info steps-beyond-max-iter"),
        (
            'lr_policy: "multistep" base_lr: 1 gamma: 0.1 stepvalue: 5 max_iter: 5',
            "warning steps-beyond-max-iter",
        ),
        (
            'lr_policy: "multistep" base_lr: 1 gamma: 0.1 stepvalue: [5, 5] max_iter: 9',
            "warning unsorted-stepvalue",
        ),
        ('lr_policy: "exp" base_lr: 0.01 gamma: 1.1 max_iter: 980', "warning rising-rate"),
        ('lr_policy: "sigmoid" base_lr: 1 gamma: 0.1 stepsize: 5 max_iter: 9', "warning rising-rate"),
        ('lr_policy: "poly" base_lr: 1 max_iter: 9', "warning constant-schedule"),
        ('lr_policy: "inv" base_lr: 1 gamma: 0.1 max_iter: 9', "warning constant-schedule"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, solver: str, said: str) -> None:
    assert said in rates(tmp_path, solver)


@pytest.mark.parametrize(
    "solver",
    [
        'lr_policy: "step" base_lr: 1 stepsize: 5 max_iter: 5',
        'lr_policy: "exp" base_lr: 0.01 gamma: 1.1 max_iter: 980',
        'lr_policy: "fixed" base_lr: inf',
        'lr_policy: "fixed" base_lr: 1 gamma: -1 max_iter: 3',
    ],
)
def test_nothing_is_certain_of_what_the_run_does_not_reach(tmp_path: Path, solver: str) -> None:
    assert not {said for said in rates(tmp_path, solver) if said.startswith("error")}


def test_the_evidence_names_the_first_iteration(tmp_path: Path) -> None:
    solver = load(tmp_path, 'lr_policy: "step" base_lr: 0.1 gamma: 1e30 stepsize: 5 max_iter: 100')
    infinite = next(one for one in findings(solver) if one.name == "non-finite-rate")
    assert "inf at iteration 10" in infinite.message
    assert infinite.evidence == "rate(0) = 0.1, rate(9) = 1e+29, rate(10) = inf"

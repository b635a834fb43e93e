"""What stops the first learning rate: its policy and the fields that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.schema.dialect import Dialect
from tests.rules.solving import findings, found, load


@pytest.mark.parametrize(
    ("solver", "said"),
    [
        ("base_lr: 1 max_iter: 1", "error unknown-lr-policy"),
        ('lr_policy: "Step" stepsize: 1 max_iter: 1', "error unknown-lr-policy"),
        ('lr_policy: "Step" stepsize: 1', "info unknown-lr-policy"),
        ('lr_policy: "step" base_lr: 1 gamma: 0.1 max_iter: 1', "error stepsize-not-positive"),
        (
            'lr_policy: "sigmoid" base_lr: 1 gamma: 0.1 stepsize: -1 max_iter: 1',
            "error stepsize-not-positive",
        ),
        ('lr_policy: "step" base_lr: 1 gamma: 0.1', "info stepsize-not-positive"),
        ('lr_policy: "exp" base_lr: 1 gamma: -1 max_iter: 1', "error negative-gamma"),
        ('lr_policy: "inv" base_lr: 1 gamma: nan max_iter: 1', "error negative-gamma"),
        ('lr_policy: "multistep" base_lr: 1 gamma: 0.1 max_iter: 9', "warning multistep-without-stepvalue"),
        ('lr_policy: "fixed" base_lr: 1 gamma: 0.1 max_iter: 9', "info unread-schedule-field"),
        (
            'lr_policy: "step" base_lr: 1 gamma: 0.1 stepsize: 5 stepvalue: 3 max_iter: 9',
            "info unread-schedule-field",
        ),
    ],
)
def test_a_fault_is_named(tmp_path: Path, solver: str, said: str) -> None:
    assert said in found(tmp_path, solver)


def test_a_policy_in_the_wrong_case_is_mended(tmp_path: Path) -> None:
    solver = load(tmp_path, 'lr_policy: "Multi_Step" max_iter: 1')
    unknown = next(one for one in findings(solver) if one.name == "unknown-lr-policy")
    assert unknown.fix is not None
    assert [edit.text for edit in unknown.fix.edits] == ['"multistep"']


def test_a_policy_of_a_fork_is_no_error_unless_caffe_is_pinned(tmp_path: Path) -> None:
    text = 'lr_policy: "plateau" base_lr: 1 max_iter: 1'
    assert "warning unknown-lr-policy" in found(tmp_path, text, dialect=Dialect.ANY)
    assert "error unknown-lr-policy" in found(tmp_path, text, dialect=Dialect.BVLC)

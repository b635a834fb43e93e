from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from google.protobuf import text_format

from nanlint.analysis.schedule import Schedule, refusal, resumed, schedule, thinned, until_iteration
from nanlint.schema.descriptors import new_solver

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import SolverParameter


def solver(text: str) -> SolverParameter:
    return text_format.Parse(text, new_solver())


def scheduled(text: str) -> Schedule:
    found = schedule(solver(text))
    assert found is not None
    return found


def test_multistep_takes_at_most_one_step_an_iteration_in_the_given_order() -> None:
    unsorted = scheduled('lr_policy: "multistep" base_lr: 1 gamma: 0.5 stepvalue: [20, 10, 10] max_iter: 40')
    assert unsorted.switches == (20, 21, 22)
    assert [unsorted.rate(it) for it in (19, 20, 21, 22, 39)] == [1, 0.5, 0.25, 0.125, 0.125]


def test_a_power_is_taken_in_double_and_the_product_rounded() -> None:
    tiny = scheduled('lr_policy: "exp" base_lr: 1e-30 gamma: 10 max_iter: 100')
    assert tiny.rate(60) == pytest.approx(1e30)
    assert tiny.first(math.isinf) == 69


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ('lr_policy: "exp" base_lr: 0.01 gamma: 1.1 max_iter: 2000', 980),
        ('lr_policy: "exp" base_lr: 0.01 gamma: 1.1 max_iter: 900', None),
        ('lr_policy: "step" base_lr: 0.1 gamma: 1e30 stepsize: 5 max_iter: 100', 10),
        ('lr_policy: "multistep" base_lr: 1 gamma: inf stepvalue: 7 max_iter: 100', 7),
        ('lr_policy: "fixed" base_lr: inf max_iter: 1', 0),
        ('lr_policy: "fixed" base_lr: inf', None),
    ],
)
def test_first_infinite_rate(text: str, first: int | None) -> None:
    assert scheduled(text).first(math.isinf) == first


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ('lr_policy: "exp" base_lr: 0 gamma: 1e38 max_iter: 100', 9),
        ('lr_policy: "sigmoid" base_lr: 1 gamma: inf stepsize: 12 max_iter: 30', 12),
        ('lr_policy: "inv" base_lr: 1 gamma: inf power: 1 max_iter: 30', 0),
        ('lr_policy: "poly" base_lr: 1 power: nan max_iter: 30', 1),
    ],
)
def test_first_rate_that_is_nan(text: str, first: int) -> None:
    assert scheduled(text).first(math.isnan) == first


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", ("lr_policy", "unknown")),
        ('lr_policy: "Step" stepsize: 1', ("lr_policy", "unknown")),
        ('lr_policy: "step" gamma: -1', ("stepsize", "not positive")),
        ('lr_policy: "sigmoid" gamma: -1', ("gamma", "negative")),
        ('lr_policy: "exp" gamma: nan', ("gamma", "negative")),
        ('lr_policy: "fixed" gamma: -1', None),
        ('lr_policy: "step" stepsize: 0 gamma: 1', ("stepsize", "not positive")),
        ('lr_policy: "step" stepsize: 1 gamma: 1', None),
    ],
)
def test_the_check_that_fails_first(text: str, why: tuple[str, str] | None) -> None:
    assert refusal(solver(text)) == why


def test_thinning_keeps_the_first_the_last_and_every_step() -> None:
    stepped = scheduled('lr_policy: "step" base_lr: 1 gamma: 0.5 stepsize: 7 max_iter: 20')
    assert [it for it, _ in thinned(stepped, 10)] == [0, 7, 10, 14, 19]
    assert list(thinned(scheduled('lr_policy: "fixed"'), 1)) == []


def test_every_rate_that_caffe_printed(shared: Path) -> None:
    for line in (shared / "oracle/cases/solver_lr.jsonl").read_text().splitlines():
        case = json.loads(line)
        if case.get("args") or not case["caffe"]["lr"]:
            continue
        computed = scheduled(case["files"]["solver.prototxt"])
        printed = [(iteration, f"{float(rate):g}") for iteration, rate in case["caffe"]["lr"]]
        assert [(iteration, f"{computed.rate(iteration):g}") for iteration, _ in printed] == printed, case["id"]


@pytest.mark.parametrize(
    ("power", "rates"),
    [
        ("1", ["0", "-0.025", "-0.05", "-0.075"]),
        ("2", ["0", "0.00625", "0.025", "0.05625"]),
        ("0.5", ["0", "nan", "nan", "nan"]),
        ("-1", ["inf", "-0.4", "-0.2", "-0.133333"]),
        ("-0.5", ["inf", "nan", "nan", "nan"]),
        ("0", ["0.1", "0.1", "0.1", "0.1"]),
    ],
)
def test_poly_beyond_max_iter_as_step_from_python_runs_it(power: str, rates: list[str]) -> None:
    beyond = until_iteration(scheduled(f'lr_policy: "poly" base_lr: 0.1 max_iter: 4 power: {power}'), 8)
    assert [f"{rate:g}" for it, rate in thinned(beyond, 1) if it >= 4] == rates


@pytest.mark.parametrize(
    ("power", "rates"),
    [("1", ["nan", "-inf"]), ("0.5", ["nan", "inf"]), ("-1", ["nan", "-0"]), ("0", ["0.1", "0.1"])],
)
def test_poly_without_max_iter_as_step_from_python_runs_it(power: str, rates: list[str]) -> None:
    endless = until_iteration(scheduled(f'lr_policy: "poly" base_lr: 0.1 power: {power}'), 2)
    assert [f"{rate:g}" for _, rate in thinned(endless, 1)] == rates


def test_a_resumed_multistep_catches_up_one_step_an_iteration() -> None:
    param = solver('lr_policy: "multistep" base_lr: 1 gamma: 0.5 stepvalue: [2, 4, 6] max_iter: 12')
    whole = schedule(param)
    assert whole is not None
    lost = resumed(whole, param.stepvalue, 8, 0)
    assert [rate for _, rate in thinned(lost, 1)] == [0.5, 0.25, 0.125, 0.125]
    kept = resumed(whole, param.stepvalue, 5, 2)
    assert [rate for _, rate in thinned(kept, 1)] == [0.25, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125]
    assert list(thinned(resumed(whole, param.stepvalue, 40, 3), 1)) == []


def test_a_step_of_one_iteration_is_taken_at_each() -> None:
    steps = scheduled('lr_policy: "step" base_lr: 1 gamma: 0.5 stepsize: 1 max_iter: 4')
    assert [rate for _, rate in thinned(steps, 100)] == [1.0, 0.5, 0.25, 0.125]

"""The risk that training diverges, against runs of Caffe."""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from pathlib import Path
from typing import Any

import pytest

from nanlint.analysis.risk import bearable_rate, risk_of
from nanlint.caffe.load import load_solver
from nanlint.caffe.model import Solver
from tests.analysis import nets

LEAST_AREA = 0.96
MOST_FALSE_ALARMS = 0.05


def figure(solver: Solver) -> float:
    assert solver.train_net is not None
    risk = risk_of(solver, solver.train_net)
    return -math.inf if risk is None else risk.figure


def deep(folder: Path, rate: float, more: str = "") -> Solver:
    text = nets.dummy('type: "gaussian" std: 1', "value: 1")
    text += nets.inner_product("a", "data", 16, 'type: "xavier"') + nets.relu("r", "a")
    text += nets.inner_product("b", "a", 4, 'type: "xavier"') + nets.loss("b")
    return nets.solver(folder, text, f'base_lr: {rate}\nlr_policy: "fixed"\nmax_iter: 100\n{more}')


def test_the_risk_grows_with_the_rate(tmp_path: Path) -> None:
    figures = [figure(deep(tmp_path, rate)) for rate in (1e-4, 1e-2, 1, 100)]
    assert figures == sorted(figures)
    assert figures[0] < 0 < figures[-1]


def test_the_bearable_rate_is_borne(tmp_path: Path) -> None:
    wild = deep(tmp_path, 100)
    assert wild.train_net is not None
    rate = bearable_rate(wild, wild.train_net)
    assert rate is not None
    assert figure(deep(tmp_path, rate)) <= 0


def test_clipping_to_nothing_takes_the_risk_away(tmp_path: Path) -> None:
    assert figure(deep(tmp_path, 100, "clip_gradients: 0\n")) < 0


def test_stored_weights_leave_the_risk_unknown(tmp_path: Path) -> None:
    assert figure(deep(tmp_path, 100, 'weights: "trained.caffemodel"\n')) == -math.inf


def test_one_linear_layer_turns_at_its_exact_limit(tmp_path: Path) -> None:
    text = nets.dummy("value: 1", "value: 1") + nets.inner_product("a", "data", 4, 'type: "gaussian" std: 0.1')
    limit = 2 / 17
    for rate, sign in ((0.98 * limit, -1), (1.02 * limit, 1)):
        one = nets.solver(tmp_path, text + nets.loss("a"), f'base_lr: {rate}\nlr_policy: "fixed"\nmax_iter: 9')
        assert math.copysign(1, figure(one)) == sign


def diverged(case: dict[str, Any]) -> bool:
    """Whether a run of Caffe became non-finite or grew its loss tenfold."""
    losses = [float(loss) for _, loss in case["caffe"]["loss"]]
    return (
        case["caffe"]["nonfinite"] is not None
        or not all(map(math.isfinite, losses))
        or max(losses) > 10 * abs(losses[0])
    )


def area(bad: list[float], sound: list[float]) -> float:
    """The area under the curve: how often a bad run has the higher figure."""
    ordered = sorted(sound)
    wins = sum(bisect_left(ordered, x) + bisect_right(ordered, x) for x in bad) / 2
    return wins / (len(bad) * len(sound))


@pytest.mark.slow
def test_the_risk_separates_the_runs_of_caffe(shared: Path, tmp_path: Path) -> None:
    bad: list[float] = []
    sound: list[float] = []
    alarms = 0
    with (shared / "oracle" / "cases" / "divergence.jsonl").open() as cases:
        for case in map(json.loads, cases):
            for name, text in case["files"].items():
                (tmp_path / name).write_text(text)
            solver = load_solver(str(tmp_path / "solver.prototxt"))
            assert solver.train_net is not None
            risk = risk_of(solver, solver.train_net)
            found = -math.inf if risk is None else risk.figure
            if diverged(case):
                bad.append(found)
            else:
                sound.append(found)
                alarms += risk is not None and found > risk.alarm
    assert area(bad, sound) >= LEAST_AREA
    assert alarms <= MOST_FALSE_ALARMS * len(sound)

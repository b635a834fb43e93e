"""The exact stability limit of one linear layer under EuclideanLoss."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.analysis.linear import LinearNet, diverges, growth, linear_net, overflow_at
from tests.analysis import nets

LINE = (
    nets.dummy("value: 2", "value: 5", (8, 3), "dim: 8 dim: 1")
    + nets.inner_product("fit", "data", 1, 'type: "gaussian" std: 0.01')
    + nets.loss("fit")
)
CURVATURE = 3 * 2**2 + 1


def linear(folder: Path, settings: str, text: str = LINE) -> LinearNet | None:
    solver = nets.solver(folder, text, f'lr_policy: "fixed"\nmax_iter: 1000\n{settings}')
    assert solver.train_net is not None
    return linear_net(solver, solver.train_net)


@pytest.mark.parametrize("kind", ["SGD", "Nesterov"])
@pytest.mark.parametrize("momentum", [0, 0.5, 0.9])
@pytest.mark.parametrize(("share", "expected"), [(0.98, False), (1.02, True), (-0.01, True)])
def test_the_step_turns_at_the_limit(tmp_path: Path, kind: str, momentum: float, share: float, expected: bool) -> None:
    limit = 2 * (1 + momentum) / (1 + 2 * momentum if kind == "Nesterov" else 1)
    found = linear(tmp_path, f'base_lr: {share * limit / CURVATURE}\nmomentum: {momentum}\ntype: "{kind}"')
    assert found is not None
    assert found.curvature == pytest.approx(CURVATURE)
    assert diverges(found) is expected
    assert (growth(found) > 1) is expected


def test_the_loss_overflows_after_as_many_updates_as_its_growth_says(tmp_path: Path) -> None:
    found = linear(tmp_path, f"base_lr: {3 / CURVATURE}")
    assert found is not None
    assert found.least_miss == pytest.approx(5, abs=0.5)
    assert growth(found) == pytest.approx(2)
    assert overflow_at(found, 1000) == 68  # 4.61 * 2^68 > 1e21
    assert overflow_at(found, 50) is None


def test_frozen_weights_do_not_count(tmp_path: Path) -> None:
    frozen = LINE.replace('top: "fit"', 'top: "fit" param { lr_mult: 0 } param { lr_mult: 2 }')
    found = linear(tmp_path, "base_lr: 0.1", frozen)
    assert found is not None
    assert found.curvature == pytest.approx(2)


@pytest.mark.parametrize(
    "settings",
    [
        'base_lr: 1 type: "Adam"',
        "base_lr: 1 clip_gradients: 1",
        "base_lr: 1 momentum: 1",
        "base_lr: 1 iter_size: 0",
    ],
)
def test_no_claim_where_the_recurrence_is_another(tmp_path: Path, settings: str) -> None:
    assert linear(tmp_path, settings) is None


@pytest.mark.parametrize(
    "text",
    [
        LINE.replace("data_filler { value: 2 }", 'data_filler { type: "gaussian" }'),
        LINE.replace('bottom: "fit"', 'bottom: "act"').replace(
            'layer { name: "loss"',
            'layer { name: "act" type: "ReLU" bottom: "fit" top: "act" } layer { name: "loss"',
        ),
    ],
)
def test_no_claim_on_another_net(tmp_path: Path, text: str) -> None:
    assert linear(tmp_path, "base_lr: 1", text) is None


def test_a_prediction_that_hits_its_target_stays_there(tmp_path: Path) -> None:
    hit = LINE.replace('type: "gaussian" std: 0.01', 'type: "constant" value: 0.5').replace("value: 5", "value: 3")
    for text, expected in ((hit, False), (hit.replace("value: 3 }", "value: 4 }"), True)):
        found = linear(tmp_path, "base_lr: 1", text)
        assert found is not None
        assert diverges(found) is expected

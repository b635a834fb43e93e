"""The rules about nets, tests, snapshots and weights of a solver."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.solving import found

RUN = 'lr_policy: "fixed" base_lr: 0.1 max_iter: 20 '
NET = 'net: "net.prototxt" '
TRAIN = 'train_net: "net.prototxt" '
TEST = 'test_net: "net.prototxt" '


@pytest.mark.parametrize(
    "solver",
    [
        NET,
        NET + "test_iter: 1 test_interval: 5",
        NET + "test_iter: [1, 2] test_interval: 5 test_state { } test_state { }",
        TRAIN + TEST + "test_iter: 1 test_interval: 5",
        NET + TEST + "test_iter: [1, 1] test_interval: 5",
    ],
)
def test_sound_nets_are_silent(tmp_path: Path, solver: str) -> None:
    assert not {one for one in found(tmp_path, RUN + solver) if not one.startswith("info")}


@pytest.mark.parametrize(
    ("solver", "said"),
    [
        (TEST + "test_iter: 1 test_interval: 1", "error no-train-net"),
        (NET + TRAIN, "error several-train-nets"),
        (TRAIN + TEST + "test_interval: 1", "error test-iter-count"),
        (NET + TEST + "test_interval: 1", "error test-iter-count"),
        (TRAIN + TEST + "test_iter: [1, 1] test_interval: 1", "error test-iter-count"),
        (TRAIN + "test_iter: 1 test_interval: 1", "error test-iter-count"),
        (NET + "test_iter: [1, 1] test_interval: 1 test_state { }", "error test-state-count"),
        (NET + "test_state { }", "error test-state-count"),
        (NET + "test_iter: 1", "error test-interval-not-positive"),
        (NET + "test_iter: 1 test_interval: -1", "error test-interval-not-positive"),
        (NET + "test_interval: 5", "info test-interval-without-test"),
        (NET + "test_iter: 0 test_interval: 5", "warning test-never-runs"),
        (NET + "test_iter: 1 test_interval: 50 test_initialization: false", "info test-never-runs"),
        (NET + "average_loss: 0", "error average-loss-not-positive"),
        (NET + 'weights: "a,"', "error empty-weights-name"),
        (NET + "train_state { level: 1 }", "warning ignored-train-level"),
        (NET + "train_state { phase: TEST }", "warning trains-as-test"),
        (NET, "info no-display"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, solver: str, said: str) -> None:
    assert said in found(tmp_path, RUN + solver)


@pytest.mark.parametrize(
    ("run", "net", "said"),
    [
        (RUN, "", "error empty-net"),
        (RUN, 'name: "only"', "error empty-net"),
        (RUN.replace("20", "0") + "display: 1", 'name: "only"', "error empty-net"),
    ],
)
def test_faults_of_the_net_under_this_solver(tmp_path: Path, run: str, net: str, said: str) -> None:
    assert said in found(tmp_path, run, net)


def test_an_empty_net_that_is_never_run_is_no_error(tmp_path: Path) -> None:
    assert "error empty-net" not in found(tmp_path, RUN.replace("20", "0"), 'name: "only"')

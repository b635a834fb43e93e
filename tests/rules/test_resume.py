"""The state from which a run may go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.schema.descriptors import message_class
from tests.rules.solving import LINE, found

SOLVER = 'base_lr: 0.01 lr_policy: "fixed" max_iter: 100 snapshot_prefix: "{prefix}" type: "{kind}"\n'


def state(path: Path, blobs: int) -> None:
    message = message_class("SolverState")(iter=10, learned_net="x")
    for _ in range(blobs):
        message.history.add().data.append(0)  # type: ignore[attr-defined]
    path.write_bytes(message.SerializeToString())


@pytest.mark.parametrize(
    ("kind", "blobs", "fits"),
    [("SGD", 1, True), ("Adam", 2, True), ("Adam", 1, False), ("SGD", 2, False), ("SGD", 7, False)],
)
def test_the_history_of_another_solver(tmp_path: Path, kind: str, blobs: int, fits: bool) -> None:
    state(tmp_path / "run_iter_10.solverstate", blobs)
    said = found(tmp_path, SOLVER.format(prefix=tmp_path / "run", kind=kind), LINE)
    assert ("warning state-of-another-solver" not in said) is fits


def test_the_last_state_counts(tmp_path: Path) -> None:
    state(tmp_path / "run_iter_9.solverstate", 2)
    state(tmp_path / "run_iter_10.solverstate", 1)
    assert "warning state-of-another-solver" not in found(
        tmp_path, SOLVER.format(prefix=tmp_path / "run", kind="SGD"), LINE
    )


def test_a_state_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "run_iter_10.solverstate").write_bytes(b"\xff\xff\xff")
    assert "warning state-of-another-solver" not in found(
        tmp_path, SOLVER.format(prefix=tmp_path / "run", kind="SGD"), LINE
    )

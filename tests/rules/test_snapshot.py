"""Snapshots: where they go, what they are called, and whether there are any."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.solving import LINE, found

RUN = 'lr_policy: "fixed" base_lr: 0.1 max_iter: 20 '
NET = 'net: "net.prototxt" '

@pytest.mark.parametrize(
    ("solver", "said"),
    [
        (NET + "snapshot_after_train: false", "info nothing-is-saved"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, solver: str, said: str) -> None:
    assert said in found(tmp_path, RUN + solver)


@pytest.mark.parametrize(
    ("run", "net", "said"),
    [
        (RUN + "snapshot_format: HDF5", LINE.replace('"ip"', '"a/b"'), "error hdf5-layer-name"),
        (RUN + "snapshot_format: HDF5", LINE.replace('"ip"', '"data"'), "error hdf5-layer-name"),
    ],
)
def test_names_that_hdf5_cannot_hold(tmp_path: Path, run: str, net: str, said: str) -> None:
    assert said in found(tmp_path, run, net)


def test_a_file_on_the_way_to_the_snapshots_is_proof(tmp_path: Path) -> None:
    through = 'snapshot_prefix: "net.prototxt/x"'
    assert "error snapshot-prefix-unusable" in found(tmp_path, RUN + NET + through)
    assert "error snapshot-prefix-unusable" not in found(tmp_path, RUN + NET + 'snapshot_prefix: "no/such/x"')


def test_a_missing_folder_is_likely_where_the_solver_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solver = RUN + NET + 'snapshot_prefix: "no/such/x"'
    assert "warning snapshot-prefix-unusable" not in found(tmp_path, solver)
    monkeypatch.chdir(tmp_path)
    assert "warning snapshot-prefix-unusable" in found(tmp_path, solver)

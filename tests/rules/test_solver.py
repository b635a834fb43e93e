"""The rules about nets, tests, snapshots and weights of a solver."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.schema.descriptors import new_net
from tests.rules.solving import LINE, found

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
        (NET + "snapshot_after_train: false", "info nothing-is-saved"),
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
        (RUN + "snapshot_format: HDF5", LINE.replace('"ip"', '"a/b"'), "error hdf5-layer-name"),
        (RUN + "snapshot_format: HDF5", LINE.replace('"ip"', '"data"'), "error hdf5-layer-name"),
    ],
)
def test_faults_of_the_net_under_this_solver(tmp_path: Path, run: str, net: str, said: str) -> None:
    assert said in found(tmp_path, run, net)


def test_an_empty_net_that_is_never_run_is_no_error(tmp_path: Path) -> None:
    assert "error empty-net" not in found(tmp_path, RUN.replace("20", "0"), 'name: "only"')


def test_a_file_on_the_way_to_the_snapshots_is_proof(tmp_path: Path) -> None:
    through = 'snapshot_prefix: "net.prototxt/x"'
    assert "error snapshot-prefix-unusable" in found(tmp_path, RUN + NET + through)
    assert "error snapshot-prefix-unusable" not in found(tmp_path, RUN + NET + 'snapshot_prefix: "no/such/x"')


def test_a_missing_folder_is_likely_where_the_solver_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solver = RUN + NET + 'snapshot_prefix: "no/such/x"'
    assert "warning snapshot-prefix-unusable" not in found(tmp_path, solver)
    monkeypatch.chdir(tmp_path)
    assert "warning snapshot-prefix-unusable" in found(tmp_path, solver)


def saved(*blobs: tuple[list[int], list[float]], name: str = "ip") -> bytes:
    net = new_net()
    layer = net.layer.add(name=name)
    for shape, data in blobs:
        blob = layer.blobs.add()
        blob.shape.dim.extend(shape)
        blob.data.extend(data)
    return net.SerializeToString()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (saved(([1, 1], [0.5])), None),
        (saved(([9, 9], [0.5]), name="other"), None),
        (b"", None),
        (saved(([1], [0.5])), "error weights-shape"),
        (saved(([1, 1], [0.5]), ([1], [0.5])), "error weights-blob-count"),
        (saved(([1, 1], [0.5, 0.5])), "error weights-shape"),
        (saved(([1, 1], [float("nan")])), "error weights-non-finite"),
        (saved(([1, 1], [0.5]))[:-2], "error weights-unreadable"),
        (b'name: "ip"', "error weights-unreadable"),
    ],
)
def test_weights_against_the_net(tmp_path: Path, content: bytes, said: str | None) -> None:
    (tmp_path / "m.caffemodel").write_bytes(content)
    errors = {one for one in found(tmp_path, RUN + NET + 'weights: "m.caffemodel"') if one.startswith("error")}
    assert errors == ({said} if said else set())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "weights-not-a-model"),
        (b'layer { name: "ip" }', "weights-not-a-model"),
        (b"<!DOCTYPE html>", "weights-not-a-model"),
        (saved(([1, 1], [0.5]), name="other"), "weights-nothing-in-common"),
    ],
)
def test_weights_of_another_net_are_not_loaded(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "m.caffemodel").write_bytes(content)
    assert f"warning {said}" in found(tmp_path, RUN + NET + 'weights: "m.caffemodel"')


def test_weights_that_are_elsewhere_are_no_error(tmp_path: Path) -> None:
    assert "info weights-unreadable" in found(tmp_path, RUN + NET + 'weights: "far/away.caffemodel"')


def test_four_old_axes_are_a_shape_with_ones_in_front(tmp_path: Path) -> None:
    net = new_net()
    blob = net.layer.add(name="ip").blobs.add(num=1, channels=1, height=1, width=1)
    blob.data.append(0.5)
    (tmp_path / "m.caffemodel").write_bytes(net.SerializeToString())
    assert "error weights-shape" not in found(tmp_path, RUN + NET + 'weights: "m.caffemodel"')


def test_a_test_net_with_other_weights(tmp_path: Path) -> None:
    start, end = LINE.index('layer {\n  name: "ip"'), LINE.index('layer { name: "loss"')
    layer = LINE[start:end]
    both = layer.replace('"InnerProduct"', '"InnerProduct" include { phase: TRAIN }')
    both += layer.replace("bias_term: false", "").replace('"InnerProduct"', '"InnerProduct" include { phase: TEST }')
    net = LINE[:start] + both + LINE[end:]
    assert "error test-net-mismatch" in found(tmp_path, RUN + "test_iter: 1 test_interval: 5", net)
    assert "error test-net-mismatch" not in found(tmp_path, RUN, net)

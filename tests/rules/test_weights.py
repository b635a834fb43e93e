"""Weights that a solver names, against the net that they are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.schema.descriptors import new_net
from tests.rules.solving import found

RUN = 'lr_policy: "fixed" base_lr: 0.1 max_iter: 20 '
NET = 'net: "net.prototxt" '


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

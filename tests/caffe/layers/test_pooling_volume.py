"""Pooling over more than two axes, as the forks that can do it pool."""

from __future__ import annotations

import pytest

from nanlint.caffe.layers.base import Shape
from tests.caffe.layers.one_layer import set_up

CLIP: Shape = (2, 64, 16, 112, 112)


@pytest.mark.parametrize(
    ("settings", "top"),
    [
        # pool1 and pool2 of C3D
        ("kernel_size: 1 kernel_size: 2 kernel_size: 2 stride: 1 stride: 2 stride: 2", (2, 64, 16, 56, 56)),
        ("kernel_size: 2 stride: 2", (2, 64, 8, 56, 56)),
        ("kernel_size: [2, 3, 3] stride: 2 pad: [0, 1, 1]", (2, 64, 8, 57, 57)),
        ("global_pooling: true", (2, 64, 1, 1, 1)),
        ("kernel_size: [2, 2]", (2, 64, None, None, None)),
        ("kernel_h: 2 kernel_w: 2", (2, 64, None, None, None)),
    ],
)
def test_shapes_of_clips(settings: str, top: Shape) -> None:
    outcome = set_up("Pooling", f"pooling_param {{ {settings} }}", CLIP)
    assert outcome.tops == [top]


def test_a_file_for_a_fork_may_pool_volumes() -> None:
    outcome = set_up("Pooling", "pooling_param { kernel_size: [1, 2, 2] }", CLIP)
    assert outcome.problems == []


def test_a_file_that_bvlc_reads_is_warned() -> None:
    (problem,) = set_up("Pooling", "pooling_param { kernel_size: 2 }", CLIP).problems
    assert problem.kind == "axis-out-of-range"
    assert "over 3 axes" in problem.message


@pytest.mark.parametrize(
    "settings",
    [
        "kernel_shape { dim: 2 dim: 2 }",
        "kernel_shape { dim: 2 dim: 2 dim: 2 } stride_shape { dim: 0 dim: 1 dim: 1 }",
        "kernel_h: 1 kernel_w: 2 kernel_d: 2 kstride: 2",
    ],
)
def test_windows_that_a_fork_does_not_explain(settings: str) -> None:
    assert set_up("Pooling", f"pooling_param {{ {settings} }}", CLIP).tops == [(2, 64, None, None, None)]

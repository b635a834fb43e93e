"""Pooling windows that hold nothing, lie outside, or leave gaps."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.findings import Effect, Problem, Severity
from nanlint.rules.pooling import empty_pooling_window, pooling_gaps, pooling_window_outside
from tests.rules.nets import data, layer, train_net

LEARNED = "convolution_param { num_output: 2 kernel_size: 1 weight_filler { type: 'xavier' } }"


def found(folder: Path, settings: str, size: int = 10) -> list[Problem]:
    net = train_net(
        folder,
        data(2, 3, size, size)
        + layer("Convolution", "x", "c", LEARNED)
        + layer("Pooling", "c", "p", f"pooling_param {{ {settings} }}")
        + layer("Reduction", "p", "r", "loss_weight: 1"),
    )
    pool = net.layers[2]
    return [*empty_pooling_window(pool), *pooling_window_outside(pool), *pooling_gaps(pool)]


def test_average_over_a_window_at_the_border(tmp_path: Path) -> None:
    [problem] = found(tmp_path, "pool: AVE kernel_size: 3 stride: 5")
    assert problem.message == (
        "`stride: 5` exceeds `kernel_size: 3` and divides the 10 rows of `c`, so the last window of `p` "
        "holds no element and AVE divides 0 by 0: NaN; write `stride: 3` or `round_mode: FLOOR`"
    )
    assert problem.evidence == (
        "height: ceil((10 - 3) / 5) + 1 = 3 windows, the last from 10 to 10 of 10 rows: 0 elements"
    )
    assert problem.fix is not None
    assert problem.fix.edits[0].text == "3"


def test_maximum_over_a_window_at_the_border_writes_before_the_buffer(tmp_path: Path) -> None:
    [problem] = found(tmp_path, "kernel_size: 3 stride: 5")
    assert "starts at 10 of the 10 rows of `c` and covers none" in problem.message
    assert "backward writes at index -1" in problem.message


def test_without_a_backward_pass_the_maximum_is_the_smallest_number(tmp_path: Path) -> None:
    net = train_net(
        tmp_path, data(1, 1, 10, 10) + layer("Pooling", "x", "p", "pooling_param { kernel_size: 3 stride: 5 }")
    )
    [problem] = pooling_window_outside(net.layers[1])
    assert "MAX leaves -3.4e38" in problem.message
    assert problem.effect is Effect.NONE


@pytest.mark.parametrize(
    "settings",
    [
        "pool: AVE kernel_size: 3 stride: 5 round_mode: FLOOR",
        "pool: AVE kernel_size: 3 stride: 5 pad: 1",
        "pool: AVE kernel_size: 3 stride: 4",
    ],
)
def test_no_empty_window_when_rounded_down_padded_or_not_divided(tmp_path: Path, settings: str) -> None:
    [problem] = found(tmp_path, settings)
    assert problem.message.startswith("stride ")
    assert problem.severity is None


@pytest.mark.parametrize("settings", ["kernel_size: 3 stride: 2", "global_pooling: true", "kernel_size: 1 stride: 5"])
def test_sound_pooling_is_no_finding(tmp_path: Path, settings: str) -> None:
    assert found(tmp_path, settings, 9 if "global" in settings else 11) == []


def test_a_window_that_depends_on_an_unknown_size_is_a_warning(tmp_path: Path) -> None:
    net = train_net(
        tmp_path,
        'layer { name: "d" type: "Data" top: "x" data_param { source: "lmdb" batch_size: 2 } }\n'
        + layer("Pooling", "x", "p", "pooling_param { pool: AVE kernel_size: 3 stride: 5 }"),
    )
    [problem] = pooling_gaps(net.layers[1])
    assert problem.severity is Severity.WARNING
    assert "at some sizes of `x`" in problem.message

"""Ranges over whole nets: where NaN and infinity are born, where they go, and what is never claimed."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from nanlint.analysis.ranges import Ranges, births, compute, fate
from nanlint.caffe.load import load_solver
from nanlint.caffe.model import TEST
from nanlint.caffe.options import Options
from nanlint.numbers.intervals import magnitude
from nanlint.numbers.values import Value
from nanlint.schema.dialect import Dialect
from tests.caffe.one_net import layer, net

SUM = layer("Reduction", "y", "total", "loss_weight: 1")


def source(filler: str, shape: str = "16 8", top: str = "x") -> str:
    dims = " ".join(f"dim: {size}" for size in shape.split())
    return layer("DummyData", "", top, f"dummy_data_param {{ shape {{ {dims} }} data_filler {{ {filler} }} }}")


UNIFORM = source('type: "uniform" min: -1 max: 1')
LEARNED = UNIFORM.replace('"x"', '"raw"') + layer("Bias", "raw", "x")


def value(text: str, blob: str = "y") -> Value:
    got = compute(net(text))
    return next(v for b, v in got.values.items() if b.name == blob)


def born(text: str) -> list[tuple[str, bool, str]]:
    return [(birth.step.layer.name, birth.backward, birth.what) for birth in births(compute(net(text)))]


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        (layer("Log", "x", "y"), [("y", False, "NaN")]),
        (layer("ReLU", "x", "z") + layer("Log", "z", "y"), [("y", False, "-infinity")]),
        (layer("Power", "x", "y", "power_param { power: 0.5 }"), [("y", False, "NaN")]),
        (layer("Exp", "x", "y", "exp_param { scale: 1000 }"), [("y", False, "infinity")]),
        (layer("Exp", "x", "y"), []),
        (layer("Dropout", "x", "y", "dropout_param { dropout_ratio: 1 }"), [("y", False, "NaN")]),
        (layer("Softmax", "x", "y"), []),
        (layer("BatchNorm", "x", "z") + layer("Power", "z", "y", "power_param { power: 0.5 }"), [("y", False, "NaN")]),
        (layer("Scale", "x", "y", 'scale_param { filler { type: "constant" value: 3.4e38 } }'), []),
    ],
)
def test_what_is_born_in_the_forward_pass(layers: str, found: list[tuple[str, bool, str]]) -> None:
    assert born(UNIFORM + layers + SUM) == found


def test_the_gradient_of_a_cube_is_nan_where_relu_gives_zeros() -> None:
    cube = layer("ReLU", "x", "z") + layer("Power", "z", "y", "power_param { power: 3 }")
    assert born(LEARNED + cube + SUM) == [("y", True, "NaN")]
    assert born(UNIFORM + cube + SUM) == []


def test_power_in_place_multiplies_its_own_slope_with_itself() -> None:
    text = LEARNED + layer("Power", "x", "x", "power_param { scale: 3 }", "in_place") + layer("Power", "x", "y") + SUM
    got = compute(net(text))
    assert got.steps[2].bottom_grads[0] is not None
    assert got.steps[2].bottom_grads[0].constant == 9.0


def test_only_the_layer_where_it_begins_is_named() -> None:
    text = UNIFORM + layer("Log", "x", "a") + layer("Log", "a", "b") + layer("Exp", "b", "y") + SUM
    assert born(text) == [("a", False, "NaN")]


def test_it_is_said_where_it_goes() -> None:
    def fates(text: str) -> list[str]:
        got = compute(net(text))
        return [fate(got, birth) for birth in births(got)]

    log = UNIFORM + layer("Log", "x", "a")
    assert fates(log + layer("Power", "a", "y") + SUM) == ["it reaches the loss `total`"]
    masked = log + layer("Clip", "a", "y", "clip_param { min: 0 max: 1 }") + SUM
    assert fates(masked) == ["it is not proved to pass `y` (Clip)"]
    square = layer("ReLU", "x", "z") + layer("Power", "z", "y", "power_param { power: 3 }")
    assert fates(LEARNED + square + SUM) == ["with it the first update spoils the weights of `x`"]


def test_bounds_go_through_a_net() -> None:
    assert value(UNIFORM + layer("AbsVal", "x", "y")).low == 0.0
    assert value(UNIFORM + layer("Sigmoid", "x", "y")).high == pytest.approx(1 / (1 + math.exp(-1)))
    window = layer("Pooling", "x", "y", "pooling_param { kernel_size: 2 }")
    pooled = value(source('type: "uniform"', "2 3 8 8") + window)
    assert (pooled.low, pooled.high) == (0.0, 1.0)


def test_unknown_data_is_bounded_by_what_the_user_says() -> None:
    text = layer("Input", "", "x", "input_param { shape { dim: 4 } }") + layer(
        "Power", "x", "y", "power_param { scale: 2 }"
    )
    built = net(text)
    assert not compute(built).values[built.blobs[1]].known
    got = compute(built, given={"x": (0.0, 255.0)})
    assert (got.values[built.blobs[1]].low, got.values[built.blobs[1]].high) == (0.0, 510.0)


def test_once_weights_move_they_are_unknown() -> None:
    text = LEARNED + layer("Log", "x", "y", "log_param { shift: 2 }")
    assert value(text).finite
    moved = compute(net(text), moved=True)
    assert moved.steps[-1].tops[0].nan


def test_backward_reads_what_an_in_place_layer_has_left() -> None:
    """Sigmoid's gradient is top * (1 - top), and a Power in place has made the top 0 by then."""
    text = LEARNED + layer("Sigmoid", "x", "y") + layer("Power", "y", "y", "power_param { scale: 0 }", "zero") + SUM
    got = compute(net(text))
    assert got.steps[2].bottom_grads[0] is not None
    assert got.steps[2].bottom_grads[0].constant == 0.0


def test_a_power_that_ignores_its_input_stops_nan() -> None:
    constant_power = layer("Power", "z", "y", "power_param { power: 0.5 scale: 0 shift: 2 }")
    got = compute(net(LEARNED + layer("Log", "x", "z") + constant_power + SUM))
    assert got.steps[3].tops[0].finite
    assert got.steps[3].bottom_grads[0] is not None
    assert got.steps[3].bottom_grads[0].constant == 0.0


def test_saturated_numbers_do_not_surely_vary() -> None:
    saturated = source('type: "uniform" min: 0 max: 1e30', "2 3") + layer("Sigmoid", "x", "z")
    assert value(saturated + layer("BatchNorm", "z", "y", "batch_norm_param { eps: 0 }")).nan
    spread = source('type: "uniform" min: 0 max: 1', "2 3")
    assert not value(spread + layer("BatchNorm", "x", "y", "batch_norm_param { eps: 0 }")).nan


def test_a_test_net_has_no_gradients() -> None:
    text = LEARNED + layer("Power", "x", "y", "power_param { power: 3 }") + SUM
    assert all(not step.grads for step in compute(net(text, TEST)).steps)


def test_what_shares_memory_is_not_trusted_after_an_in_place_layer() -> None:
    text = (
        source('type: "uniform" min: -1 max: -0.5')
        + layer("Split", "x", "a b")
        + layer("ReLU", "a", "a", name="relu")
        + layer("Power", "b", "y")
    )
    assert not value(text).known


@pytest.mark.parametrize("family", ["elementwise", "normalisation", "losses", "fillers"])
def test_no_run_of_caffe_contradicts_the_ranges(shared: Path, tmp_path: Path, family: str) -> None:
    """The mean |x| of every blob and gradient in the first iteration lies within its bounds."""
    wrong = []
    with (shared / "oracle" / "cases" / f"{family}.jsonl").open() as lines:
        for number, line in enumerate(lines):
            case = json.loads(line)
            if number % 3 or case.get("chancy") or not case["caffe"]["forward"] or "lmdb" in case:
                continue
            wrong += [f"{case['id']}: {found}" for found in _contradictions(case, tmp_path)]
    assert wrong == []


def _contradictions(case: dict[str, dict[str, dict[str, float | str]]], folder: Path) -> list[str]:
    for name, text in case["files"].items():
        if not isinstance(text, str):
            return []
        (folder / name).write_text(text, errors="surrogateescape")
    before = Path.cwd()
    os.chdir(folder)
    try:
        built = load_solver("solver.prototxt", Options(Dialect.BVLC)).train_net
    finally:
        os.chdir(before)
    got = compute(built) if built is not None else None
    return (
        []
        if got is None
        else [*_compared(got, case["caffe"]["forward"], False), *_compared(got, case["caffe"]["backward"], True)]
    )


def _compared(got: Ranges, means: dict[str, float | str], backward: bool) -> list[str]:
    wrong = []
    for key, mean in means.items():
        name, _, blob = key.partition(":")
        for step in got.steps:
            blobs = step.layer.bottoms if backward else step.layer.tops
            values = step.bottom_grads if backward else step.tops
            for made, known in zip(blobs, values, strict=False):
                if step.layer.name == name and made.name == blob and known is not None and known.known and known.count:
                    wrong += [f"{key} {mean} {known}"] if not _fits(known, mean) else []
    return wrong


def _fits(known: Value, mean: float | str) -> bool:
    """Whether a mean |x| can be that of such elements; inf is also a sum over 3.4e38."""
    if known.low != known.low:
        return mean == "nan"
    low, high, _ = magnitude(known.low, known.high)
    if isinstance(mean, str):
        return known.nan if mean == "nan" else high * (known.count or 0) > 3.4e38
    return mean <= high * 1.001 + 1e-30 and (known.nan or mean >= low * 0.999 - 1e-30) and not known.surely_bad


def test_two_windows_outside_the_map_add_up_to_infinity() -> None:
    """MAX leaves -3.4e38 in each of them."""
    lost = source('type: "uniform"', "1 1 3 6") + layer(
        "Pooling", "x", "y", "pooling_param { pool: MAX kernel_h: 1 kernel_w: 2 stride_h: 1 stride_w: 3 }"
    )
    assert value(lost).surely(lambda low, high: high < -3e38)
    assert value(lost + SUM, "total").surely_infinite

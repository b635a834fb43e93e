"""The scale of a net at initialisation, from its data to its losses and back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from nanlint.analysis.scale import first_loss, scale_of
from nanlint.caffe.load import load_solver
from tests.analysis import nets

GAUSSIAN = 'type: "gaussian" std: 1'
ONE = "value: 1"


def rms(built: object, name: str) -> float:
    from nanlint.caffe.model import Net

    assert isinstance(built, Net)
    blob = next(blob for blob in reversed(built.blobs) if blob.name == name)
    moment = scale_of(built).moment(blob)
    assert moment is not None
    return moment.rms


def test_xavier_keeps_the_scale_and_relu_halves_its_square(tmp_path: Path) -> None:
    text = nets.dummy(GAUSSIAN, ONE) + nets.inner_product("a", "data", 32, 'type: "xavier"') + nets.relu("r", "a")
    built = nets.net(tmp_path, text)
    assert rms(built, "data") == pytest.approx(1)
    assert rms(built, "a") == pytest.approx(math.sqrt(0.5))


def test_batch_norm_takes_the_scale_away(tmp_path: Path) -> None:
    text = nets.dummy(GAUSSIAN, ONE) + nets.inner_product("a", "data", 32, 'type: "gaussian" std: 100')
    text += 'layer { name: "bn" type: "BatchNorm" bottom: "a" top: "bn" }'
    assert rms(nets.net(tmp_path, text), "bn") == pytest.approx(1)


def test_a_stored_variance_of_zero_multiplies_by_316(tmp_path: Path) -> None:
    text = nets.dummy(GAUSSIAN, ONE) + 'layer { name: "bn" type: "BatchNorm" bottom: "data" top: "bn"'
    text += " batch_norm_param { use_global_stats: true } }"
    assert rms(nets.net(tmp_path, text), "bn") == pytest.approx(316, rel=0.01)


def test_bytes_less_a_mean_file_times_scale(tmp_path: Path) -> None:
    text = """layer { name: "data" type: "Data" top: "data" top: "l"
      data_param { source: "x" batch_size: 4 }
      transform_param { crop_size: 8 mean_file: "m" scale: 0.01 } }"""
    assert rms(nets.net(tmp_path, text), "data") == pytest.approx(0.7)


def test_what_no_file_shows_is_unknown(tmp_path: Path) -> None:
    text = 'layer { name: "data" type: "HDF5Data" top: "data" hdf5_data_param { source: "x" batch_size: 4 } }'
    text += nets.inner_product("a", "data", 4, 'type: "xavier"')
    built = nets.net(tmp_path, text)
    assert dict(scale_of(built).moments) == {}
    assert first_loss(scale_of(built)) is None


def test_the_first_loss_of_small_logits_is_the_logarithm_of_the_classes(tmp_path: Path) -> None:
    text = nets.dummy(GAUSSIAN, ONE, outputs="dim: 8") + nets.inner_product(
        "a", "data", 10, 'type: "gaussian" std: 1e-3'
    )
    built = nets.net(tmp_path, text + nets.loss("a", "SoftmaxWithLoss"))
    assert first_loss(scale_of(built)) == pytest.approx(math.log(10), rel=1e-3)


def test_the_first_euclidean_loss_is_half_the_squared_miss(tmp_path: Path) -> None:
    text = nets.dummy(GAUSSIAN, "value: 3") + nets.inner_product("a", "data", 4, 'type: "gaussian" std: 1e-6')
    assert first_loss(scale_of(nets.net(tmp_path, text + nets.loss("a")))) == pytest.approx(18, rel=1e-3)


def test_curvature_of_one_linear_layer_is_exact(tmp_path: Path) -> None:
    text = nets.dummy("value: 2", ONE) + nets.inner_product("a", "data", 4, 'type: "gaussian" std: 0.1')
    learned = scale_of(nets.net(tmp_path, text + nets.loss("a", more="loss_weight: 3"))).learned
    curvature = sum(math.exp(one.pressures[0].log_curvature) for one in learned)
    assert curvature == pytest.approx(3 * (16 * 2**2 + 1))


def test_a_gradient_that_meets_zero_weights_ends_there(tmp_path: Path) -> None:
    text = nets.dummy(GAUSSIAN, ONE) + nets.inner_product("a", "data", 8, 'type: "xavier"')
    text += nets.inner_product("b", "a", 4, 'type: "constant"') + nets.loss("b")
    scale = scale_of(nets.net(tmp_path, text))
    reached = {one.param.layer.name for one in scale.learned if one.pressures}
    assert reached == {"b"}


def test_a_residual_sum_adds_what_comes_back(tmp_path: Path) -> None:
    text = nets.dummy(GAUSSIAN, ONE, outputs="dim: 8 dim: 16") + nets.inner_product("a", "data", 16, 'type: "xavier"')
    text += nets.inner_product("b", "a", 16, 'type: "xavier"')
    text += 'layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "sum" }' + nets.loss("sum")
    built = nets.net(tmp_path, text)
    assert rms(built, "sum") == pytest.approx(math.sqrt(2))
    a = next(layer.tops[0] for layer in built.layers if layer.name == "a")
    assert math.exp(scale_of(built).gradients[0][a].log) == pytest.approx(2)


ROOT_OVER_MEAN = math.sqrt(math.pi / 2)
"""Of a normal variable, the root mean square over the mean absolute value, which Caffe prints."""


def ratios(cases: Path, folder: Path) -> Iterator[float]:
    """The estimated size of each top over the one that Caffe had in its first iteration."""
    with cases.open() as lines:
        for case in map(json.loads, lines):
            if case.get("chancy") or case["caffe"]["outcome"] != "ok":
                continue
            for name, text in case["files"].items():
                (folder / name).write_text(text)
            built = load_solver(str(folder / "solver.prototxt")).train_net
            assert built is not None
            for blob in built.blobs:
                seen = case["caffe"]["forward"].get(f"{blob.producer.name}:{blob.name}")
                moment = scale_of(built).moment(blob)
                usual = isinstance(seen, float) and 1e-30 < seen < 1e15
                if usual and moment is not None and moment.rms and blob.producer.type != "DummyData":
                    yield moment.rms / seen / ROOT_OVER_MEAN


@pytest.mark.slow
@pytest.mark.parametrize(("family", "least"), [("divergence", 0.98), ("random_nets", 0.93)])
def test_sizes_are_within_a_factor_of_three_of_caffe(shared: Path, tmp_path: Path, family: str, least: float) -> None:
    found = list(ratios(shared / "oracle" / "cases" / f"{family}.jsonl", tmp_path))
    assert len(found) > 1000
    assert sum(1 / 3 < ratio < 3 for ratio in found) >= least * len(found)

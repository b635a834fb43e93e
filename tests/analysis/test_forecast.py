"""The rate that a net bears: tried in miniature, exact for one linear layer, and unknown for a reason."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nanlint.analysis.forecast import Forecast, forecast
from tests.analysis import nets

SETTINGS = 'base_lr: 0.01\nlr_policy: "fixed"\nmax_iter: 100\n'

HEAD = (
    nets.inner_product("a", "data", 16, 'type: "xavier"')
    + nets.relu("r", "a")
    + nets.inner_product("b", "a", 4, 'type: "xavier"')
    + nets.loss("b")
)


def deep(folder: Path, std: float = 1, more: str = "") -> Forecast:
    text = nets.dummy(f'type: "gaussian" std: {std}', "value: 1") + HEAD
    return made(folder, text, more)


def made(folder: Path, text: str, more: str = "") -> Forecast:
    solver = nets.solver(folder, text, SETTINGS + more)
    assert solver.train_net is not None
    return forecast(solver, solver.train_net)


def test_a_rate_lies_in_its_range(tmp_path: Path) -> None:
    found = deep(tmp_path)
    assert found.rate is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.rate < found.high
    assert found.unknown is None


def test_the_same_net_gets_the_same_rate(tmp_path: Path) -> None:
    assert deep(tmp_path).rate == deep(tmp_path).rate


def test_a_larger_input_bears_a_smaller_rate(tmp_path: Path) -> None:
    small, large = deep(tmp_path), deep(tmp_path, 100)
    assert small.rate is not None
    assert large.rate is not None
    assert large.rate < small.rate / 100


def test_momentum_lowers_the_rate(tmp_path: Path) -> None:
    without, with_momentum = deep(tmp_path), deep(tmp_path, more="momentum: 0.95\n")
    assert without.rate is not None
    assert with_momentum.rate is not None
    assert with_momentum.rate < without.rate


@pytest.mark.parametrize("kind", ["Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"])
def test_every_optimiser_is_tried(tmp_path: Path, kind: str) -> None:
    more = f'type: "{kind}"\n' + ("momentum: 0.9\n" if kind in ("Nesterov", "AdaDelta", "Adam") else "")
    found = deep(tmp_path, more=more)
    assert found.rate is not None or found.unknown is not None
    assert found.tried


def test_one_linear_layer_has_an_exact_limit(tmp_path: Path) -> None:
    text = nets.dummy("value: 1", "value: 1") + nets.inner_product("a", "data", 4, 'type: "gaussian" std: 0.1')
    found = made(tmp_path, text + nets.loss("a"))
    assert found.rate == found.low == found.high == pytest.approx(2 / 17)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ('weights: "trained.caffemodel"\n', "training begins with stored weights"),
        ('larc: true\n', "`larc` adapts the rate"),
        ("momentum: 1\n", "`momentum` is not between 0 and 1"),
    ],
)
def test_what_is_not_tried_has_a_reason(tmp_path: Path, more: str, reason: str) -> None:
    found = deep(tmp_path, more=more)
    assert found.rate is None
    assert found.unknown == reason


def test_a_net_without_fillers_is_made_for_trained_weights(tmp_path: Path) -> None:
    text = nets.dummy('type: "gaussian" std: 1', "value: 1") + HEAD.replace(
        'weight_filler { type: "xavier" }', "", 1
    )
    found = made(tmp_path, text)
    assert found.unknown == "`a` has no weight filler, so its weights are those of a trained net"


def test_the_size_of_images_is_assumed_and_said(tmp_path: Path) -> None:
    text = """
        layer { name: "mnist" type: "Data" top: "data" top: "target"
          transform_param { scale: 0.00390625 } data_param { source: "mnist_lmdb" batch_size: 8 } }
    """
    found = made(tmp_path, text + HEAD.replace("EuclideanLoss", "SoftmaxWithLoss"))
    assert found.rate is not None
    assert found.assumed[0] == "`data` is 8 x 1 x 28 x 28"
    assert found.assumed[1].startswith("`data` holds the pixels of natural images")


def test_layers_of_forks_that_transform_images_bring_pixels(tmp_path: Path) -> None:
    text = """
        layer { name: "boxes" type: "OwnData" top: "data" top: "target"
          transform_param { scale: 0.00390625 crop_size: 24 } }
    """
    found = made(tmp_path, text + HEAD.replace("EuclideanLoss", "SoftmaxWithLoss"))
    assert found.assumed[0] == "`data` is 32 x 3 x 24 x 24"
    assert found.rate is not None


def test_without_numpy_the_first_update_alone_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanlint.analysis.bearable", None)
    found = deep(tmp_path)
    assert found.rate is not None
    assert not found.tried
    assert found.assumed == (
        "no more than the first update is looked at: numpy is not installed (pip install numpy)",
    )

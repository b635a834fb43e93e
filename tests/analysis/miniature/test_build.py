"""A miniature is as large as its net: activations, losses, and the gradient of each blob."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from nanlint.analysis.miniature.build import Miniature
from nanlint.analysis.miniature.parts import Pass
from nanlint.analysis.miniature.size import JOINED, UNITS, UnsupportedError
from nanlint.analysis.miniature.training import train
from nanlint.analysis.scale import first_loss, scale_of
from nanlint.caffe.model import Solver
from tests.analysis import nets

WIDE = (
    nets.dummy('type: "gaussian" std: 3', "value: 1", (16, 400), "dim: 16 dim: 8")
    + nets.inner_product("a", "data", 300, 'type: "msra"')
    + nets.relu("r", "a")
    + nets.inner_product("b", "a", 200, 'type: "msra"')
    + nets.relu("s", "b")
    + nets.inner_product("c", "b", 8, 'type: "xavier"')
)


def mini(solver: Solver, lanes: int = 1) -> Miniature:
    assert solver.train_net is not None
    return Miniature(solver.train_net, solver.param, lanes, 1)


def test_activations_are_as_large_as_those_of_the_net(tmp_path: Path) -> None:
    solver = nets.solver(tmp_path, WIDE + nets.loss("c"))
    small = mini(solver)
    chosen = small.classes[: small.batch]
    run = Pass({blob: pool[None, : small.batch] for blob, pool in small.sources.items()}, chosen, np.zeros(1))
    for part in small.parts:
        part.forward(run)
    for blob, values in run.values.items():
        moment = small.scale.moment(blob)
        if moment is not None and blob.name in ("a", "b", "c"):
            assert values.shape[-1] <= max(UNITS, 64)
            assert math.log((values**2).mean()) == pytest.approx(moment.log, abs=1)


def test_the_loss_begins_where_that_of_the_net_does(tmp_path: Path) -> None:
    solver = nets.solver(tmp_path, WIDE + nets.loss("c"))
    assert solver.train_net is not None
    losses = train(mini(solver), solver.param, [0.0], 5, 1)
    expected = first_loss(scale_of(solver.train_net))
    assert expected is not None
    assert math.log(losses.mean()) == pytest.approx(math.log(expected), abs=1)


def test_a_rate_of_0_changes_nothing_and_a_huge_one_ends_beyond_float32(tmp_path: Path) -> None:
    solver = nets.solver(tmp_path, WIDE + nets.loss("c"))
    small = mini(solver, 2)
    before = [weight.values[0].copy() for weight in small.weights]
    losses = train(small, solver.param, [0.0, 1e4], 20, 1)
    assert all((weight.values[0] == held).all() for weight, held in zip(small.weights, before, strict=True))
    assert np.isfinite(losses[:, 0]).all()
    assert not np.isfinite(losses[:, 1]).all()


@pytest.mark.parametrize("name", ["conv", "pool"])
def test_maps_become_a_few_positions(tmp_path: Path, name: str) -> None:
    text = (
        nets.dummy('type: "gaussian" std: 1', "value: 1", (4, 3, 32, 32), "dim: 4")
        + 'layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param {'
        ' num_output: 40 kernel_size: 5 weight_filler { type: "xavier" } } }\n'
        'layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param {'
        " pool: AVE kernel_size: 2 stride: 2 } }\n"
        + nets.inner_product("fc", "pool", 4, 'type: "xavier"')
        + nets.loss("fc", "SoftmaxWithLoss")
    )
    small = mini(nets.solver(tmp_path, text))
    assert {blob.name: size for blob, size in small.sizes.items()}[name] == (4, UNITS)


def test_a_layer_that_is_not_known_is_refused_by_its_type(tmp_path: Path) -> None:
    text = WIDE + 'layer { name: "own" type: "Own" bottom: "c" top: "own" }\n' + nets.loss("own")
    with pytest.raises(UnsupportedError, match="what `Own` does is not part of the estimate"):
        mini(nets.solver(tmp_path, text))


def test_joined_blobs_do_not_grow_without_end(tmp_path: Path) -> None:
    text = WIDE + "".join(
        f'layer {{ name: "join{i}" type: "Concat" bottom: "{"b" if i == 0 else f"join{i - 1}"}" bottom: "b" '
        f'top: "join{i}" }}\n'
        for i in range(9)
    )
    text += nets.inner_product("d", "join8", 8, 'type: "xavier"') + nets.loss("d")
    solver = nets.solver(tmp_path, text)
    small = mini(solver, 2)
    losses = train(small, solver.param, [0.0, 1e-6], 3, 1)
    assert {blob.name: size for blob, size in small.sizes.items()}["join8"] == (1, JOINED)
    assert np.isfinite(losses).all()

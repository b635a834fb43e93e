"""A net whose phases are alike is linted once, and what is found is said of both."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import engine
from nanlint.caffe import load
from nanlint.caffe.options import Options
from nanlint.report.json import dumps

CLEAN = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 8 } } }\n'
BAD = 'layer { name: "relu" type: "ReLU" bottom: "nowhere" top: "y" }\n'
NORM = 'layer { name: "bn" type: "BatchNorm" bottom: "x" top: "y" %s}\n'

ROOT = Path(__file__).parents[2]


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return tmp_path / "net.prototxt"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (CLEAN, 1),
        (CLEAN + NORM % "batch_norm_param { use_global_stats: true } ", 1),
        (CLEAN + NORM % "", 2),
        (CLEAN + 'layer { name: "d" type: "Dropout" bottom: "x" top: "y" }', 2),
        (CLEAN + 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" phase: TEST }', 2),
        (CLEAN + 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" include { stage: "s" } }', 2),
        (CLEAN + 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" exclude { phase: TEST } }', 2),
    ],
)
def test_only_nets_that_can_differ_are_made_twice(net: Path, text: str, made: int) -> None:
    net.write_text(text)
    assert len(load.load_distinct_nets(str(net), Options(), load.Files())) == made
    assert len(load.load_net(str(net))) == 2


def test_a_finding_in_both_phases_names_none(net: Path) -> None:
    net.write_text(CLEAN + BAD)
    found = [one for one in engine.check([str(net)]).findings if one.name == "unknown-bottom"]
    assert [one.phase for one in found] == [None]


def test_a_rule_about_training_finds_in_the_training_net_alone(net: Path) -> None:
    net.write_text(
        CLEAN
        + 'layer { name: "fc" type: "InnerProduct" bottom: "x" top: "y"\n'
        + '  inner_product_param { num_output: 2 weight_filler { type: "gaussian" std: 30 } } }\n'
        + 'layer { name: "label" type: "Input" top: "z" input_param { shape { dim: 1 dim: 2 } } }\n'
        + 'layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "z" top: "loss" loss_weight: nan }\n'
    )
    phases = {one.name: one.phase for one in engine.check([str(net)]).findings}
    assert phases["wide-gaussian-filler"] == "TRAIN"
    assert phases["infinite-loss"] is None


@pytest.mark.slow
def test_one_net_for_two_phases_loses_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    nets = [str(path) for path in sorted((ROOT / "examples" / "stories").rglob("*.prototxt"))]
    found = [dumps(engine.check([path])) for path in nets]
    monkeypatch.setattr(load, "phase_matters", lambda layers: True)
    assert found == [dumps(engine.check([path])) for path in nets]

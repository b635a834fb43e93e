"""What the program that shall use a net does not read of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import engine
from nanlint.config import Settings
from nanlint.schema.targets import TARGETS, target

INPUT = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }\n'
RELU = 'layer { name: "relu" type: "ReLU" bottom: "data" top: "relu" }\n'
DETECT = 'layer { name: "out" type: "DetectionOutput" bottom: "data" bottom: "data" bottom: "data" top: "out" }\n'
NORM = 'layer { name: "bn" type: "BatchNorm" bottom: "data" top: "b" batch_norm_param { use_global_stats: false } }\n'


def said(folder: Path, text: str, name: str) -> set[str]:
    (folder / "net.prototxt").write_text(text)
    report = engine.check([str(folder / "net.prototxt")], Settings(target=name))
    assert report.failures == ()
    return {one.name for one in report.findings if one.code.startswith("TGT")} - {"target-not-fully-known"}


@pytest.mark.parametrize("name", TARGETS)
def test_each_statement_has_a_source(name: str) -> None:
    known = target(name)
    assert known.unknown
    assert known.types is None or known.types_source
    for one in (known.old_layers, known.old_inputs, known.every_phase, known.foreign_fields, known.batch_statistics):
        assert one is None or one.source


@pytest.mark.parametrize("name", TARGETS)
def test_a_net_that_every_reader_takes(tmp_path: Path, name: str) -> None:
    assert said(tmp_path, INPUT + RELU, name) == set()


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (INPUT + 'layer { name: "m" type: "MVN" bottom: "data" top: "m" }\n', "mnn", "target-lacks-layer"),
        (INPUT + 'layer { name: "t" type: "Threshold" bottom: "data" top: "t" }\n', "opencv4", "target-lacks-layer"),
        (INPUT + 'layer { name: "f" type: "Mish" bottom: "data" top: "f" }\n', "nnie", "target-lacks-layer"),
        (INPUT + DETECT, "rknn", "target-lacks-layer"),
        ('input: "data" input_shape { dim: 1 dim: 3 }\n' + RELU, "ncnn", "target-reads-no-old-format"),
        ('layers { name: "r" type: RELU bottom: "data" top: "r" }\n' + INPUT, "mnn", "target-reads-no-old-format"),
        (INPUT + RELU.replace('top: "relu"', 'top: "relu" include { phase: TEST }'), "mnn", "target-ignores-phases"),
        (INPUT.replace("dim: 8", "dim: 5000") + RELU, "ascend", "target-limit"),
        (INPUT + NORM, "ascend", "target-limit"),
    ],
)
def test_what_a_reader_does_not_take(tmp_path: Path, text: str, name: str, expected: str) -> None:
    assert expected in said(tmp_path, text, name)


def test_what_a_deploy_net_leaves_out_is_no_matter(tmp_path: Path) -> None:
    data = 'layer { name: "d" type: "DummyData" top: "data" top: "l" dummy_data_param { shape { dim: 1 } } }\n'
    loss = 'layer { name: "loss" type: "EuclideanLoss" bottom: "relu" bottom: "l" top: "loss" }\n'
    assert said(tmp_path, data + RELU + loss, "mnn") == set()

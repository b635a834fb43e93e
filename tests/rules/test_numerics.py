"""The rules about NaN and infinity: what each says of a small net, and of its sound twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.caffe.model import TEST, TRAIN
from nanlint.findings import Severity
from tests.analysis.nets import SGD, solver
from tests.caffe.one_net import layer, net
from tests.rules.non_finite import GAUSSIAN, SUM, UNKNOWN, findings, names, source


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (source('type: "constant" value: inf'), ["non-finite-source"]),
        (source('type: "gaussian" mean: nan'), ["non-finite-source"]),
        (source(GAUSSIAN) + layer("ELU", "x", "y", "elu_param { alpha: nan }"), ["non-finite-setting"]),
        (
            source(GAUSSIAN) + layer("Dropout", "x", "y", "dropout_param { dropout_ratio: 1 }"),
            ["dropout-of-everything"],
        ),
        (source(GAUSSIAN) + layer("Dropout", "x", "y", "dropout_param { dropout_ratio: 0.99 }"), []),
        (
            source(GAUSSIAN) + layer("Scale", "x", "y", 'scale_param { filler { type: "constant" value: 3e38 } }'),
            ["overflow"],
        ),
        (
            source(GAUSSIAN, "1 8") + layer("BatchNorm", "x", "y", "batch_norm_param { eps: 0 }"),
            ["batch-norm-without-variance"],
        ),
        (source(GAUSSIAN, "1 8") + layer("BatchNorm", "x", "y"), []),
        (source(GAUSSIAN, "4 8 1 1") + layer("MVN", "x", "y", "mvn_param { eps: 0 }"), ["mvn-without-variance"]),
        (source(GAUSSIAN, "4 8 5 5") + layer("MVN", "x", "y", "mvn_param { eps: 0 }"), []),
        (source(GAUSSIAN, "4 8 5 5") + layer("LRN", "x", "y", "lrn_param { alpha: -100 }"), ["lrn-base"]),
        (source(GAUSSIAN, "4 8 5 5") + layer("LRN", "x", "y"), []),
    ],
)
def test_what_is_certain(text: str, found: list[str]) -> None:
    assert names(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (layer("BatchNorm", "x", "y", "batch_norm_param { eps: 0 }"), ["unsafe-eps"]),
        (layer("BatchNorm", "x", "y", "batch_norm_param { moving_average_fraction: 1.1 }"), ["growing-statistics"]),
        (layer("MultinomialLogisticLoss", "x label", "y"), ["not-probabilities"]),
        (layer("Softmax", "x", "p") + layer("MultinomialLogisticLoss", "p label", "y"), []),
        (layer("ReLU", "x", "y") + layer("Sigmoid", "y", "z") + layer("Softmax", "z", "p"), []),
    ],
)
def test_what_is_possible(text: str, found: list[str]) -> None:
    assert names(UNKNOWN + text) == found


def test_a_layer_of_unknown_type_is_trusted() -> None:
    assert names(UNKNOWN + 'layer { name: "f" type: "Mine" bottom: "x" top: "p" }' + layer("Log", "p", "y")) == []


def test_a_proof_has_the_value_the_way_and_the_end() -> None:
    text = source(GAUSSIAN) + layer("ReLU", "x", "z") + layer("Log", "z", "y") + SUM
    [finding] = findings(net(text))
    assert finding.severity is Severity.ERROR
    assert "takes the logarithm of 0: minus infinity" in finding.message
    assert finding.evidence is not None
    assert "`x`: " in finding.evidence
    assert "`z`: 0.." in finding.evidence
    assert finding.evidence.endswith("it reaches the loss `total`")


def test_a_test_net_is_judged_by_what_training_cannot_change() -> None:
    statistics = source(GAUSSIAN) + layer("BatchNorm", "x", "y", "batch_norm_param { eps: -1 }")
    [untrained] = findings(net(statistics, TEST))
    assert untrained.severity is Severity.WARNING
    [always] = findings(net(source(GAUSSIAN) + layer("Log", "x", "y"), TEST))
    assert always.severity is Severity.ERROR


def test_a_loss_weight_that_is_not_finite() -> None:
    text = source(GAUSSIAN, "8 4") + source('type: "constant" value: 1', "8", "t")
    assert names(text + layer("SoftmaxWithLoss", "x t", "loss", "loss_weight: inf")) == ["non-finite-setting"]


def solved(folder: Path, settings: str) -> list[tuple[str, Severity]]:
    """What is said of both nets of a solver whose training net and test net share a BatchNorm."""
    data = source(GAUSSIAN) + layer("Bias", "x", "z") + layer("BatchNorm", "z", "y", "batch_norm_param { eps: -1e6 }")
    nets = solver(folder, data + SUM, settings).nets
    return [(built.phase, finding.severity) for built in nets for finding in findings(built)]


def test_an_untrained_net_is_surely_tested_before_training(tmp_path: Path) -> None:
    tested = "test_iter: 1 test_interval: 5\n"
    assert solved(tmp_path, SGD + tested) == [(TRAIN, Severity.ERROR), (TEST, Severity.ERROR)]
    late = SGD + tested + "test_initialization: false\n"
    assert solved(tmp_path, late) == [(TRAIN, Severity.ERROR), (TEST, Severity.WARNING)]


def test_what_rests_on_fillers_is_not_sure_where_the_solver_names_weights(tmp_path: Path) -> None:
    assert solved(tmp_path, SGD + 'weights: "trained.caffemodel"\n') == [(TRAIN, Severity.WARNING)]


def test_a_run_without_iterations_shows_the_reported_loss_alone(tmp_path: Path) -> None:
    log = source(GAUSSIAN) + layer("Log", "x", "z")
    hidden = log + layer("Clip", "z", "y", "clip_param { min: 0 max: 1 }") + SUM
    idle = 'base_lr: 0.01\nlr_policy: "fixed"\nmax_iter: 0\ndisplay: 1\n'

    def severities(text: str) -> list[Severity]:
        return [finding.severity for built in solver(tmp_path, text, idle).nets for finding in findings(built)]

    assert severities(hidden) == [Severity.WARNING]
    assert severities(log + layer("Power", "z", "y") + SUM) == [Severity.ERROR]

"""The rules about NaN and infinity: what each says of a small net, and of its sound twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.caffe.model import TEST, TRAIN, Net
from nanlint.findings import Finding, Severity
from nanlint.rules.registry import rules
from tests.analysis.nets import SGD, solver
from tests.caffe.one_net import layer, net

CODES = ("NUM", "NRM", "LOS")
SUM = layer("Reduction", "y", "total", "loss_weight: 1")


def findings(built: Net) -> list[Finding]:
    found = []
    for rule in rules():
        if not rule.code.startswith(CODES):
            continue
        if rule.subject == "Net":
            found += [rule.finding(problem) for problem in rule.check(built)]
        elif rule.subject == "Layer":
            for one in built.layers:
                if not rule.layers or one.type in rule.layers:
                    found += [rule.finding(problem) for problem in rule.check(one)]
    return found


def names(text: str, phase: str = TRAIN) -> list[str]:
    return [finding.name for finding in findings(net(text, phase))]


def source(filler: str, shape: str = "16 8", top: str = "x") -> str:
    dims = " ".join(f"dim: {size}" for size in shape.split())
    return layer("DummyData", "", top, f"dummy_data_param {{ shape {{ {dims} }} data_filler {{ {filler} }} }}")


GAUSSIAN = 'type: "gaussian" std: 1'
DATA = layer("Data", "", "raw label", 'data_param { source: "db" batch_size: 4 } transform_param { crop_size: 8 }')
IP = layer("InnerProduct", "raw", "x", 'inner_product_param { num_output: 4 weight_filler { type: "xavier" } }')
UNKNOWN = DATA + IP


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (source('type: "constant" value: inf'), ["non-finite-source"]),
        (source('type: "gaussian" mean: nan'), ["non-finite-source"]),
        (source(GAUSSIAN) + layer("Log", "x", "y"), ["log-domain"]),
        (source(GAUSSIAN) + layer("Log", "x", "y", "log_param { shift: 100 }"), []),
        (source('type: "uniform" min: 80 max: 100') + layer("Exp", "x", "y"), ["exp-overflow"]),
        (source('type: "uniform" min: 80 max: 88') + layer("Exp", "x", "y"), []),
        (source(GAUSSIAN) + layer("Exp", "x", "y", "exp_param { shift: 100 }"), ["exp-overflow"]),
        (source(GAUSSIAN) + layer("Power", "x", "y", "power_param { power: 0.5 }"), ["power-domain"]),
        (source(GAUSSIAN) + layer("Power", "x", "y", "power_param { power: 2 scale: 1e30 }"), ["power-domain"]),
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
        (source(GAUSSIAN, "1 8") + layer("BatchNorm", "x", "y"), ["one-value-per-channel"]),
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
        (layer("Softmax", "x", "p") + layer("Log", "p", "y"), ["log-of-possible-zero"]),
        (layer("Softmax", "x", "p") + layer("Log", "p", "y", "log_param { shift: 1e-6 }"), []),
        (
            layer("ReLU", "x", "p") + layer("Power", "p", "y", "power_param { power: 0.5 }") + SUM,
            ["power-of-possible-zero"],
        ),
        (layer("ReLU", "x", "p") + layer("Power", "p", "y", "power_param { power: 2 }") + SUM, []),
        (layer("Power", "x", "y", "power_param { power: 3 }") + SUM, []),
        (layer("Exp", "x", "y"), ["exp-without-bound"]),
        (layer("Sigmoid", "x", "p") + layer("Exp", "p", "y"), []),
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


@pytest.mark.parametrize(("label", "found"), [("4", ["label-out-of-range"]), ("3", []), ("-1", ["label-out-of-range"])])
def test_labels_outside_the_classes(label: str, found: list[str]) -> None:
    scores = source(GAUSSIAN, "8 4") + source(f'type: "constant" value: {label}', "8", "t")
    assert names(scores + layer("SoftmaxWithLoss", "x t", "loss")) == found


def test_an_ignored_label_is_in_order() -> None:
    scores = source(GAUSSIAN, "8 4") + source('type: "constant" value: 255', "8", "t")
    assert names(scores + layer("SoftmaxWithLoss", "x t", "loss", "loss_param { ignore_label: 255 }")) == []


def test_losses_that_square_overflow_and_softmax_does_not() -> None:
    far = source('type: "constant" value: 1e20', "8 4") + source('type: "constant" value: 1', "8 4", "t")
    assert names(far + layer("EuclideanLoss", "x t", "loss")) == ["infinite-loss"]
    label = source('type: "constant" value: 1', "8", "t")
    assert (
        names(source('type: "uniform" min: -1e30 max: 1e30', "8 4") + label + layer("SoftmaxWithLoss", "x t", "loss"))
        == []
    )


def test_a_loss_weight_that_is_not_finite() -> None:
    text = source(GAUSSIAN, "8 4") + source('type: "constant" value: 1', "8", "t")
    assert names(text + layer("SoftmaxWithLoss", "x t", "loss", "loss_weight: inf")) == ["non-finite-setting"]


def test_one_class() -> None:
    text = source(GAUSSIAN, "8 1") + source('type: "constant" value: 0', "8", "t")
    assert names(text + layer("SoftmaxWithLoss", "x t", "loss")) == ["softmax-of-one-class"]


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

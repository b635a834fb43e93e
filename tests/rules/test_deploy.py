"""A training net and deploy nets beside its solver: what is said of the pair."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import engine
from nanlint.findings import Finding, Severity

DATA = """
layer { name: "data" type: "Data" top: "data" top: "label" transform_param { mean_value: [104, 117, 123] crop_size: 16 }
  data_param { source: "train_lmdb" batch_size: 8 backend: LMDB } }
"""
INPUT = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 16 dim: 16 } } }\n'
BODY = """
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
layer { name: "bn1" type: "BatchNorm" bottom: "conv1" top: "conv1" }
layer { name: "scale1" type: "Scale" bottom: "conv1" top: "conv1" scale_param { bias_term: true } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "drop" type: "Dropout" bottom: "pool1" top: "pool1" }
layer { name: "conv2" type: "Convolution" bottom: "pool1" top: "conv2"
  convolution_param { num_output: 16 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu2" type: "ReLU" bottom: "conv2" top: "conv2" }
layer { name: "fc" type: "InnerProduct" bottom: "conv2" top: "fc"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
"""
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }\n'
PROB = 'layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }\n'
SOLVER = 'net: "train.prototxt"\nbase_lr: 0.01\nlr_policy: "fixed"\nmax_iter: 100\n'


def said(folder: Path, deploy: str, train: str = DATA + BODY + LOSS, name: str = "deploy.prototxt") -> list[Finding]:
    """What nanlint says of the pair when it is given the solver."""
    (folder / "solver.prototxt").write_text(SOLVER)
    (folder / "train.prototxt").write_text(train)
    (folder / name).write_text(deploy)
    report = engine.check([str(folder / "solver.prototxt")])
    assert report.failures == ()
    return [one for one in report.findings if one.code.startswith("DEP") and one.severity is not Severity.INFO]


def names(findings: list[Finding]) -> list[tuple[str, str | None]]:
    return [(finding.name, finding.layer) for finding in findings]


def changed(old: str, new: str, text: str = INPUT + BODY + PROB) -> str:
    assert old in text
    return text.replace(old, new)


def without(layer: str, text: str = INPUT + BODY + PROB) -> str:
    lines = text.replace("\n  pool", " pool").splitlines(keepends=True)
    assert any(f'name: "{layer}"' in line for line in lines)
    return "".join(line for line in lines if f'name: "{layer}"' not in line)


def test_a_deploy_net_that_fits_is_silent(tmp_path: Path) -> None:
    assert said(tmp_path, INPUT + BODY + PROB) == []


def test_dropout_may_go(tmp_path: Path) -> None:
    assert said(tmp_path, without("drop")) == []


def test_layers_without_weights_may_be_called_anything(tmp_path: Path) -> None:
    assert said(tmp_path, changed('"relu1"', '"activation"')) == []


@pytest.mark.parametrize(
    ("old", "new", "expected", "words"),
    [
        ('name: "fc"', 'name: "fc_old"', ("deploy-layer-without-weights", "fc_old"), 'write `name: "fc"`'),
        ("num_output: 16", "num_output: 32", ("deploy-weights-do-not-fit", "conv2"), "write `num_output: 16`"),
        ("kernel_size: 3 weight", "kernel_size: 5 weight", ("deploy-weights-do-not-fit", "conv2"), "kernel_size: 5"),
        ("num_output: 5", "num_output: 5 bias_term: false", ("deploy-weights-do-not-fit", "fc"), "1 blob of weights"),
        ("pool: MAX", "pool: AVE", ("deploy-layer-differs", "pool1"), "write `pool: MAX`"),
        ("dim: 1 dim: 3", "dim: 1 dim: 1", ("deploy-weights-do-not-fit", "conv1"), "8 x 3 x 3 x 3"),
        ('"relu2" type: "ReLU"', '"relu2" type: "TanH"', ("deploy-layer-differs", "relu2"), 'write `type: "ReLU"`'),
        ("scale_param { bias_term: true }", "", ("deploy-weights-do-not-fit", "scale1"), "bias_term"),
        ('"bn1" type: "BatchNorm"', '"bn1" type: "BatchNorm" batch_norm_param { eps: 0.1 }',
         ("deploy-layer-differs", "bn1"), "eps"),
    ],
)  # fmt: skip
def test_one_setting_otherwise(
    tmp_path: Path, old: str, new: str, expected: tuple[str, str], words: str
) -> None:
    (found,) = said(tmp_path, changed(old, new))
    assert (found.name, found.layer) == expected
    assert words in found.message
    assert Path(found.place.source.path).name == "deploy.prototxt"


def test_what_only_follows_from_another_difference_is_left_out(tmp_path: Path) -> None:
    assert names(said(tmp_path, changed("num_output: 8", "num_output: 4"))) == [("deploy-weights-do-not-fit", "conv1")]


@pytest.mark.parametrize("layer", ["bn1", "scale1", "relu1", "pool1", "relu2"])
def test_a_layer_that_is_missing(tmp_path: Path, layer: str) -> None:
    deploy = without(layer).replace('bottom: "pool1"', 'bottom: "conv1"' if layer == "pool1" else 'bottom: "pool1"')
    if layer == "bn1":  # else all normalisation were gone, as where it is merged
        deploy += 'layer { name: "extra" type: "BatchNorm" bottom: "prob" top: "extra" batch_norm_param { } }\n'
    assert ("deploy-layer-missing", layer) in names(said(tmp_path, deploy))


def test_normalisation_that_is_merged_into_the_weights_may_go(tmp_path: Path) -> None:
    train = changed("num_output: 8", "num_output: 8 bias_term: false", DATA + BODY + LOSS)
    assert said(tmp_path, without("bn1", without("scale1")), train) == []


def test_a_layer_that_only_the_deploy_net_has_between_two(tmp_path: Path) -> None:
    extra = 'layer { name: "extra" type: "TanH" bottom: "pool1" top: "pool1" }\nlayer { name: "conv2"'
    assert names(said(tmp_path, changed('layer { name: "conv2"', extra))) == [("deploy-layer-inserted", "extra")]


def test_the_deploy_net_of_another_net_is_said_once(tmp_path: Path) -> None:
    deploy = INPUT + BODY.replace('name: "', 'name: "old_')
    (found,) = said(tmp_path, deploy)
    assert found.name == "deploy-layer-without-weights"
    assert "the deploy net of another net" in found.message


def test_a_grouped_convolution_is_the_depthwise_one_under_another_name(tmp_path: Path) -> None:
    train = changed("num_output: 16", "num_output: 8 group: 8", DATA + BODY + LOSS)
    deploy = changed(
        '"conv2" type: "Convolution"',
        '"conv2" type: "DepthwiseConvolution"',
        changed("num_output: 16", "num_output: 8 group: 8"),
    )
    assert said(tmp_path, deploy, train) == []


def test_pooling_of_the_whole_map_may_be_written_either_way(tmp_path: Path) -> None:
    whole = 'layer { name: "global" type: "Pooling" bottom: "conv2" top: "conv2g" pooling_param { pool: AVE %s } }\n'
    fc = BODY.replace('"fc" type: "InnerProduct" bottom: "conv2"', '"fc" type: "InnerProduct" bottom: "conv2g"')
    at = fc.index('layer { name: "fc"')
    train, deploy = (fc[:at] + whole % how + fc[at:] for how in ("kernel_size: 6", "global_pooling: true"))
    assert said(tmp_path, INPUT + deploy + PROB, DATA + train + LOSS) == []


def test_channels_that_only_the_name_of_the_data_tells(tmp_path: Path) -> None:
    mean = 'mean_file: "ilsvrc12/imagenet_mean.binaryproto"'
    train = changed("mean_value: [104, 117, 123]", mean, DATA + BODY + LOSS)
    (found,) = said(tmp_path, changed("dim: 1 dim: 3", "dim: 1 dim: 1"), train)
    assert (found.name, found.layer) == ("deploy-weights-do-not-fit", "conv1")
    assert "imagenet_mean.binaryproto" in found.message


def test_a_layer_missing_before_the_loss(tmp_path: Path) -> None:
    squash = 'layer { name: "squash" type: "Sigmoid" bottom: "fc" top: "fc" }\n'
    loss = 'layer { name: "loss" type: "EuclideanLoss" bottom: "fc" bottom: "label" top: "loss" }\n'
    assert names(said(tmp_path, INPUT + BODY, DATA + BODY + squash + loss)) == [("deploy-layer-missing", "squash")]


def test_a_bilinear_upsampling_needs_no_weights(tmp_path: Path) -> None:
    up = """layer { name: "up" type: "Deconvolution" bottom: "conv2" top: "up"
      convolution_param { num_output: 16 group: 16 kernel_size: 4 stride: 2 bias_term: false
        weight_filler { type: "bilinear" } } }\n"""
    assert said(tmp_path, INPUT + BODY + PROB + up) == []


def test_what_training_does_to_its_pixels(tmp_path: Path) -> None:
    said(tmp_path, INPUT + BODY + PROB)
    report = engine.check([str(tmp_path / "solver.prototxt")])
    (found,) = [one for one in report.findings if one.name == "deploy-input-unprepared"]
    assert "takes 104, 117, 123 off" in found.message


ALL_IN_ONE = (
    DATA.replace('type: "Data"', 'type: "Data" exclude { stage: "deploy" }')
    + INPUT.replace('type: "Input"', 'type: "Input" include { stage: "deploy" }')
    + BODY
)


def test_a_net_for_all_stages_whose_loss_stays_in_the_deploy_net(tmp_path: Path) -> None:
    found = said(tmp_path, "", ALL_IN_ONE + LOSS)
    assert names(found) == [("deploy-stage-refused", "loss")]


def test_a_net_for_all_stages_that_is_right(tmp_path: Path) -> None:
    loss = LOSS.replace('type: "Soft', 'exclude { stage: "deploy" } type: "Soft')
    assert said(tmp_path, "", ALL_IN_ONE + loss) == []

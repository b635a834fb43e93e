"""What forks' own layers do with bad settings, and that good ones are left in peace."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.caffe.load import load_net
from nanlint.caffe.model import Layer, Net
from nanlint.caffe.options import Options
from nanlint.findings import Effect, Severity
from nanlint.rules import detection, fork_layers
from nanlint.rules.normalization import unsafe_eps
from nanlint.schema.dialect import Dialect
from tests.rules.nets import data, layer, solver, train_net

CLASSES = "inner_product_param { num_output: 7 }"


def last(net: Net) -> Layer:
    return net.layers[-1]


@pytest.mark.parametrize(
    ("type_name", "settings", "problems"),
    [
        ("Normalize", "norm_param { eps: 0 }", 1),
        ("Normalize", "norm_param { eps: 1e-60 }", 1),
        ("Normalize", "norm_param { across_spatial: false }", 0),
        ("BN", "bn_param { eps: 0 }", 1),
        ("BN", "bn_param { eps: 1e-5 }", 0),
    ],
)
def test_a_divisor_needs_its_eps(tmp_path: Path, type_name: str, settings: str, problems: int) -> None:
    net = train_net(tmp_path, data(2, 3, 4, 4) + layer(type_name, "x", "n", settings))
    assert len([*fork_layers.norm_without_eps(last(net))]) == problems


def test_what_bvlc_caffe_lacks_is_not_judged_where_it_is_pinned(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(data(2, 3, 4, 4) + layer("Normalize", "x", "n", "norm_param { eps: 0 }"))
    [net, *_] = load_net(str(path), Options(dialect=Dialect.BVLC))
    assert not [*fork_layers.norm_without_eps(last(net))]


def test_nvidia_takes_a_larger_eps_by_itself(tmp_path: Path) -> None:
    net = train_net(tmp_path, data(2, 3) + layer("BatchNorm", "x", "n", "batch_norm_param { scale_bias: true eps: 0 }"))
    assert not [*unsafe_eps(last(net))]


@pytest.mark.parametrize(("sigma", "problems"), [("0", 1), ("1e-30", 1), ("3", 0), ("1e30", 0)])
def test_only_a_sigma_of_zero_is_bad(tmp_path: Path, sigma: str, problems: int) -> None:
    net = train_net(
        tmp_path,
        data(2, 8)
        + data(2, 8, name="t")
        + layer("SmoothL1Loss", "x t", "l", f"smooth_l1_loss_param {{ sigma: {sigma} }}"),
    )
    assert len([*fork_layers.zero_sigma(last(net))]) == problems


def boxes(folder: Path, settings: str, loss: str = "") -> Layer:
    inputs = "".join(data(1, 8, name=name) for name in ("loc", "conf", "prior", "label"))
    settings = f"multibox_loss_param {{ num_classes: 2 {settings} }} loss_param {{ {loss} }}"
    return last(train_net(folder, inputs + layer("MultiBoxLoss", "loc conf prior label", "l", settings)))


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        ("", 0),
        ("neg_pos_ratio: 0", 1),
        ("neg_overlap: 0", 1),
        ("neg_pos_ratio: 0 mining_type: NONE", 0),
        ("neg_pos_ratio: 0 do_neg_mining: false", 0),
        ("overlap_threshold: 1.5", 1),
        ("overlap_threshold: 1.5 match_type: BIPARTITE", 0),
    ],
)
def test_boxes_to_learn_from(tmp_path: Path, settings: str, problems: int) -> None:
    assert len([*fork_layers.multi_box_without_examples(boxes(tmp_path, settings))]) == problems


@pytest.mark.parametrize(
    ("settings", "loss", "problems"),
    [
        ("", "", 0),
        ("", "normalization: NONE", 1),
        ("mining_type: NONE", "", 1),
        ("mining_type: NONE", "normalization: FULL", 0),
        ("mining_type: NONE conf_loss_type: LOGISTIC", "", 0),
    ],
)
def test_the_sum_over_boxes(tmp_path: Path, settings: str, loss: str, problems: int) -> None:
    assert len([*fork_layers.multi_box_sum(boxes(tmp_path, settings, loss))]) == problems


def centers(settings: str) -> str:
    return (
        data(4, 5)
        + data(4, name="y", filler='type: "constant"')
        + layer("InnerProduct", "x", "score", CLASSES)
        + layer("SoftmaxWithLoss", "score y", "loss")
        + layer("CenterLoss", "x y", "center", settings)
    )


@pytest.mark.parametrize(("weight", "problems"), [("", 1), ("loss_weight: 2", 1), ("loss_weight: 0.008", 0)])
def test_the_weight_of_the_center_loss(tmp_path: Path, weight: str, problems: int) -> None:
    net = train_net(tmp_path, centers(f"{weight} center_loss_param {{ num_output: 7 }}"))
    assert len([*fork_layers.center_loss_weight(last(net))]) == problems


@pytest.mark.parametrize(("number", "problems"), [(6, 1), (7, 0), (9, 0)])
def test_a_center_for_each_class(tmp_path: Path, number: int, problems: int) -> None:
    net = train_net(tmp_path, centers(f"center_loss_param {{ num_output: {number} }}"))
    assert len([*fork_layers.center_loss_classes(last(net))]) == problems


@pytest.mark.parametrize(("rate", "problems"), [("0.1", 0), ("2", 1)])
def test_centers_that_overshoot(tmp_path: Path, rate: str, problems: int) -> None:
    settings = f"base_lr: {rate} lr_policy: 'fixed' max_iter: 9"
    found = fork_layers.center_rate(solver(tmp_path, centers("center_loss_param { num_output: 7 }"), settings))
    assert len([*found]) == problems


@pytest.mark.parametrize(
    ("weights", "effect"),
    [
        ([1, 2, 3, 4, 5, 6, 7], None),
        ([1, 2], Effect.SETUP_FAILURE),
        ([1, 2, -3, 4, 5, 6, 7], Effect.DIVERGENCE),
        ([0] * 7, Effect.NO_LEARNING),
    ],
)
def test_class_weights(tmp_path: Path, weights: list[int], effect: Effect | None) -> None:
    written = " ".join(f"class_weighting: {weight}" for weight in weights)
    loss = f"loss_param {{ weight_by_label_freqs: true {written} }}"
    net = train_net(
        tmp_path,
        data(4, 5)
        + data(4, name="y")
        + layer("InnerProduct", "x", "score", CLASSES)
        + layer("SoftmaxWithLoss", "score y", "loss", loss),
    )
    assert [problem.effect for problem in fork_layers.class_weights(last(net))] == ([effect] if effect else [])


def regions(folder: Path, settings: str, strides: str = "2 2 2 2") -> Layer:
    text, below = data(1, 3, 64, 64) + data(8, 5, name="rois"), "x"
    for i, stride in enumerate(strides.split()):
        text += layer("Pooling", below, f"p{i}", f"pooling_param {{ kernel_size: 2 stride: {stride} }}")
        below = f"p{i}"
    settings = f"roi_pooling_param {{ pooled_w: 2 pooled_h: 2 {settings} }}"
    return last(train_net(folder, text + layer("ROIPooling", f"{below} rois", "roi", settings)))


@pytest.mark.parametrize(
    ("settings", "strides", "problems"),
    [
        ("spatial_scale: 0.0625", "2 2 2 2", 0),
        ("spatial_scale: 0.0625", "2 2 2", 1),
        ("spatial_scale: 0.03125", "2 2 2 2", 1),
        ("", "2", 1),
    ],
)
def test_regions_on_the_scale_of_the_map(tmp_path: Path, settings: str, strides: str, problems: int) -> None:
    assert len([*detection.region_scale(regions(tmp_path, settings, strides))]) == problems


def test_the_message_about_the_scale_names_both_numbers(tmp_path: Path) -> None:
    [problem] = detection.region_scale(regions(tmp_path, "spatial_scale: 0.125"))
    assert problem.message == (
        "`spatial_scale: 0.125` of `roi` says that the image is 8 times as large as `p3`, but the strides below "
        "multiply to 16, so regions are pooled at the wrong place; write `spatial_scale: 0.0625`"
    )


def test_no_scale_is_known_above_an_input_that_is_missing(tmp_path: Path) -> None:
    settings = "roi_pooling_param { pooled_w: 2 pooled_h: 2 spatial_scale: 0.5 }"
    net = train_net(tmp_path, data(8, 5, name="rois") + layer("ROIPooling", "gone rois", "roi", settings))
    assert not [*detection.region_scale(last(net))]


@pytest.mark.parametrize(("classes", "problems"), [(7, 0), (5, 0), (21, 1)])
def test_labels_of_a_python_layer(tmp_path: Path, classes: int, problems: int) -> None:
    settings = f"module: 'roi_data_layer.layer' layer: 'RoIDataLayer' param_str: \"'num_classes': {classes}\""
    net = train_net(
        tmp_path,
        data(4, 5)
        + f'layer {{ name: "rois" type: "Python" top: "y" python_param {{ {settings} }} }}\n'
        + layer("InnerProduct", "x", "score", CLASSES)
        + layer("SoftmaxWithLoss", "score y", "loss"),
    )
    assert len([*detection.fewer_scores_than_classes(last(net))]) == problems


@pytest.mark.parametrize(("settings", "problems"), [("gamma: 2 alpha: 0.25", 0), ("gamma: -1", 1), ("alpha: 0", 1)])
def test_the_domain_of_the_focal_loss(tmp_path: Path, settings: str, problems: int) -> None:
    text = data(2, 3) + data(2, name="y") + layer("FocalLoss", "x y", "l", f"focal_loss_param {{ {settings} }}")
    assert len([*train_net(tmp_path, text).found("value-out-of-range")]) == problems


@pytest.mark.parametrize(("weights", "problems"), [("", 1), ("inside_weights outside_weights", 0)])
def test_boxes_are_compared_with_their_weights(tmp_path: Path, weights: str, problems: int) -> None:
    tops = " ".join(f'top: "{top}"' for top in ("targets", "inside_weights", "outside_weights"))
    source = f'layer {{ name: "rois" type: "Python" {tops} python_param {{ module: "m" layer: "L" }} }}\n'
    net = train_net(tmp_path, data(4, 8) + source + layer("SmoothL1Loss", f"x targets {weights}", "loss"))
    assert len([*detection.unweighted_box_loss(last(net))]) == problems


@pytest.mark.parametrize(("numbers", "problems"), [(28, 0), (84, 1)])
def test_boxes_of_as_many_classes_as_the_data_layer_has(tmp_path: Path, numbers: int, problems: int) -> None:
    tops = " ".join(f'top: "t{i}"' for i in range(6))
    settings = "module: 'roi_data_layer.layer' layer: 'RoIDataLayer' param_str: \"'num_classes': 7\""
    source = f'layer {{ name: "rois" type: "Python" {tops} python_param {{ {settings} }} }}\n'
    net = train_net(tmp_path, source + data(4, numbers) + layer("SmoothL1Loss", "x t3 t4 t5", "loss"))
    assert len([*net.found("shape-mismatch")]) == problems


def test_forks_have_layers_with_more_tops(tmp_path: Path) -> None:
    text = data(4, 7) + data(4, name="y") + layer("SoftmaxWithLoss", "x y", "l", 'top: "m" top: "n"')
    [problem] = train_net(tmp_path, text).found("wrong-top-count")
    assert problem.severity is None
    [problem] = train_net(tmp_path, text + layer("ReLU6", "x", "r")).found("wrong-top-count")
    assert problem.severity is Severity.INFO


def test_a_python_layer_may_have_parameters(tmp_path: Path) -> None:
    settings = "param { lr_mult: 0 } python_param { module: 'm' layer: 'L' }"
    net = train_net(tmp_path, data(4, 7) + layer("Python", "x", "p", settings))
    assert net.problems == []
    assert [learned.lr_mult for learned in net.params] == [0]

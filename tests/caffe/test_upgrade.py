"""Old formats made new (upgrade_proto.cpp), with the places where their authors wrote them."""

from __future__ import annotations

import pytest

from nanlint.caffe.upgrade import UpgradedNet, upgrade_net
from nanlint.caffe.upgrade_v1 import type_name
from nanlint.schema.bind import Bound, bind
from nanlint.schema.descriptors import enum
from nanlint.text.parser import parse
from nanlint.text.source import Source
from tests.caffe.one_net import kinds, net


def bound(text: str) -> Bound:
    return bind(parse(Source("net.prototxt", text)), "NetParameter")


def upgraded(text: str) -> UpgradedNet:
    return upgrade_net(bound(text))


def test_a_net_of_today_is_used_as_it_is() -> None:
    written = bound('layer { name: "a" type: "ReLU" }')
    assert upgrade_net(written).param is written.message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CONVOLUTION", "Convolution"),
        ("SOFTMAX_LOSS", "SoftmaxWithLoss"),
        ("SIGMOID_CROSS_ENTROPY_LOSS", "SigmoidCrossEntropyLoss"),
        ("HDF5_DATA", "HDF5Data"),
        ("TANH", "TanH"),
        ("LRN", "LRN"),
        ("NONE", ""),
    ],
)
def test_v1_types(old: str, new: str) -> None:
    assert type_name(enum("V1LayerParameter.LayerType").values_by_name[old].number) == new


def test_v1_lists_become_param_specs() -> None:
    text = """layers { name: "c" type: CONVOLUTION bottom: "x" top: "c" param: "w" blobs_lr: 1 blobs_lr: 2
      weight_decay: 0 blob_share_mode: PERMISSIVE loss_weight: 3 convolution_param { num_output: 4 } }"""
    (layer,) = upgraded(text).layers
    assert [(spec.name, spec.lr_mult, spec.decay_mult, spec.share_mode) for spec in layer.param.param] == [
        ("w", 1, 0, 1),
        ("", 2, 1, 0),
    ]
    assert layer.param.convolution_param.num_output == 4
    assert list(layer.param.loss_weight) == [3]


def test_a_v1_field_keeps_its_place() -> None:
    (layer,) = upgraded("layers { name: 'c'\n type: CONVOLUTION\n blobs_lr: 1\n blobs_lr: 2 }").layers
    assert layer.origin.place("param[1].lr_mult").route == "layers[0].blobs_lr[1]"
    assert layer.origin.place("param[1].lr_mult").start.line == 4
    assert layer.origin.place("type").start.line == 2


def test_transform_fields_move_out_of_v1_data_layers_and_win() -> None:
    data = "data_param { scale: 0.5 mirror: true }"
    text = f"layers {{ type: DATA {data} transform_param {{ scale: 2 crop_size: 7 }} }}"
    (layer,) = upgraded(text).layers
    moved = layer.param.transform_param
    assert (moved.scale, moved.mirror, moved.crop_size) == (0.5, True, 7)
    assert not layer.param.data_param.HasField("scale")
    assert layer.origin.place("transform_param.scale").route == "layers[0].data_param.scale"


def test_old_and_new_layers_do_not_mix() -> None:
    mixed = upgraded('layers { name: "a" type: RELU } layer { name: "b" type: "ReLU" } layers { name: "c" }')
    assert [problem.kind for problem in mixed.problems] == ["conflicting-fields"]
    assert [layer.param.name for layer in mixed.layers] == ["a", "b", "c"]


def test_v0_fields_go_where_the_type_has_them() -> None:
    text = """layers { layer { name: "c" type: "conv" num_output: 4 kernelsize: 3 stride: 2 biasterm: false
      blobs_lr: 1 } bottom: "x" top: "c" }"""
    (layer,) = upgraded(text).layers
    param = layer.param.convolution_param
    assert layer.param.type == "Convolution"
    assert (param.num_output, list(param.kernel_size), list(param.stride), param.bias_term) == (
        4,
        [3],
        [2],
        False,
    )
    assert layer.origin.place("convolution_param.kernel_size[0]").route == "layers[0].layer.kernelsize"
    assert layer.origin.place("param[0].lr_mult").route == "layers[0].layer.blobs_lr[0]"


def test_v0_drops_what_stands_beside_the_inner_block() -> None:
    net_of = upgraded(
        'input_shape { dim: 1 } layers { layer { name: "r" type: "relu" num_output: 3 } loss_weight: 2 }'
    )
    assert [(problem.kind, problem.place.route) for problem in net_of.problems] == [
        ("ignored-field", "input_shape[0]"),
        ("ignored-field", "layers[0].loss_weight"),
        ("ignored-field", "layers[0].layer.num_output"),
    ]


PADDED = """input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
layers {{ layer {{ name: "p" type: "padding" pad: 2 }} bottom: "x" top: "p" }}
layers {{ layer {{ name: "c" type: "{}" num_output: 4 kernelsize: 3 pad: 1 }} bottom: "p" top: "c" }}"""


def test_a_v0_padding_layer_goes_into_the_convolution() -> None:
    built = net(PADDED.format("conv"))
    assert not built.problems
    assert [layer.name for layer in built.layers] == ["input", "c"]
    assert built.layers[1].tops[0].shape == (1, 4, 10, 10)


def test_a_v0_padding_layer_goes_nowhere_else() -> None:
    assert "invalid-padding-layer" in kinds(net(PADDED.format("innerproduct")))


def test_batch_norm_with_three_specs_is_frozen() -> None:
    (layer,) = upgraded(
        'layer { type: "BatchNorm" param { } param { lr_mult: 1 } param { decay_mult: 2 } }'
    ).layers
    assert [(spec.lr_mult, spec.decay_mult) for spec in layer.param.param] == [(0, 0)] * 3


def test_each_input_needs_a_shape() -> None:
    assert [p.kind for p in upgraded('input: "a" input: "b" input_shape { dim: 1 }').problems] == [
        "missing-input-shape"
    ]
    assert [p.kind for p in upgraded('input: "a" input_dim: 1').problems] == ["missing-input-shape"]
    assert not upgraded('input: "a" input_shape { dim: 1 } input_shape { dim: 1 }').problems


def test_the_written_message_stays_as_it_was() -> None:
    written = bound("layers { name: 'r' type: RELU blobs_lr: 1 }")
    before = written.message.SerializeToString()
    upgrade_net(written)
    assert written.message.SerializeToString() == before

"""Which layers make one node, and what is an edge."""

from __future__ import annotations

from pathlib import Path

from nanlint.view import look
from nanlint.view.nodes import picture
from tests.view import nets


def names(tmp_path: Path, text: str) -> list[list[str]]:
    drawn = picture(nets.built(tmp_path, text))
    return [[layer.name for layer in node.layers] or [f"({node.label})"] for node in drawn.nodes]


def test_what_works_in_place_joins_the_layer_before_it(tmp_path: Path) -> None:
    assert names(tmp_path, nets.chain(1)) == [["data"], ["c0", "c0_relu"]]


def test_a_chain_of_names_of_its_own_joins_too(tmp_path: Path) -> None:
    text = nets.INPUT + nets.conv("c", "data") + 'layer { name: "bn" type: "BatchNorm" bottom: "c" top: "n" }'
    assert names(tmp_path, text) == [["data"], ["c", "bn"]]


def test_a_convolution_begins_a_node_though_it_keeps_the_shape(tmp_path: Path) -> None:
    assert names(tmp_path, nets.INPUT + nets.conv("a", "data") + nets.conv("b", "a")) == [["data"], ["a"], ["b"]]


def test_a_blob_that_two_layers_read_ends_a_node(tmp_path: Path) -> None:
    text = nets.INPUT + nets.conv("c", "data") + 'layer { name: "p" type: "TanH" bottom: "c" top: "t" }'
    assert ["c"] in names(tmp_path, text + nets.join("Eltwise", "sum", "c", "t"))


def test_a_label_is_named_at_its_loss_instead_of_an_edge_along_the_net(tmp_path: Path) -> None:
    text = (
        'layer { name: "data" type: "Input" top: "data" top: "label" '
        "input_param { shape { dim: 2 dim: 16 dim: 4 dim: 4 } shape { dim: 2 } } }"
        + nets.conv("a", "data")
        + nets.conv("b", "a")
        + nets.join("SoftmaxWithLoss", "loss", "b", "label")
    )
    drawn = picture(nets.built(tmp_path, text))
    assert [node.label for node in drawn.nodes if not node.layers] == ["label"]


def test_a_shortcut_from_the_data_is_an_edge(tmp_path: Path) -> None:
    assert all(node.layers for node in picture(nets.built(tmp_path, nets.residual(1))).nodes)


def test_a_node_says_what_decides_about_its_shape(tmp_path: Path) -> None:
    pool = 'layer { name: "p" type: "Pooling" bottom: "c0" top: "p" pooling_param { '
    pool += "pool: AVE kernel_h: 2 kernel_w: 3 stride: 2 } }"
    layers = nets.built(tmp_path, nets.chain(1) + pool).layers
    assert look.types(layers[1:3]) == "Conv 3x3 16+ReLU"
    assert look.types(layers[3:]) == "Pooling 2x3/2 AVE"
    assert [look.kind([layer]) for layer in layers] == ["source", "weights", "plain", "shape"]

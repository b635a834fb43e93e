"""Drawings as they are: where nodes lie, where edges run, and that nothing is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nanlint import api
from nanlint.caffe.model import Net
from nanlint.view.draw import Marks, document
from nanlint.view.fold import Folded, folded, plain
from nanlint.view.nodes import Picture, picture
from tests.view import nets

Fold = Callable[[Picture], Folded]
GENERATED = {
    "a chain": nets.chain(4),
    "residual blocks": nets.residual(12),
    "inception blocks with heads": nets.inception(8),
    "dense blocks": nets.dense(3),
}
REAL = {
    "ResNet-152": "KaimingHe+deep-residual-networks/prototxt/ResNet-152-deploy.prototxt",
    "SENet-154": "hujie-frank+SENet/models/SENet-154.prototxt",
    "GoogLeNet": "yjxiong+caffe/@conv_map/models/googlenet/train_val4.prototxt",
}


@pytest.fixture(params=GENERATED)
def net(request: pytest.FixtureRequest, tmp_path: Path) -> Net:
    return nets.built(tmp_path, GENERATED[request.param])


@pytest.mark.parametrize("fold", [folded, plain])
class TestEveryDrawing:
    def test_has_no_node_over_another_and_no_edge_through_one(self, net: Net, fold: Fold) -> None:
        drawn = nets.drawing(document(fold(picture(net)), Marks()))
        assert (drawn.overlaps, drawn.clipped) == (0, 0)

    def test_shows_every_layer_once(self, net: Net, fold: Fold) -> None:
        drawn = nets.drawing(document(fold(picture(net)), Marks()))
        assert sorted(drawn.layers) == [layer.index for layer in net.layers]


@pytest.mark.slow
@pytest.mark.parametrize("text", [nets.chain(1000), nets.dense(40, 24)], ids=["a chain", "dense blocks"])
def test_nets_of_two_thousand_layers_are_drawn_whole_and_clear(text: str, tmp_path: Path) -> None:
    net = nets.built(tmp_path, text)
    for fold in (folded, plain):
        drawn = nets.drawing(document(fold(picture(net)), Marks()))
        assert (drawn.overlaps, drawn.clipped) == (0, 0)
        assert sorted(drawn.layers) == [layer.index for layer in net.layers]


@pytest.mark.slow
@pytest.mark.parametrize("fold", [folded, plain])
@pytest.mark.parametrize("name", REAL)
def test_real_nets_are_drawn_whole_and_clear(name: str, fold: Fold, shared: Path) -> None:
    for net in api.load(shared / "corpus" / REAL[name]).nets:
        drawn = nets.drawing(document(fold(picture(net)), Marks()))
        assert (drawn.overlaps, drawn.clipped) == (0, 0)
        assert sorted(drawn.layers) == [layer.index for layer in net.layers]


def test_the_spine_of_a_residual_net_is_straight(tmp_path: Path) -> None:
    drawn = nets.drawing(document(plain(picture(nets.built(tmp_path, nets.residual(5)))), Marks()))
    assert len({box.left for box in drawn.boxes}) == 1


def test_names_are_text_whatever_they_hold(tmp_path: Path) -> None:
    hostile = '<script>alert(1)</script>", \\"&amp;\u202e\x07' + "x" * 10_000
    text = nets.INPUT + nets.conv("plain", "data").replace('name: "plain"', f"name: '{hostile}'")
    svg = document(plain(picture(nets.built(tmp_path, text))), Marks())
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "\u202e" not in svg
    assert len(svg) < 6_000


def test_a_node_shows_the_worst_finding_of_its_layers_also_of_those_folded_away(tmp_path: Path) -> None:
    net = nets.built(tmp_path, nets.chain(6))
    last = net.layers[-1]
    svg = document(folded(picture(net)), Marks(severities={last: "warning", net.layers[1]: "info"}))
    assert svg.count('class="n weights warning"') == 1
    assert "× 6" in svg

"""How nets hang together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from nanlint.caffe.model import Net
from nanlint.findings import Problem
from nanlint.rules import graph
from tests.caffe.one_net import LOSS, data, inner_product, layer, net
from tests.rules.nets import layers_found
from tests.rules.solving import LINE, found

RUN = 'lr_policy: "fixed" base_lr: 0.1 max_iter: 20 '

XY = data("2 3", "2")
IP = inner_product("x", "h")
SOUND = XY + IP + LOSS


@pytest.mark.parametrize(
    ("rule", "text", "layers"),
    [
        (graph.duplicate_layer_name, SOUND + IP.replace('top: "h"', 'top: "g"'), ["h"]),
        (graph.duplicate_layer_name, SOUND, []),
        (graph.phase_is_no_rule, XY.replace('name: "data"', 'name: "data" phase: TEST'), ["data"]),
        (graph.unused_top, SOUND + layer("Power", "x", "p"), ["p"]),
        (graph.unused_top, SOUND + layer("Accuracy", "h y", "a"), []),
    ],
)
def test_how_nets_hang_together(
    rule: Callable[[Net], Iterable[Problem]], text: str, layers: list[str]
) -> None:
    assert layers_found(rule, net(text)) == layers


def test_a_test_net_with_other_weights(tmp_path: Path) -> None:
    start, end = LINE.index('layer {\n  name: "ip"'), LINE.index('layer { name: "loss"')
    layer = LINE[start:end]
    both = layer.replace('"InnerProduct"', '"InnerProduct" include { phase: TRAIN }')
    both += layer.replace("bias_term: false", "").replace('"InnerProduct"', '"InnerProduct" include { phase: TEST }')
    net = LINE[:start] + both + LINE[end:]
    assert "error test-net-mismatch" in found(tmp_path, RUN + "test_iter: 1 test_interval: 5", net)
    assert "error test-net-mismatch" not in found(tmp_path, RUN, net)

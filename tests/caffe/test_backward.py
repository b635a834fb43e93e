"""Which layers run backward, and to which bottoms (the end of Net::Init)."""

from __future__ import annotations

from nanlint.caffe.model import Net
from tests.caffe.one_net import LOSS, data, inner_product, layer, net

XY = data("2 3", "2")


def backward(text: str) -> dict[str, list[bool]]:
    """The layers that run backward, with what each passes to its bottoms."""
    built: Net = net(text)
    assert not built.refused, built.problems
    return {one.name: one.propagates for one in built.layers if one.runs_backward}


def test_between_a_parameter_and_a_loss() -> None:
    text = XY + layer("Power", "x", "p") + inner_product("p", "g") + layer("ReLU", "g", "h") + LOSS
    assert backward(text) == {"g": [False], "h": [True], "loss": [True, False]}


def test_a_frozen_layer_passes_the_gradient_on() -> None:
    frozen = "param { lr_mult: 0 } param { lr_mult: 0 }"
    text = XY + inner_product("x", "g") + inner_product("g", "h", settings=frozen) + LOSS
    assert backward(text) == {"g": [False], "h": [True], "loss": [True, False]}


def test_nothing_to_learn_runs_nothing() -> None:
    assert (
        backward(XY + inner_product("x", "h", settings="param { lr_mult: 0 } param { lr_mult: 0 }") + LOSS)
        == {}
    )


def test_what_leads_to_no_loss_does_not_run() -> None:
    assert "extra" not in backward(XY + inner_product("x", "h") + inner_product("x", "extra") + LOSS)


def test_propagate_down_stops_what_is_below() -> None:
    text = XY + inner_product("x", "g") + inner_product("g", "h", settings="propagate_down: false") + LOSS
    assert backward(text) == {"h": [False], "loss": [True, False]}


def test_force_backward_asks_for_all_but_the_labels() -> None:
    text = "force_backward: true " + XY + layer("Power", "x", "h") + LOSS
    assert backward(text) == {"data": [], "h": [True], "loss": [True, False]}


def test_a_loss_that_only_a_dead_end_reads_is_left_out() -> None:
    text = XY + inner_product("x", "h") + LOSS
    assert backward(text + layer("Silence", "loss")) == {}
    assert "loss" in backward(
        text.replace('top: "loss"', 'top: "loss" loss_weight: 1') + layer("Silence", "loss")
    )


def test_batch_norm_makes_layers_above_it_run() -> None:
    specs = "param { lr_mult: 0 } " * 3
    assert "h" in backward(XY + layer("BatchNorm", "x", "b") + layer("Power", "b", "h") + LOSS)
    assert "h" not in backward(XY + layer("BatchNorm", "x", "b", specs) + layer("Power", "b", "h") + LOSS)

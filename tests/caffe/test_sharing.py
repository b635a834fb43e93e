"""Parameters that layers share by name (Net::AppendParam)."""

from __future__ import annotations

import pytest

from tests.caffe.one_net import data, inner_product, kinds, net

X = data("2 3", tops="x")


def shared(first: str, second: str, outputs: int = 3) -> str:
    return (
        X
        + inner_product("x", "a", 3, f'param {{ name: "w" {first} }}')
        + inner_product("a", "b", outputs, f'param {{ name: "w" {second} }}')
    )


@pytest.mark.parametrize(
    ("first", "second", "rate"),
    [("", "", 1), ("lr_mult: 2", "", 2), ("", "lr_mult: 3", 3), ("lr_mult: 2", "lr_mult: 2", 2)],
)
def test_a_multiplier_given_once_holds_for_both(first: str, second: str, rate: float) -> None:
    built = net(shared(first, second))
    assert not built.problems
    owner, _, sharer, _ = built.params
    assert sharer.owner is owner
    assert (owner.lr_mult, sharer.lr_mult) == (rate, rate) or (owner.lr_mult, rate) == (3, 3)


@pytest.mark.parametrize(
    ("first", "second"),
    [("lr_mult: 2", "lr_mult: 1"), ("decay_mult: 0", "decay_mult: 1"), ("lr_mult: nan", "lr_mult: nan")],
)
def test_a_multiplier_given_twice_must_be_the_same(first: str, second: str) -> None:
    assert kinds(net(shared(first, second))) == ["param-mismatch"]


def test_shapes_must_be_equal() -> None:
    assert kinds(net(shared("", "", outputs=4))) == ["param-mismatch"]


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [("", "share_mode: PERMISSIVE", []), ("share_mode: PERMISSIVE", "", ["param-mismatch"])],
)
def test_permissive_sharing_looks_at_the_count_alone_and_only_the_later_layer_can_say_so(
    first: str, second: str, found: list[str]
) -> None:
    text = data("2 4", tops="x") + inner_product("x", "a", 2, f'param {{ name: "w" {first} }}')
    assert kinds(net(text + inner_product("a", "b", 4, f'param {{ name: "w" {second} }}'))) == found


def test_the_message_names_both_layers() -> None:
    (problem,) = net(shared("lr_mult: 2", "lr_mult: 1")).problems
    assert "`b` shares the parameter `w` of `a` (net.prototxt:2)" in problem.message
    assert problem.related[0].place.route == "layer[1].param[0].lr_mult"

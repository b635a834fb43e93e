"""Where Caffe inserts Split layers (insert_splits.cpp)."""

from __future__ import annotations

from nanlint.caffe.splits import insert_splits
from nanlint.caffe.upgrade import upgrade_net
from nanlint.schema.bind import bind
from nanlint.text.parser import parse
from nanlint.text.source import Source
from tests.caffe.one_net import data, inner_product, kinds, layer, net


def steps(text: str) -> list[tuple[str, list[str], list[str], list[float]]]:
    bound = bind(parse(Source("net.prototxt", text)), "NetParameter")
    plan = insert_splits(upgrade_net(bound).layers)
    return [(step.name, step.bottoms, step.tops, step.loss_weights) for step in plan.steps]


X = data("2 3", tops="x")


def test_a_blob_with_one_reader_is_not_split() -> None:
    assert [name for name, *_ in steps(X + layer("ReLU", "x", "a"))] == ["data", "a"]


def test_each_reader_gets_an_output_of_the_split() -> None:
    assert steps(X + layer("ReLU", "x", "a") + layer("Exp", "x", "b"))[1:] == [
        ("x_data_0_split", ["x"], ["x_data_0_split_0", "x_data_0_split_1"], []),
        ("a", ["x_data_0_split_0"], ["a"], []),
        ("b", ["x_data_0_split_1"], ["b"], []),
    ]


def test_a_split_takes_over_the_loss_weight_as_its_first_output() -> None:
    weighted = inner_product("x", "h", settings="loss_weight: 2")
    assert steps(X + weighted + layer("Exp", "h", "b"))[1:] == [
        ("h", ["x"], ["h"], []),
        ("h_h_0_split", ["h"], ["h_h_0_split_0", "h_h_0_split_1"], [2.0, 0.0]),
        ("b", ["h_h_0_split_1"], ["b"], []),
    ]


def test_a_loss_weight_of_0_is_no_reader() -> None:
    weighted = inner_product("x", "h", settings="loss_weight: 0")
    assert [name for name, *_ in steps(X + weighted + layer("Exp", "h", "b"))] == ["data", "h", "b"]


def test_the_copy_is_of_the_version_that_is_read() -> None:
    text = X + layer("ReLU", "x", "x", name="relu") + layer("Exp", "x", "a") + layer("Exp", "x", "b")
    assert [name for name, *_ in steps(text)] == ["data", "relu", "x_relu_0_split", "a", "b"]


def test_a_name_that_a_copy_needs_may_not_be_taken() -> None:
    taken = layer("Exp", "x", "x_data_0_split_1", name="taken") + layer("Exp", "x", "b")
    assert kinds(net(X + taken)) == ["duplicate-top"]

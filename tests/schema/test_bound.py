from __future__ import annotations

import pytest

from nanlint.schema.bind import Bound, bind
from nanlint.text.parser import parse
from nanlint.text.source import Source
from nanlint.text.tree import Block, Scalar

TEXT = """\
name: "n"
layer {
  name: "pool1"
  pooling_param { pool: AVE stride: 2 }
  top: "a" top: "b"
  loss_weight: [1, 2] loss_weight: 3
}
layer [ { name: "x" }, { name: "y" } ]
"""


@pytest.fixture(scope="module")
def bound() -> Bound:
    return bind(parse(Source("net.prototxt", TEXT)), "NetParameter")


@pytest.mark.parametrize(
    ("route", "written", "value"),
    [
        ("name", 'name: "n"', '"n"'),
        ("layer[0].pooling_param.stride", "stride: 2", "2"),
        ("layer.pooling_param.stride", "stride: 2", "2"),
        ("layer[0].pooling_param", "pooling_param", "{ pool: AVE stride: 2 }"),
        ("layer[0].top[1]", 'top: "b"', '"b"'),
        ("layer[0].top", 'top: "a"', '"a"'),
        ("layer[0].loss_weight[1]", "2", "2"),
        ("layer[0].loss_weight[2]", "loss_weight: 3", "3"),
        ("layer[2].name", 'name: "y"', '"y"'),
    ],
)
def test_places_of_what_is_there(bound: Bound, route: str, written: str, value: str) -> None:
    assert TEXT[slice(*bound.place(route).span)] == written
    assert TEXT[slice(*bound.place(route, value=True).span)] == value
    assert bound.place(route).route == route


@pytest.mark.parametrize(
    ("route", "nearest"),
    [
        ("layer[0].pooling_param.kernel_size", "pooling_param"),
        ("layer[0].convolution_param.kernel_size[0]", "layer"),
        ("layer[0].top[2]", "layer"),
        ("layer[9].name", "name"),
        ("state", "name"),
        ("", "name"),
    ],
)
def test_what_is_missing_is_placed_at_the_nearest_block(bound: Bound, route: str, nearest: str) -> None:
    assert TEXT[slice(*bound.place(route).span)] == nearest
    assert TEXT[slice(*bound.place(route, value=True).span)] == nearest


def test_the_place_of_an_empty_file_is_its_start() -> None:
    empty = bind(parse(Source("net.prototxt", "\n# nothing\n")), "NetParameter")
    assert empty.place("layer").span == (0, 0)


def test_nodes_and_fields(bound: Bound) -> None:
    assert bound.node("") is bound.root
    assert isinstance(bound.node("layer[0].pooling_param"), Block)
    stride = bound.node("layer[0].pooling_param.stride")
    assert isinstance(stride, Scalar)
    assert stride.text == "2"
    assert bound.node("layer[0].pooling_param.pad") is None
    field = bound.field("layer[0].pooling_param.stride")
    assert field is not None
    assert field.name == "stride"
    assert bound.field("layer[7]") is None

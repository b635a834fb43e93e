"""From an offset to what stands there."""

from __future__ import annotations

import pytest

from nanlint.schema.lookup import described, layer_route
from nanlint.text.lookup import spot
from nanlint.text.parser import parse
from nanlint.text.source import Source

NET = 'name: "n"\nlayer { name: "a" }\nlayer {\n  pooling_param { stride: 2 }\n  top: ["x", "y"]\n}\n'


@pytest.mark.parametrize(
    ("word", "route", "on_name"),
    [
        ("stride", "layer[1].pooling_param[0].stride[0]", True),
        ("2", "layer[1].pooling_param[0].stride[0]", False),
        ('"y"', "layer[1].top[0]", False),
        ('"a"', "layer[0].name[0]", False),
    ],
)
def test_the_way_to_a_word(word: str, route: str, on_name: bool) -> None:
    found = spot(parse(Source("net.prototxt", NET)), NET.index(word) + 1)
    assert (found.route, found.on_name) == (route, on_name)


def test_between_fields_there_is_the_block_around() -> None:
    found = spot(parse(Source("net.prototxt", NET)), NET.index("  top"))
    assert found.field is None
    assert found.route == "layer[1]"


def test_an_offset_in_a_half_typed_file_finds_its_message() -> None:
    text = "layer {\n  pooling_param {\n    str"
    found = described(parse(Source("net.prototxt", text)), "NetParameter", len(text))
    assert found.message is not None
    assert found.message.name == "PoolingParameter"


def test_the_schema_of_a_place() -> None:
    found = described(parse(Source("net.prototxt", NET)), "NetParameter", NET.index("stride"))
    assert found.field is not None
    assert (found.field.name, found.route) == ("stride", "layer[1].pooling_param.stride")
    assert layer_route(found.route) == "layer[1]"
    assert layer_route("base_lr") is None

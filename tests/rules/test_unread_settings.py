"""Settings that a filler, or a layer, does not read."""

from __future__ import annotations

import pytest

from nanlint.rules.unread_settings import unread_filler_setting, unread_transform
from tests.caffe.one_net import data, layer, net


@pytest.mark.parametrize(
    ("filler", "meant"),
    [
        ('type: "gaussian" value: 0.01', "std: 0.01"),
        ('type: "constant" mean: 0.5', "value: 0.5"),
        ('type: "gaussian" std: 0.01', None),
        ('type: "uniform" min: -1 max: 1', None),
    ],
)
def test_a_number_under_the_wrong_name(filler: str, meant: str | None) -> None:
    settings = f"inner_product_param {{ num_output: 2 weight_filler {{ {filler} }} }}"
    built = net(data("2 3", tops="x") + layer("InnerProduct", "x", "h", settings))
    found = list(unread_filler_setting(built.layers[1]))
    assert [problem.fix.title for problem in found if problem.fix] == ([f"write `{meant}`"] if meant else [])


@pytest.mark.parametrize(
    ("type_name", "settings", "problems"),
    [
        ("Input", "input_param { shape { dim: 2 dim: 3 } }", 1),
        ("MemoryData", "memory_data_param { batch_size: 2 channels: 1 height: 2 width: 2 }", 0),
    ],
)
def test_data_that_are_not_transformed(type_name: str, settings: str, problems: int) -> None:
    tops = "x" if type_name == "Input" else "x y"
    built = net(layer(type_name, "", tops, settings + " transform_param { scale: 0.1 }"))
    found = list(unread_transform(built.layers[0]))
    assert len(found) == problems
    assert all("so its `scale` is not applied" in problem.message for problem in found)

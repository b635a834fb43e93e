"""The table of types and the classes agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.caffe import layers
from nanlint.caffe.layer_types import BVLC_TYPES, OPTIONAL_TYPES
from nanlint.caffe.layers import MODULES, layer_type
from tests.caffe.layers.test_shapes import KNOWN


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_listed_type_has_its_class(name: str) -> None:
    spec = layer_type(name)
    assert spec is not None
    assert type(spec).__name__ == name
    assert type(spec).__doc__


def test_all_types_of_caffe_1_0_are_listed() -> None:
    assert set(MODULES) >= set(BVLC_TYPES) | set(OPTIONAL_TYPES)


def test_an_unlisted_type_is_opaque() -> None:
    assert layer_type("NoSuchLayer") is None


def test_every_type_has_a_setup_test() -> None:
    assert {case[0] for case in KNOWN} >= set(BVLC_TYPES) | set(OPTIONAL_TYPES)


def test_no_module_is_left_without_a_type() -> None:
    helpers = {"__init__", "base", "convolve", "joined_axis", "loss", "sizes", "source_layers", "weights"}
    found = {path.stem for path in Path(layers.__path__[0]).glob("*.py")}
    assert found - helpers == set(MODULES.values())

"""The table of types and the classes agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.caffe import layers
from nanlint.caffe.layers import BVLC_TYPES, FORK_MODULES, MODULES, OPTIONAL_TYPES, layer_type
from tests.caffe.layers.test_fork_layers import FORKS
from tests.caffe.layers.test_shapes import KNOWN


@pytest.mark.parametrize("name", sorted({**MODULES, **FORK_MODULES}))
def test_every_listed_type_has_its_class(name: str) -> None:
    spec = layer_type(name)
    assert spec is not None
    assert type(spec).__name__ == name
    assert type(spec).__doc__


def test_all_types_of_caffe_1_0_are_listed() -> None:
    assert set(MODULES) >= set(BVLC_TYPES) | set(OPTIONAL_TYPES)


@pytest.mark.parametrize("name", sorted(FORK_MODULES))
def test_types_of_forks_are_unknown_to_bvlc(name: str) -> None:
    assert layer_type(name, bvlc=True) is None
    assert name not in MODULES


def test_an_unlisted_type_is_opaque() -> None:
    assert layer_type("NoSuchLayer") is None


def test_every_type_has_a_setup_test() -> None:
    tested = {case[0] for case in KNOWN}
    assert tested >= set(BVLC_TYPES) | set(OPTIONAL_TYPES)
    assert {case[0] for case in FORKS} >= set(FORK_MODULES)


def test_no_module_is_left_without_a_type() -> None:
    helpers = {"__init__", "base", "convolve", "joined_axis", "loss", "pooling_volume", "sizes"}
    helpers |= {"pull", "source_layers", "step", "volumes", "weighted", "weights"}
    found = {path.stem for path in Path(layers.__path__[0]).glob("*.py")}
    assert found - helpers == set(MODULES.values()) | set(FORK_MODULES.values())

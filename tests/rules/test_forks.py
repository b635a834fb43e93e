"""Which Caffe a file is written for."""

from __future__ import annotations

from nanlint.rules.forks import forks_at_odds, needs_fork
from nanlint.schema.bind import Bound, bind
from nanlint.text.parser import parse
from nanlint.text.source import Source
from tests.caffe.one_net import data, layer


def bound(text: str) -> Bound:
    return bind(parse(Source("net.prototxt", text)), "NetParameter")


def test_a_net_of_bvlc_caffe_needs_no_fork() -> None:
    plain = bound(data("2 3", tops="x") + layer("ReLU", "x", "y"))
    assert [*needs_fork(plain), *forks_at_odds(plain)] == []


def test_the_forks_that_can_read_a_file_are_named() -> None:
    ssd = bound(data("2 3 4 4", tops="x") + layer("Permute", "x", "y", "permute_param { order: 0 }"))
    [problem] = needs_fork(ssd)
    assert "`permute_param`" in problem.message
    assert "ssd" in problem.message
    assert list(forks_at_odds(ssd)) == []


def test_two_things_that_no_fork_has_together() -> None:
    mixed = bound(
        data("2 3 4 4", tops="x")
        + layer("Permute", "x", "y", "permute_param { order: 0 }")
        + layer("Convolution", "y", "z", "convolution_param { num_output: 2 kernel_shape { dim: 1 } }")
    )
    [problem] = forks_at_odds(mixed)
    assert "no known fork has" in problem.message

"""Divisions by a variance that may be 0."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.caffe.load import load_net
from nanlint.caffe.options import Options
from nanlint.rules.normalization import norm_without_eps, unsafe_eps
from nanlint.schema.dialect import Dialect
from tests.rules.nets import data, last, layer, train_net


@pytest.mark.parametrize(
    ("type_name", "settings", "problems"),
    [
        ("Normalize", "norm_param { eps: 0 }", 1),
        ("Normalize", "norm_param { eps: 1e-60 }", 1),
        ("Normalize", "norm_param { across_spatial: false }", 0),
        ("BN", "bn_param { eps: 0 }", 1),
        ("BN", "bn_param { eps: 1e-5 }", 0),
    ],
)
def test_a_divisor_needs_its_eps(tmp_path: Path, type_name: str, settings: str, problems: int) -> None:
    net = train_net(tmp_path, data(2, 3, 4, 4) + layer(type_name, "x", "n", settings))
    assert len([*norm_without_eps(last(net))]) == problems


def test_what_bvlc_caffe_lacks_is_not_judged_where_it_is_pinned(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(data(2, 3, 4, 4) + layer("Normalize", "x", "n", "norm_param { eps: 0 }"))
    [net, *_] = load_net(str(path), Options(dialect=Dialect.BVLC))
    assert not [*norm_without_eps(last(net))]


def test_nvidia_takes_a_larger_eps_by_itself(tmp_path: Path) -> None:
    net = train_net(tmp_path, data(2, 3) + layer("BatchNorm", "x", "n", "batch_norm_param { scale_bias: true eps: 0 }"))
    assert not [*unsafe_eps(last(net))]

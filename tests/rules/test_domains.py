"""Logarithms, exponentials, powers and quotients outside their domain: what is certain, and what is possible."""

from __future__ import annotations

import pytest

from tests.caffe.one_net import layer
from tests.rules.non_finite import GAUSSIAN, SUM, UNKNOWN, names, source


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (source(GAUSSIAN) + layer("Log", "x", "y"), ["log-domain"]),
        (source(GAUSSIAN) + layer("Log", "x", "y", "log_param { shift: 100 }"), []),
        (source('type: "uniform" min: 80 max: 100') + layer("Exp", "x", "y"), ["exp-overflow"]),
        (source('type: "uniform" min: 80 max: 88') + layer("Exp", "x", "y"), []),
        (source(GAUSSIAN) + layer("Exp", "x", "y", "exp_param { shift: 100 }"), ["exp-overflow"]),
        (source(GAUSSIAN) + layer("Power", "x", "y", "power_param { power: 0.5 }"), ["power-domain"]),
        (source(GAUSSIAN) + layer("Power", "x", "y", "power_param { power: 2 scale: 1e30 }"), ["power-domain"]),
    ],
)
def test_what_is_certain(text: str, found: list[str]) -> None:
    assert names(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (layer("Softmax", "x", "p") + layer("Log", "p", "y"), ["log-of-possible-zero"]),
        (layer("Softmax", "x", "p") + layer("Log", "p", "y", "log_param { shift: 1e-6 }"), []),
        (
            layer("ReLU", "x", "p") + layer("Power", "p", "y", "power_param { power: 0.5 }") + SUM,
            ["power-of-possible-zero"],
        ),
        (layer("ReLU", "x", "p") + layer("Power", "p", "y", "power_param { power: 2 }") + SUM, []),
        (layer("Power", "x", "y", "power_param { power: 3 }") + SUM, []),
        (layer("Exp", "x", "y"), ["exp-without-bound"]),
        (layer("Sigmoid", "x", "p") + layer("Exp", "p", "y"), []),
    ],
)
def test_what_is_possible(text: str, found: list[str]) -> None:
    assert names(UNKNOWN + text) == found

"""Statistics of a batch: of a single number, and in the test."""

from __future__ import annotations

import pytest

from nanlint.caffe.model import TEST
from nanlint.rules.batch_statistics import batch_statistics_in_test, one_value_per_channel
from tests.caffe.one_net import data, layer, net

LEARNED = layer("InnerProduct", "x", "h", "inner_product_param { num_output: 3 }")
SUM = layer("Reduction", "n", "sum", "loss_weight: 1")


@pytest.mark.parametrize(
    ("shape", "normalisation", "problems"),
    [
        ("1 4", layer("BatchNorm", "h", "n"), 1),
        ("2 4", layer("BatchNorm", "h", "n"), 0),
        ("1 4", layer("BatchNorm", "h", "n", "batch_norm_param { use_global_stats: true }"), 0),
        ("1 4", layer("MVN", "h", "n"), 1),
        ("1 4", layer("MVN", "h", "n", "mvn_param { across_channels: true }"), 0),
    ],
)
def test_the_mean_of_one_number_leaves_nothing(shape: str, normalisation: str, problems: int) -> None:
    built = net(data(shape, tops="x") + LEARNED + normalisation + SUM)
    assert len(list(one_value_per_channel(built))) == problems


@pytest.mark.parametrize(("written", "problems"), [("false", 1), ("true", 0)])
def test_a_test_by_the_statistics_of_its_batch(written: str, problems: int) -> None:
    settings = f"batch_norm_param {{ use_global_stats: {written} }}"
    built = net(data("4 3", tops="x") + layer("BatchNorm", "x", "n", settings), phase=TEST)
    found = list(batch_statistics_in_test(built))
    assert len(found) == problems
    assert all(one.fix is not None for one in found)


def test_without_a_word_the_phase_decides() -> None:
    text = data("4 3", tops="x") + layer("BatchNorm", "x", "n")
    assert list(batch_statistics_in_test(net(text, phase=TEST))) == []

"""Weights that the first update surely leaves where they are."""

from __future__ import annotations

import pytest

from nanlint.analysis.stillness import without_gradient
from nanlint.caffe.options import Options
from tests.caffe.one_net import layer, net

LOSS = layer("Reduction", "y", "sum", "loss_weight: 1")


def source(filler: str) -> str:
    shape = "shape { dim: 2 dim: 4 dim: 6 dim: 6 }"
    return layer("DummyData", "", "x", f"dummy_data_param {{ {shape} data_filler {{ {filler} }} }}")


@pytest.mark.parametrize("kind", ["Convolution", "ConvolutionDepthwise", "DepthwiseConvolution"])
def test_weights_that_multiply_zeros_get_no_gradient(kind: str) -> None:
    settings = 'convolution_param { num_output: 4 kernel_size: 3 group: 4 weight_filler { type: "xavier" } }'
    weighted = layer(kind, "x", "y", settings)
    zeros, ones = (net(source(f"value: {value}") + weighted + LOSS, options=Options()) for value in (0, 1))
    weights, bias = zeros.params
    assert without_gradient(zeros, weights) == "`x`, which `y` reads, is 0"
    assert without_gradient(zeros, bias) is None
    assert without_gradient(ones, ones.params[0]) is None

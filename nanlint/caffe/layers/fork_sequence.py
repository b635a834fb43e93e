"""Sequences of forks: Lstm."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType, Param, between


class Lstm(LayerType):
    """Top: num_output numbers for each row of the bottom, which holds all steps of all streams
    (lstm_layer.cpp of caffe-lstm).

    CTPN's layer of the same name takes three axes; of it nothing is known here.
    """

    bottoms = between(1, 2)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.lstm_param
        shape = layer.bottoms[0].shape
        hidden = param.num_output
        fills = ((param.weight_filler, "weight_filler"), (param.weight_filler, "weight_filler"))
        inputs = shape[1] if shape is not None and len(shape) == 2 else None
        weights = (
            Param(size, filler, f"lstm_param.{name}")
            for size, (filler, name) in zip(((4 * hidden, inputs), (4 * hidden, hidden)), fills, strict=True)
        )
        bias = Param((4 * hidden,), param.bias_filler, "lstm_param.bias_filler")
        top = (shape[0], hidden) if shape is not None and len(shape) == 2 else None
        return Blobs((top,), (*weights, bias))

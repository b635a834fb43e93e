"""Layers that work element by element: one bottom, one top, the same shape (neuron_layer.cpp)."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import (
    BOTH,
    BOTTOM,
    NOTHING,
    TOP,
    TRAIN,
    Blobs,
    InPlace,
    LayerSetup,
    LayerType,
    Reads,
)
from nanlint.findings import Effect
from nanlint.numbers.float32 import f32

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import ExpParameter, LayerParameter, LogParameter

NATURAL_BASE = -1


class Neuron(LayerType):
    """The shape of the bottom."""

    def setup(self, layer: LayerSetup) -> Blobs:
        self.check(layer)
        return Blobs((layer.bottoms[0].shape,))

    def check(self, layer: LayerSetup) -> None:
        """The type's own conditions. Raises Refusal."""


class AbsVal(Neuron):
    """|x|; refuses to work in place (absval_layer.cpp)."""

    in_place = InPlace.REFUSED
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True


class BNLL(Neuron):
    """ln(1 + e^x)."""

    in_place = InPlace.WRONG_GRADIENT
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM


class Clip(Neuron):
    """max(min, min(x, max)); the schema requires both numbers."""

    in_place = InPlace.WRONG_GRADIENT

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM


class Dropout(Neuron):
    """In TRAIN, zeroes elements with probability `dropout_ratio`; in TEST, a copy (dropout_layer.cpp)."""

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING

    def check(self, layer: LayerSetup) -> None:
        ratio = layer.param.dropout_param.dropout_ratio
        if layer.phase == TRAIN and not 0 <= 1 - ratio <= 1:
            layer.report(
                "value-out-of-range",
                "dropout_param.dropout_ratio",
                f"`dropout_ratio: {ratio:g}` of `{layer.name}` is no probability: the net is built, and "
                "Caffe aborts in the first forward pass; write a ratio from 0 to below 1",
                effect=Effect.RUN_FAILURE,
            )


class ELU(Neuron):
    """x above 0, alpha (e^x - 1) below."""

    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTH


class Exp(Neuron):
    """base^(shift + scale x)."""

    def backward_reads(self, param: LayerParameter) -> Reads:
        return TOP

    def check(self, layer: LayerSetup) -> None:
        check_base(layer, layer.param.exp_param, "exp_param")

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True


class Log(Neuron):
    """log_base(shift + scale x); the base must not be 1 either."""

    in_place = InPlace.WRONG_GRADIENT

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM

    def check(self, layer: LayerSetup) -> None:
        param = layer.param.log_param
        check_base(layer, param, "log_param")
        if param.base == 1:
            raise layer.refuse(
                "value-out-of-range",
                "log_param.base",
                f"the `base` of `{layer.name}` reads as 1, whose logarithm is 0, and Caffe aborts on 1/0; "
                "write another base, or leave it out for the natural logarithm",
            )

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True


class Power(Neuron):
    """(shift + scale x)^power."""

    in_place = InPlace.WRONG_GRADIENT
    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        """y / (shift + scale x), unless the slope is a constant, or a line (power_layer.cpp, Backward_cpu)."""
        power = param.power_param
        if f32(power.power * power.scale) == 0 or power.power == 1:
            return NOTHING
        return BOTTOM if power.power == 2 else BOTH

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return param.power_param.power != 1


class ReLU(Neuron):
    """max(x, 0) + slope min(x, 0)."""

    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return BOTTOM

    def written_in_place(self, param: LayerParameter) -> InPlace:
        return InPlace.WRONG_GRADIENT if param.relu_param.negative_slope < 0 else InPlace.RIGHT


class Sigmoid(Neuron):
    """1 / (1 + e^-x)."""

    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return TOP


class Swish(Neuron):
    """x sigmoid(beta x)."""

    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        """The top, and the sigmoid that it has kept (swish_layer.cpp, Backward_cpu)."""
        return TOP

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True


class TanH(Neuron):
    """The hyperbolic tangent."""

    keeps_symmetry = True

    def backward_reads(self, param: LayerParameter) -> Reads:
        return TOP


class Threshold(Neuron):
    """1 above the threshold, 0 elsewhere; it has no backward pass (threshold_layer.hpp)."""

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return True


def check_base(layer: LayerSetup, param: ExpParameter | LogParameter, block: str) -> None:
    """The base of Exp and Log: -1 (the default) for e, else above 0, finite (exp_layer.cpp)."""
    if param.base != NATURAL_BASE and not 0 < param.base < inf:
        raise layer.refuse(
            "value-out-of-range",
            f"{block}.base",
            f"`base: {param.base:g}` of `{layer.name}` is not above 0 and finite, and Caffe aborts; "
            "write such a base, or leave it out for e",
        )

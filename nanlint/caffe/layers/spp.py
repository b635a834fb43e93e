"""SPP: spatial pyramid pooling."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Blobs, Dim, LayerSetup, LayerType
from nanlint.caffe.layers.pooling import CEIL, STOCHASTIC, Window, pooled
from nanlint.caffe.layers.sizes import int32, legacy_shape, needs_four_axes, reshaped
from nanlint.numbers.float32 import FLOAT_MAX
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.schema.caffe_pb2 import LayerParameter

PARAM = "spp_param"
MOST_LEVELS = 32
"""No map is large enough for so many levels of twice as many bins each."""


class SPP(LayerType):
    """Top: channels times all bins, or with one level channels x 1 x 1 (spp_layer.cpp)."""

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.spp_param
        sizes = legacy_shape(layer, 0)
        if sizes is None:
            return Blobs((None,))
        for axis in (2, 3):
            if sizes[axis] == 0:
                raise layer.refuse(
                    "empty-blob",
                    "bottom[0]",
                    f"`{layer.name}` pools {layer.bottom(0)}, whose axis {axis} is empty, and Caffe aborts; "
                    "give it a map",
                    related=layer.origins(0),
                )
        levels = int32(param.pyramid_height)
        if levels < 1:
            raise layer.refuse(
                "value-out-of-range" if param.HasField("pyramid_height") else "missing-field",
                f"{PARAM}.pyramid_height",
                f"`pyramid_height` of `{layer.name}` is {levels}, and Caffe aborts; write at least 1",
            )
        bins: Dim = 0
        if levels > MOST_LEVELS:
            bins = None
        for level in range(min(levels, MOST_LEVELS)):
            made = _bins(layer, level, sizes[2], sizes[3])
            bins = None if made is None or bins is None else bins + made
        needs_four_axes(layer)
        number, channels = sizes[:2]
        if levels == 1:
            return Blobs(((number, channels, 1, 1),))
        width = None if channels is None or bins is None else channels * bins
        return Blobs((reshaped(layer, (number, width), PARAM, f"the top of `{layer.name}`"),))

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        x = step.bottoms[0]
        return [Value(max(x.low, -FLOAT_MAX), x.high, False, x.known, step.top_count())]

    def gpu_only(self, param: LayerParameter) -> str:
        return f"{PARAM}.pool" if param.spp_param.pool == STOCHASTIC else ""


def _bins(layer: LayerSetup, level: int, height: Dim, width: Dim) -> Dim:
    """How many bins a level has; None where the map is unknown. Raises Refusal where the level's pooling
    fails.
    """
    wanted = 2**level
    windows = [_window(size, wanted) for size in (height, width)]
    padded = any(window is not None and window.pad != 0 for window in windows)
    numbers: Dim = 1
    for size, window in zip((height, width), windows, strict=True):
        if size is None or window is None or window.kernel is None:
            numbers = None
            continue
        if window.pad and layer.param.spp_param.pool == STOCHASTIC:
            raise layer.refuse(
                "conflicting-fields",
                f"{PARAM}.pool",
                f"level {level} of `{layer.name}` pads the {size} of {layer.bottom(0)} to fill {wanted} "
                "bins, and Caffe aborts: only MAX and AVE can be padded; write one of them",
                related=layer.origins(0),
            )
        if padded and window.pad >= window.kernel:
            raise layer.refuse(
                "value-out-of-range",
                f"{PARAM}.pyramid_height",
                f"level {level} of `{layer.name}` fills {wanted} bins from the {size} of {layer.bottom(0)} "
                f"with kernel {window.kernel} and pad {window.pad}, and Caffe aborts because the pad is not "
                "below the kernel; write a smaller `pyramid_height`",
                related=layer.origins(0),
            )
        made = pooled(size, window, CEIL, padded)
        numbers = None if numbers is None or made is None else numbers * made
    return numbers


def _window(size: Dim, bins: int) -> Window | None:
    if size is None:
        return None
    kernel = ceil(size / bins)
    return Window(kernel, kernel, (kernel * bins - size + 1) // 2)

"""Crop: a blob cut to the size of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Blobs, Dim, LayerSetup, LayerType, exactly
from nanlint.caffe.layers.sizes import axis_of, int32, size_of
from nanlint.findings import Effect
from nanlint.numbers.combining import selection
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step

PARAM = "crop_param"


class Crop(LayerType):
    """Top: bottom 0 with bottom 1's sizes from `axis` on (crop_layer.cpp)."""

    rearranges = True
    bottoms = exactly(2)

    def setup(self, layer: LayerSetup) -> Blobs:
        shape = layer.bottoms[0].shape
        start = axis_of(layer, 0, layer.param.crop_param.axis, f"{PARAM}.axis")
        if shape is None or start is None:
            return Blobs((None,))
        offsets = _offsets(layer, len(shape) - start)
        top: list[Dim] = list(shape[:start])
        for i, offset in enumerate(offsets):
            axis = start + i
            size, wanted = shape[axis], size_of(layer, 1, axis)
            if size is not None and wanted is not None and size - offset < wanted:
                raise layer.refuse(
                    "shape-mismatch",
                    _route(layer, i),
                    f"`{layer.name}` cuts {wanted} from offset {offset} on out of the {size} that "
                    f"{layer.bottom(0)} has along axis {axis}, to fit {layer.bottom(1)}, and Caffe aborts; "
                    f"{_advice(size, wanted)}",
                    related=layer.origins(0, 1),
                )
            if offset < 0:
                layer.report(
                    "value-out-of-range",
                    _route(layer, i),
                    f"`offset` of `{layer.name}` reads as {offset}: the net is built, and Caffe aborts in "
                    "the first forward pass; write at least 0",
                    effect=Effect.RUN_FAILURE,
                )
            top.append(wanted)
        return Blobs((tuple(top),))

    def values(self, step: Step) -> list[Value]:
        return [selection(step.bottoms[0], step.top_count())]


def _offsets(layer: LayerSetup, axes: int) -> list[int]:
    """The offset along each cropped axis: none, one for all, or one each."""
    offsets = [int32(offset) for offset in layer.param.crop_param.offset]
    if len(offsets) > 1 and len(offsets) != axes:
        raise layer.refuse(
            "shape-mismatch",
            f"{PARAM}.offset[{len(offsets) - 1}]",
            f"`{layer.name}` has {len(offsets)} `offset`, but crops {axes} axes of {layer.bottom(0)}, and "
            f"Caffe aborts; write one, or {axes}",
            related=layer.origins(0),
        )
    return offsets if len(offsets) > 1 else (offsets or [0]) * axes


def _advice(size: int, wanted: int) -> str:
    if size >= wanted:
        return f"write an offset of at most {size - wanted}"
    return "swap the bottoms, or make the first one larger"


def _route(layer: LayerSetup, axis: int) -> str:
    """Where the offset along the axis is written."""
    written = len(layer.param.crop_param.offset)
    return f"{PARAM}.offset[{axis if written > 1 else 0}]" if written else "bottom[0]"

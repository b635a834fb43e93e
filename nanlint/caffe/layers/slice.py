"""Slice: one blob cut into several along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import NOTHING, Blobs, Dim, InPlace, LayerSetup, LayerType, Reads, Shape, at_least
from nanlint.caffe.layers.joined_axis import joined_axis
from nanlint.caffe.layers.sizes import int32, needs_elements, reshaped
from nanlint.caffe.model import count
from nanlint.numbers.combining import hull, selection
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter

PARAM = "slice_param"


class Slice(LayerType):
    """Tops: the parts between `slice_point`s, or equal parts (slice_layer.cpp)."""

    rearranges = True
    tops = at_least(1)

    def written_in_place(self, param: LayerParameter) -> InPlace:
        """Several tops are counted against the bottom, which the first has cut already."""
        return InPlace.REFUSED if len(param.top) > 1 else InPlace.RIGHT

    def setup(self, layer: LayerSetup) -> Blobs:
        axis = joined_axis(layer, layer.param.slice_param, PARAM, "slice_dim")
        shape = layer.bottoms[0].shape
        if shape is None or axis is None:
            return Blobs((None,) * len(layer.top_names))
        size = shape[axis]
        parts = _cut(layer, size) if layer.param.slice_param.slice_point else _divided(layer, size)
        tops: list[Shape] = []
        for name, part in zip(layer.top_names, parts, strict=True):
            top = (*shape[:axis], part, *shape[axis + 1 :])
            tops.append(reshaped(layer, top, PARAM, f"`{name}`"))
        if len(tops) == 1:
            needs_elements(layer, count(shape), "bottom[0]", "the blob that is shared")
        return Blobs(tuple(tops))

    def values(self, step: Step) -> list[Value]:
        if len(step.layer.tops) == 1:
            return [step.bottoms[0]]
        return [selection(step.bottoms[0], top.count) for top in step.layer.tops]

    def gradients(self, step: Step) -> list[Value]:
        return [hull(step.grads, step.bottoms[0].count)]

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING

    def shares_memory(self, layer: Layer) -> bool:
        return len(layer.bottoms) == len(layer.tops) == 1


def _cut(layer: LayerSetup, size: Dim) -> list[Dim]:
    """The parts between the points: one point fewer than tops, each above the one before."""
    points = [int32(point) for point in layer.param.slice_param.slice_point]
    tops = len(layer.top_names)
    if len(points) != tops - 1:
        raise layer.refuse(
            "conflicting-fields",
            f"{PARAM}.slice_point[0]",
            f"`{layer.name}` has {len(points)} `slice_point` for {tops} tops, and Caffe aborts; write {tops - 1}",
        )
    if size is not None and tops > size:
        raise layer.refuse(
            "shape-mismatch",
            f"{PARAM}.slice_point[0]",
            f"`{layer.name}` cuts the {size} of {layer.bottom(0)} into {tops} tops, and Caffe aborts; write fewer tops",
            related=layer.origins(0),
        )
    parts: list[Dim] = []
    previous = 0
    for i, point in enumerate(points):
        if point <= previous:
            raise layer.refuse(
                "value-out-of-range",
                f"{PARAM}.slice_point[{i}]",
                f"`slice_point: {point}` of `{layer.name}` is not above {previous}, where the part before it "
                "starts, and Caffe aborts; write the points in rising order, the first above 0",
            )
        parts.append(point - previous)
        previous = point
    if size is not None and previous > size:
        raise layer.refuse(
            "shape-mismatch",
            f"{PARAM}.slice_point[{len(points) - 1}]",
            f"`slice_point: {previous}` of `{layer.name}` lies beyond the {size} of {layer.bottom(0)}, and "
            f"Caffe aborts on the negative rest; write a point below {size}",
            related=layer.origins(0),
        )
    return [*parts, None if size is None else size - previous]


def _divided(layer: LayerSetup, size: Dim) -> list[Dim]:
    """Equal parts, one a top."""
    tops = len(layer.top_names)
    if size is not None and size % tops:
        raise layer.refuse(
            "shape-mismatch",
            "top[0]",
            f"`{layer.name}` divides the {size} of {layer.bottom(0)} among {tops} tops, which does not come "
            f"out even, and Caffe aborts; write `slice_point`, or a number of tops that divides {size}",
            related=layer.origins(0),
        )
    return [None if size is None else size // tops] * tops

"""Concat: several blobs one after the other along an axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import NOTHING, Blobs, LayerSetup, LayerType, Reads, at_least
from nanlint.caffe.layers.joined_axis import joined_axis
from nanlint.caffe.layers.sizes import needs_elements, reshaped
from nanlint.caffe.model import count
from nanlint.numbers import moments
from nanlint.numbers.combining import hull, selection
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter


class Concat(LayerType):
    """Top: the sizes along the axis added up; all other axes must agree (concat_layer.cpp)."""

    trusts_size = True
    keeps_maps = True
    bottoms = at_least(1)

    def setup(self, layer: LayerSetup) -> Blobs:
        axis = joined_axis(layer, layer.param.concat_param, "concat_param", "concat_dim")
        shape = layer.bottoms[0].shape
        if shape is None or axis is None:
            return Blobs((None,))
        top = list(shape)
        for i, bottom in enumerate(layer.bottoms[1:], start=1):
            if bottom.shape is None:
                top[axis] = None
                continue
            self.check(layer, i, axis)
            one, other = top[axis], bottom.shape[axis]
            top[axis] = None if one is None or other is None else one + other
            top = [
                size if size is not None or at == axis else seen
                for at, (size, seen) in enumerate(zip(top, bottom.shape, strict=True))
            ]
        reshaped(layer, tuple(top), "concat_param", f"the top of `{layer.name}`")
        if len(layer.bottoms) == 1:
            needs_elements(layer, count(shape), "bottom[0]", "the blob that is shared")
        return Blobs((tuple(top),))

    def check(self, layer: LayerSetup, index: int, axis: int) -> None:
        """Refusal where a bottom differs from the first in another axis than the joined one."""
        first, other = layer.bottoms[0].shape, layer.bottoms[index].shape
        assert first is not None
        assert other is not None
        if len(first) != len(other):
            raise layer.refuse(
                "shape-mismatch",
                f"bottom[{index}]",
                f"`{layer.name}` joins {layer.bottom(0)} and {layer.bottom(index)}, which have {len(first)} "
                f"and {len(other)} axes, and Caffe aborts; give them the same number of axes",
                related=layer.origins(0, index),
            )
        for at, (one, two) in enumerate(zip(first, other, strict=True)):
            if at != axis and one is not None and two is not None and one != two:
                raise layer.refuse(
                    "shape-mismatch",
                    f"bottom[{index}]",
                    f"`{layer.name}` joins {layer.bottom(0)} and {layer.bottom(index)} along axis {axis}, "
                    f"but they have {one} and {two} along axis {at}, and Caffe aborts; give them the same "
                    "size there",
                    related=layer.origins(0, index),
                )

    def values(self, step: Step) -> list[Value]:
        if len(step.bottoms) == 1:
            return [step.bottoms[0]]
        return [hull(step.bottoms, step.top_count())]

    def gradients(self, step: Step) -> list[Value]:
        return [selection(step.grads[0], x.count) for x in step.bottoms]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment | None:
        """The mean of the bottoms, by how many elements each has."""
        sizes = [count(blob.shape, 1) for blob in layer.bottoms]
        known = [size or 0 for size in sizes]
        if 0 in known:
            channels = [blob.shape[1] if blob.shape and len(blob.shape) > 1 else None for blob in layer.bottoms]
            known = [size or 0 for size in channels]
        parts = [1 / len(known)] * len(known) if 0 in known else [size / sum(known) for size in known]
        square = moments.log_sum(*(moment.log + math.log(part) for moment, part in zip(bottoms, parts, strict=True)))
        if square == -math.inf:
            return moments.ZERO
        shares = [part * moments.exponential(moment.log - square) for moment, part in zip(bottoms, parts, strict=True)]
        return Moment(
            square,
            min(1.0, sum(moment.common * s for moment, s in zip(bottoms, shares, strict=True))),
            min(1.0, sum(moment.mean * s for moment, s in zip(bottoms, shares, strict=True))),
        )

    def carried_to(self, layer: Layer, bottoms: Moments, top: Gradient) -> list[Gradient | None]:
        sizes = [count(blob.shape, 1) or 0 for blob in layer.bottoms]
        if 0 in sizes:
            sizes = [(blob.shape[1] or 0) if blob.shape and len(blob.shape) > 1 else 0 for blob in layer.bottoms]
        if 0 in sizes:
            sizes = [1] * len(sizes)
        return [top._replace(log=top.log + math.log(size / sum(sizes))) for size in sizes]

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING

    def shares_memory(self, layer: Layer) -> bool:
        return len(layer.bottoms) == len(layer.tops) == 1

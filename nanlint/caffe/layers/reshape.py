"""Reshape: the same numbers under another shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import NOTHING, Blobs, Dim, InPlace, LayerSetup, LayerType, Reads, shown
from nanlint.caffe.layers.sizes import dims, needs_elements, quotient, reshaped
from nanlint.caffe.model import count
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter

PARAM = "reshape_param"
COPY, INFER = 0, -1


class Reshape(LayerType):
    """Top: axes `axis` to `axis + num_axes` replaced by `shape`; 0 copies an axis, -1 is worked out
    (reshape_layer.cpp).
    """

    rearranges = True
    in_place = InPlace.REFUSED

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.reshape_param
        new = dims(param.shape)
        if new.count(INFER) > 1:
            raise layer.refuse(
                "conflicting-fields",
                f"{PARAM}.shape",
                f"`shape` of `{layer.name}` has {new.count(INFER)} times -1, and Caffe can work out only one "
                "axis and aborts; write the others as numbers",
            )
        shape = layer.bottoms[0].shape
        if shape is None:
            whole = param.axis == 0 and param.num_axes == -1
            return Blobs((tuple(size if size > 0 else None for size in new) if whole else None,))
        start, end = _replaced(layer, shape)
        filled = _copied(layer, shape, start, new)
        outer = (*shape[:start], *shape[end:])
        if INFER in new:
            filled[new.index(INFER)] = _inferred(layer, shape, outer, filled, new)
        top = (*shape[:start], *filled, *shape[end:])
        reshaped(layer, top, f"{PARAM}.shape", f"the top of `{layer.name}`")
        before, after = count(shape), count(top)
        if before is not None and after is not None and before != after:
            raise layer.refuse(
                "shape-mismatch",
                f"{PARAM}.shape",
                f"`{layer.name}` makes {shown(top)} ({after} numbers) of {layer.bottom(0)} ({before}), and "
                "Caffe aborts; write sizes with the same product, or -1 for one of them",
                related=layer.origins(0),
            )
        needs_elements(layer, before, "bottom[0]", "the blob that is shared")
        return Blobs((top,))

    def values(self, step: Step) -> list[Value]:
        return [step.bottoms[0].sized(top.count) for top in step.layer.tops]

    def gradients(self, step: Step) -> list[Value]:
        return [step.grads[0].sized(step.bottoms[0].count)]

    def backward_reads(self, param: LayerParameter) -> Reads:
        return NOTHING

    def shares_memory(self, layer: Layer) -> bool:
        return True


def _replaced(layer: LayerSetup, shape: tuple[Dim, ...]) -> tuple[int, int]:
    """The first axis that is replaced, and the one after the last."""
    param = layer.param.reshape_param
    axes = len(shape)
    start = param.axis if param.axis >= 0 else axes + param.axis + 1
    if not 0 <= start <= axes:
        raise layer.refuse(
            "axis-out-of-range",
            f"{PARAM}.axis",
            f"`axis: {param.axis}` of `{layer.name}` is outside {layer.bottom(0)}, which has {axes} axes, "
            f"and Caffe aborts; write an axis from {-axes - 1} to {axes}",
            related=layer.origins(0),
        )
    if param.num_axes < -1:
        raise layer.refuse(
            "value-out-of-range",
            f"{PARAM}.num_axes",
            f"`num_axes: {param.num_axes}` of `{layer.name}` is below -1, and Caffe aborts; "
            "write a number of axes, or -1 for all that follow",
        )
    end = axes if param.num_axes == -1 else start + param.num_axes
    if end > axes:
        raise layer.refuse(
            "axis-out-of-range",
            f"{PARAM}.num_axes",
            f"`num_axes: {param.num_axes}` of `{layer.name}` from axis {start} on goes past "
            f"{layer.bottom(0)}, which has {axes} axes, and Caffe aborts; write at most {axes - start}",
            related=layer.origins(0),
        )
    return start, end


def _copied(layer: LayerSetup, shape: tuple[Dim, ...], start: int, new: tuple[int, ...]) -> list[Dim]:
    """The replacing sizes, each 0 taken from the bottom's axis of the same place."""
    filled: list[Dim] = []
    for i, size in enumerate(new):
        if size == COPY and start + i >= len(shape):
            raise layer.refuse(
                "axis-out-of-range",
                f"{PARAM}.shape.dim[{i}]",
                f"the 0 at place {i} of `{layer.name}` copies axis {start + i} of {layer.bottom(0)}, which "
                f"has only {len(shape)}, and Caffe aborts; write the size",
                related=layer.origins(0),
            )
        filled.append(shape[start + i] if size == COPY else size)
    return filled


def _inferred(
    layer: LayerSetup, shape: tuple[Dim, ...], outer: tuple[Dim, ...], filled: list[Dim], new: tuple[int, ...]
) -> Dim:
    """The size that -1 stands for: the bottom's count divided by all other sizes."""
    others = count((*outer, *(size for size, asked in zip(filled, new, strict=True) if asked != INFER)))
    total = count(shape)
    if others == 0:
        raise layer.refuse(
            "division-by-zero",
            f"{PARAM}.shape",
            f"the -1 of `{layer.name}` is worked out by dividing by the other sizes, whose product is 0: "
            "Caffe dies of SIGFPE; give it a bottom without an empty axis",
            related=layer.origins(0),
        )
    if others is None or total is None:
        return _cancelled(shape, outer, filled, new)
    if total % others:
        raise layer.refuse(
            "shape-mismatch",
            f"{PARAM}.shape",
            f"the -1 of `{layer.name}` cannot be worked out: the {total} numbers of {layer.bottom(0)} are "
            f"not divisible by {others}, the product of the other sizes, and Caffe aborts; write sizes that "
            f"divide {total}",
            related=layer.origins(0),
        )
    return quotient(total, others)


def _cancelled(shape: tuple[Dim, ...], outer: tuple[Dim, ...], filled: list[Dim], new: tuple[int, ...]) -> Dim:
    """What -1 comes to where each unknown size of the bottom is kept and so cancels out; None otherwise."""
    kept = [*outer, *(size for size, asked in zip(filled, new, strict=True) if asked != INFER)]
    if sum(size is None for size in kept) != sum(size is None for size in shape):
        return None
    total = count(tuple(size for size in shape if size is not None))
    others = count(tuple(size for size in kept if size is not None))
    if total is None or not others or total % others:
        return None
    return quotient(total, others)

"""The rules that every blob follows: sizes, axes, the accessors that know four axes only (blob.hpp,
blob.cpp).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Dim, LayerSetup, Shape, shown
from nanlint.caffe.model import count
from nanlint.findings import Severity

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from nanlint.schema.caffe_pb2 import BlobShape

INT_MAX = 2**31 - 1
MAX_AXES = 32
LEGACY_AXES = 4

FIRST_FORK_FIELD = 100_000

LegacyShape = tuple[Dim, Dim, Dim, Dim]


def int32(number: int) -> int:
    """A number of the text as Caffe's `int` holds it: 4294967295 is -1."""
    return (number + 2**31) % 2**32 - 2**31


def quotient(number: int, divisor: int) -> int:
    """Integer division as C++ does it, toward zero."""
    result = abs(number) // abs(divisor)
    return result if (number < 0) == (divisor < 0) else -result


def written(message: Message, field: str) -> str:
    """A field with its value as messages quote it, with a word where it was left to its default."""
    text = f"`{field}: {getattr(message, field)}`"
    return text if message.HasField(field) else f"the default {text}"


def has_fork_fields(message: Message) -> bool:
    """Whether a field is written that BVLC Caffe does not have (the schema numbers these from 100000)."""
    return any(field.number >= FIRST_FORK_FIELD for field, _ in message.ListFields())


def dims(shape: BlobShape) -> tuple[int, ...]:
    """The sizes of a BlobShape, cut to 32 bits (Blob::Reshape(BlobShape))."""
    return tuple(int32(size) for size in shape.dim)


def reshaped(layer: LayerSetup, shape: Shape, route: str, what: str) -> Shape:
    """The shape, if a blob can take it (Blob::Reshape): 32 axes, no negative size, 2^31-1 numbers at most.

    `what` names the blob. Raises Refusal otherwise.
    """
    if shape is None:
        return None
    if len(shape) > MAX_AXES:
        raise layer.refuse(
            "blob-too-large",
            route,
            f"{what} has {len(shape)} axes, and Caffe aborts above {MAX_AXES}; write fewer axes",
        )
    numbers: Dim = 1
    for size in shape:
        if size is not None and size < 0:
            raise layer.refuse(
                "negative-size",
                route,
                f"{what} comes out as {shown(shape)}, and Caffe aborts on the negative size; "
                "write settings that leave at least 1",
                related=layer.origins(),
            )
        if numbers and size is not None and size > INT_MAX // numbers:
            raise layer.refuse(
                "blob-too-large",
                route,
                f"{what} comes out as {shown(shape)}, more than the {INT_MAX} numbers a blob can hold, "
                "and Caffe aborts; write smaller sizes",
                related=layer.origins(),
            )
        numbers = count((numbers, size))
    return shape


def axis_of(layer: LayerSetup, index: int, axis: int, route: str, advice: str = "") -> int | None:
    """A written axis of a bottom, counted from the front (Blob::CanonicalAxisIndex); None if it is unknown.

    Raises Refusal where the bottom has no such axis.
    """
    shape = layer.bottoms[index].shape
    if shape is None:
        return None
    axes = len(shape)
    if -axes <= axis < axes:
        return axis % axes
    if not advice:
        advice = f"write an axis from {-axes} to {axes - 1}" if axes else "give it a blob that has axes"
    raise layer.refuse(
        "axis-out-of-range",
        route,
        f"`{layer.name}` works along axis {axis}, but {layer.bottom(index)} has {axes}, and Caffe aborts; {advice}",
        related=layer.origins(index),
    )


def size_of(layer: LayerSetup, index: int, axis: int) -> Dim:
    """The size of an axis that the layer's code names itself; Refusal where the bottom has no such axis."""
    shape = layer.bottoms[index].shape
    if shape is None:
        return None
    if axis < len(shape):
        return shape[axis]
    raise layer.refuse(
        "axis-out-of-range",
        f"bottom[{index}]",
        f"`{layer.name}` reads axis {axis} of {layer.bottom(index)}, which has only {len(shape)}, and Caffe "
        f"aborts; give it a bottom with at least {axis + 1} axes",
        related=layer.origins(index),
    )


def legacy_shape(layer: LayerSetup, index: int) -> LegacyShape | None:
    """The num, channels, height, width of a bottom, missing ones as 1 (Blob::LegacyShape); None if unknown.

    Raises Refusal for more than four axes.
    """
    shape = layer.bottoms[index].shape
    if shape is None:
        return None
    if len(shape) > LEGACY_AXES:
        raise layer.refuse(
            "axis-out-of-range",
            f"bottom[{index}]",
            f"`{layer.name}` takes at most 4 axes, but {layer.bottom(index)} has {len(shape)}, and Caffe "
            "aborts; put a `Reshape` layer before it",
            related=layer.origins(index),
        )
    n, c, h, w = (*shape, 1, 1, 1, 1)[:LEGACY_AXES]
    return n, c, h, w


def legacy_at_forward(layer: LayerSetup, index: int) -> None:
    """Report a bottom with more than four axes where only the forward pass asks for the legacy sizes."""
    shape = layer.bottoms[index].shape
    if shape is not None and len(shape) > LEGACY_AXES:
        from nanlint.findings import Effect

        layer.report(
            "axis-out-of-range",
            f"bottom[{index}]",
            f"`{layer.name}` takes at most 4 axes, but {layer.bottom(index)} has {len(shape)}: "
            "the net is built, and Caffe aborts in the first forward pass; put a `Reshape` layer before it",
            effect=Effect.RUN_FAILURE,
            related=layer.origins(index),
        )


def needs_four_axes(layer: LayerSetup) -> None:
    """Refusal unless bottom 0 has exactly four axes (Pooling, LRN and SPP say so).

    Forks for video pool over a fifth axis, so it is certain of BVLC Caffe alone.
    """
    shape = layer.bottoms[0].shape
    if shape is not None and len(shape) != LEGACY_AXES:
        video = len(shape) > LEGACY_AXES and not layer.pinned
        raise layer.refuse(
            "axis-out-of-range",
            "bottom[0]",
            f"`{layer.name}` takes 4 axes (number, channels, height, width), but {layer.bottom(0)} has "
            f"{len(shape)}, and {'BVLC ' * video}Caffe aborts; put a `Reshape` layer before it",
            related=layer.origins(0),
            severity=Severity.WARNING if video else None,
        )


def needs_elements(layer: LayerSetup, numbers: Dim, route: str, what: str) -> None:
    """Refusal where a helper vector or a parameter of the layer would hold no element (`Check failed:
    data_`).
    """
    if numbers == 0 and not layer.again:
        raise layer.refuse(
            "empty-blob",
            route,
            f"{what} of `{layer.name}` would hold no element, and Caffe aborts while it sets the layer up; "
            "write sizes above 0",
            related=layer.origins(),
        )


def needs_same_shape(layer: LayerSetup, one: int, other: int) -> None:
    """Refusal where two bottoms are known to differ in shape."""
    from nanlint.caffe.model import same_shape

    if same_shape(layer.bottoms[one].shape, layer.bottoms[other].shape) is False:
        raise layer.refuse(
            "shape-mismatch",
            f"bottom[{other}]",
            f"`{layer.name}` wants bottoms of one shape, but {layer.bottom(one)} and {layer.bottom(other)} "
            "differ, and Caffe aborts; give them the same shape",
            related=layer.origins(one, other),
        )

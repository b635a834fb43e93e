"""When a filler fails (filler.hpp, GetFiller and each Fill; math_functions.cpp, caffe_rng_*)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from nanlint.caffe.layers.base import shown
from nanlint.caffe.model import Shape, count

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import FillerParameter

FILLERS = ("constant", "uniform", "gaussian", "positive_unitball", "xavier", "msra", "bilinear")
_NEEDS_AXIS = ("positive_unitball", "xavier", "msra")


class FillerFailure(NamedTuple):
    """Why Caffe aborts (or crashes) as it fills a blob.

    kind: the rule that documents it. field: the filler's field at fault, "" for the filler itself.
    quote: that field as written. reason: what Caffe does with it. remedy: what to write.
    """

    kind: str
    field: str
    quote: str
    reason: str
    remedy: str


def filler_failure(filler: FillerParameter, shape: Shape) -> FillerFailure | None:
    """Why this filler cannot fill a blob of this shape; None where it can, or where it cannot be known."""
    name = filler.type
    if name not in FILLERS:
        return _unknown_name(name)
    quote = f'type: "{name}"'
    if name == "bilinear" and shape is not None:
        if len(shape) != 4:
            return _invalid(
                "type",
                quote,
                f"fills blobs of 4 axes only, and this one has {len(shape)}",
                "write another filler",
            )
        height, width = shape[2:]
        if height is not None and width is not None and height != width:
            reason = f"fills square kernels only, and this one is {height} by {width}"
            return _invalid("type", quote, reason, "write another filler or a square kernel")
    if count(shape) == 0:
        return FillerFailure(
            "empty-blob",
            "",
            quote,
            f"has no element to fill in a blob of {shown(shape)}",
            "make every size at least 1",
        )
    if shape == () and name in _NEEDS_AXIS:
        return _invalid(
            "type", quote, "needs the first axis of the blob, which has none", 'write `type: "constant"`'
        )
    return _bad_range(filler) if name == "uniform" else _bad_numbers(filler, shape)


def _invalid(field: str, quote: str, reason: str, remedy: str) -> FillerFailure:
    return FillerFailure("invalid-filler", field, quote, reason, remedy)


def _unknown_name(name: str) -> FillerFailure:
    from difflib import get_close_matches

    near = get_close_matches(name.strip().lower(), FILLERS, n=1)
    remedy = f'did you mean `type: "{near[0]}"`?' if near else f"write one of {', '.join(FILLERS)}"
    return _invalid("type", f'type: "{name}"', "is no filler that Caffe knows", remedy)


def _bad_range(filler: FillerParameter) -> FillerFailure | None:
    low, high = filler.min, filler.max
    if not low <= high:
        field = "min" if filler.HasField("min") else "max"
        quote = f"min: {low:g}` and `max: {high:g}"
        return _invalid(
            field, quote, "are no range: Caffe demands min <= max", "write the smaller number as `min`"
        )
    if low == -math.inf:
        return _invalid(
            "min", "min: -inf", "makes the generator recurse until the stack overflows", "write a number"
        )
    return _bad_sparse(filler)


def _bad_numbers(filler: FillerParameter, shape: Shape) -> FillerFailure | None:
    if filler.type != "gaussian":
        return _bad_sparse(filler)
    if not filler.std > 0:
        return _invalid(
            "std", f"std: {filler.std:g}", "is refused: Caffe demands std > 0", "write a positive `std`"
        )
    sparse = filler.sparse
    if sparse < -1:
        return _invalid(
            "sparse", f"sparse: {sparse}", "is refused: Caffe demands -1 or more", "leave `sparse` out"
        )
    if sparse >= 0 and shape is not None:
        if not shape:
            return _invalid(
                "sparse", f"sparse: {sparse}", "needs a first axis, and there is none", "leave `sparse` out"
            )
        if shape[0] is not None and sparse > shape[0]:
            reason = f"exceeds the first size {shape[0]}, and sparse / size is a probability"
            return _invalid("sparse", f"sparse: {sparse}", reason, f"write at most {shape[0]}")
    return None


def _bad_sparse(filler: FillerParameter) -> FillerFailure | None:
    if filler.sparse == -1:
        return None
    reason = f"is refused by the `{filler.type}` filler: only `gaussian` takes it"
    return _invalid(
        "sparse", f"sparse: {filler.sparse}", reason, 'leave `sparse` out or write `type: "gaussian"`'
    )

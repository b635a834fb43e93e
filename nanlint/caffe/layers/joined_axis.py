"""The axis along which Concat and Slice work, which has an older name each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import LayerSetup
from nanlint.caffe.layers.sizes import axis_of, int32

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import ConcatParameter, SliceParameter


def joined_axis(layer: LayerSetup, param: ConcatParameter | SliceParameter, block: str, older: str) -> int | None:
    """`axis`, or `concat_dim`/`slice_dim`, not both; None if bottom 0 is unknown (concat_layer.cpp,
    slice_layer.cpp).
    """
    has_older = param.HasField(older)
    if param.HasField("axis") and has_older:
        raise layer.refuse(
            "conflicting-fields",
            f"{block}.{older}",
            f"`{layer.name}` has both `axis: {param.axis}` and `{older}: {getattr(param, older)}`, and Caffe "
            "aborts; write `axis` alone",
        )
    if not has_older:
        return axis_of(layer, 0, param.axis, f"{block}.axis")
    axis = int32(getattr(param, older))
    shape = layer.bottoms[0].shape
    if axis < 0 or (shape is not None and axis >= len(shape)):
        raise layer.refuse(
            "axis-out-of-range",
            f"{block}.{older}",
            f"`{older}: {getattr(param, older)}` of `{layer.name}` is no axis of {layer.bottom(0)}, and "
            "Caffe aborts; write an axis that it has",
            related=layer.origins(0),
        )
    return None if shape is None else axis

"""Kernel, stride, pad, dilation as Convolution, Deconvolution and Im2col read them (base_conv_layer.cpp)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from nanlint.caffe.layers.base import Dim, LayerSetup
from nanlint.caffe.layers.sizes import int32, quotient
from nanlint.caffe.layers.volumes import FORK_GEOMETRY

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import ConvolutionParameter

PARAM = "convolution_param"
PLANE = 2


class Geometry(NamedTuple):
    """One number a spatial axis each."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilation: tuple[int, ...]

    def extent(self, axis: int) -> int:
        """How many positions the kernel spans along a spatial axis."""
        return self.dilation[axis] * (self.kernel[axis] - 1) + 1


# fields of forks that give a convolution another geometry than BVLC Caffe's
FORK_FIELDS = FORK_GEOMETRY | frozenset(
    """
    dilation_h dilation_w filter_stride filter_stride_h filter_stride_w half_pad out_height out_width
    shape_offset temporal_pad tf_pad
    """.split()
)


def fork_geometry(layer: LayerSetup) -> bool:
    """Whether a fork's own fields say how the kernel moves, so that the output size is not known here."""
    return any(field.name in FORK_FIELDS for field, _ in layer.param.convolution_param.ListFields())


def geometry(layer: LayerSetup, axes: int) -> Geometry:
    """The settings for a number of spatial axes, checked in Caffe's order. Raises Refusal."""
    param = layer.param.convolution_param
    kernel = _pair(layer, param, "kernel", "kernel_size", param.kernel_size, axes)
    if kernel is None:
        kernel = _each(layer, "kernel_size", param.kernel_size, axes, None)
    _positive(layer, "kernel_size", kernel)
    stride = _pair(layer, param, "stride", "stride", param.stride, axes)
    if stride is None:
        stride = _each(layer, "stride", param.stride, axes, 1)
        _positive(layer, "stride", stride)
    pad = _pair(layer, param, "pad", "pad", param.pad, axes)
    if pad is None:
        pad = _each(layer, "pad", param.pad, axes, 0)
    dilation = _each(layer, "dilation", param.dilation, axes, 1)
    return Geometry(kernel, stride, pad, dilation)


def _pair(
    layer: LayerSetup, param: ConvolutionParameter, name: str, plain: str, values: Sequence[int], axes: int
) -> tuple[int, ...] | None:
    """The `_h` and `_w` fields, if one of them is written; the other is then 0."""
    high, wide = f"{name}_h", f"{name}_w"
    if not (param.HasField(high) or param.HasField(wide)):
        return None
    route = f"{PARAM}.{high if param.HasField(high) else wide}"
    if axes != PLANE:
        raise layer.refuse(
            "conflicting-fields",
            route,
            f"`{high}` and `{wide}` of `{layer.name}` are for 2 spatial axes, but {layer.bottom(0)} has "
            f"{axes}, and Caffe aborts; write `{plain}` instead",
            related=layer.origins(0),
        )
    if values:
        raise layer.refuse(
            "conflicting-fields",
            route,
            f"`{layer.name}` has both `{plain}: {values[0]}` and `{high}` or `{wide}`, and Caffe aborts; "
            "write one of the two",
        )
    return int32(getattr(param, high)), int32(getattr(param, wide))


def _each(layer: LayerSetup, name: str, values: Sequence[int], axes: int, default: int | None) -> tuple[int, ...]:
    """A repeated field: nothing (the default), one number for all axes, or one an axis."""
    if not values and default is not None:
        return (default,) * axes
    if len(values) == 1:
        return (int32(values[0]),) * axes
    if len(values) == axes:
        return tuple(int32(value) for value in values)
    if not values:
        raise layer.refuse(
            "missing-field",
            PARAM,
            f"`{layer.name}` has no `{name}`, and Caffe aborts; write `{name}` once, or once for each of its "
            f"{axes} spatial axes",
        )
    raise layer.refuse(
        "shape-mismatch",
        f"{PARAM}.{name}[{len(values) - 1}]",
        f"`{layer.name}` has {len(values)} times `{name}`, but {layer.bottom(0)} has {axes} spatial axes, "
        f"and Caffe aborts; write it once, or {axes} times",
        related=layer.origins(0),
    )


def _positive(layer: LayerSetup, name: str, values: Sequence[int]) -> None:
    for i, value in enumerate(values):
        if value <= 0:
            raise layer.refuse(
                "value-out-of-range",
                _route(layer, name, i),
                f"`{name}` of `{layer.name}` is {value} along spatial axis {i}, and Caffe aborts; write at least 1",
            )


def _route(layer: LayerSetup, name: str, axis: int) -> str:
    """Where the number for a spatial axis is written."""
    param = layer.param.convolution_param
    values: Sequence[int] = getattr(param, name)
    if not values:
        return f"{PARAM}.{name.removesuffix('_size')}_{'hw'[axis]}" if axis < PLANE else PARAM
    return f"{PARAM}.{name}[{min(axis, len(values) - 1)}]"


def convolved(layer: LayerSetup, sizes: Sequence[Dim], shape: Geometry) -> list[Dim]:
    """The output sizes of a convolution: `(size + 2 pad - extent) / stride + 1`, cut toward zero.

    Raises Refusal for a stride of 0, which `stride_h` or `stride_w` alone leaves on the other axis.
    """
    result: list[Dim] = []
    for i, size in enumerate(sizes):
        stride = shape.stride[i]
        if stride == 0:
            raise layer.refuse("division-by-zero", f"{PARAM}.{zero_stride(layer)[0]}", zero_stride(layer)[1])
        if size is None:
            result.append(None)
            continue
        room = size + 2 * shape.pad[i] - shape.extent(i)
        result.append(quotient(room, stride) + 1)
        if result[-1] < 0:  # type: ignore[operator]
            raise too_small(layer, i, size, shape)
    return result


def too_small(layer: LayerSetup, axis: int, size: int, shape: Geometry) -> Exception:
    """The refusal of a kernel that does not fit into the padded input."""
    extent, padded = shape.extent(axis), size + 2 * shape.pad[axis]
    return layer.refuse(
        "negative-size",
        _route(layer, "kernel_size", axis),
        f"the kernel of `{layer.name}` spans {extent} but `{layer.bottoms[0].name}` has {size} along spatial "
        f"axis {axis} ({padded} with `pad: {shape.pad[axis]}`), so the output size is negative and Caffe "
        "aborts; write a smaller kernel or more `pad`",
        related=layer.origins(0),
    )


def zero_stride(layer: LayerSetup) -> tuple[str, str]:
    """The field that is written alone, or as 0, and what is to be said of it."""
    param = layer.param.convolution_param
    if param.HasField("stride_h") and param.HasField("stride_w"):
        name = "stride_h" if param.stride_h == 0 else "stride_w"
        return name, (
            f"`{name}: 0` of `{layer.name}` is not checked: Caffe divides by it and dies of SIGFPE; write at least 1"
        )
    name, other = ("stride_h", "stride_w") if param.HasField("stride_h") else ("stride_w", "stride_h")
    return name, (
        f"`{layer.name}` has `{name}: {getattr(param, name)}` alone, which leaves `{other}` 0: Caffe divides "
        f"by it and dies of SIGFPE; write `{other}` too"
    )

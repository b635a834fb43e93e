"""Windows over volumes that forks give a number an axis in fields of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nanlint.caffe.layers.sizes import int32

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import ConvolutionParameter, PoolingParameter

# fields that forks have in convolutions and in pooling alike
FORK_GEOMETRY = frozenset(
    """
    kernel_d kernel_depth kernel_shape kernel_size_x kernel_size_y kstride kstride_d kstride_h
    kstride_w pad_b pad_d pad_l pad_r pad_shape pad_t pad_type
    pad_x pad_y size_floor stride_d stride_shape stride_x stride_y temporal_stride
    """.split()
)

_DEPTH_LAST = ("h", "w", "d")
_OWN_STRIDES = ("kstride", "kstride_h", "kstride_w", "kstride_d")


class VolumeWindow(NamedTuple):
    """One number a spatial axis each."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]


def volume_window(param: ConvolutionParameter | PoolingParameter, axes: int) -> VolumeWindow | None:
    """How the window of a fork moves over so many axes; None where its fields do not say.

    video-caffe writes `kernel_shape` and the like (cudnn_ndconv_layer.cpp, cudnn_ndpooling_layer.cpp), Caffe_3D_FF
    `kernel_h`, `kernel_w`, `kernel_d` for blobs of N x C x H x W x D (conv_layer.cpp, pooling_layer.cpp).
    """
    if param.HasField("kernel_shape"):
        found = VolumeWindow(
            tuple(param.kernel_shape.dim),
            tuple(param.stride_shape.dim) or (1,) * axes,
            tuple(param.pad_shape.dim) or (0,) * axes,
        )
    elif param.HasField("kernel_d") and not any(param.HasField(name) for name in _OWN_STRIDES):
        found = VolumeWindow(_by_axis(param, "kernel", 0), _by_axis(param, "stride", 1), _by_axis(param, "pad", 0))
    else:
        return None
    sound = all(len(numbers) == axes for numbers in found) and min((*found.kernel, *found.stride), default=0) > 0
    return found if sound else None


def _by_axis(param: ConvolutionParameter | PoolingParameter, name: str, default: int) -> tuple[int, ...]:
    """The `_h`, `_w` and `_d` fields, or the one number of `stride` or `pad` for all three."""
    fields = [f"{name}_{axis}" for axis in _DEPTH_LAST]
    if name != "kernel" and not any(param.HasField(field) for field in fields):
        whole = getattr(param, name)
        numbers = [whole] if isinstance(whole, int) else list(whole) or [default]
        return (int32(numbers[0]),) * len(fields)
    return tuple(int32(getattr(param, field)) if param.HasField(field) else default for field in fields)

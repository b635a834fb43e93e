"""Pooling over more than two axes: volumes and clips, which some forks pool and BVLC Caffe does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.forks import fork_needs
from nanlint.caffe.layers.base import Blobs, Dim, LayerSetup
from nanlint.caffe.layers.sizes import LEGACY_AXES, int32
from nanlint.findings import Severity

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import PoolingParameter

_BY_AXIS = ("kernel_h", "kernel_w", "stride_h", "stride_w", "pad_h", "pad_w")


def several(layer: LayerSetup, name: str) -> tuple[int, ...]:
    """The values of `kernel_size`, `stride` or `pad`, one an axis, where a fork takes several."""
    origin = layer.origin
    values = origin.bound.repeats.get(f"{origin.route}.pooling_param.{name}", ())
    return tuple(int32(int(value)) for value in values)


def pools_volume(layer: LayerSetup) -> bool:
    """Whether a layer must be a fork's: its bottom has more than four axes, or a setting several values."""
    shape = layer.bottoms[0].shape
    beyond = shape is not None and len(shape) > LEGACY_AXES
    return not layer.pinned and (beyond or any(several(layer, name) for name in ("kernel_size", "stride", "pad")))


def volume(layer: LayerSetup, shape: tuple[Dim, ...]) -> Blobs:
    """Tops of pooling over all axes after the channels, as the forks that can do it round them: up."""
    from nanlint.caffe.layers.pooling import Window, pooled, round_mode

    param = layer.param.pooling_param
    if not _for_a_fork(layer):
        layer.report(
            "axis-out-of-range",
            "bottom[0]",
            f"`{layer.name}` pools {layer.bottom(0)} over {len(shape) - 2} axes, and BVLC Caffe aborts: it takes "
            "4 axes; use a fork that pools volumes",
            severity=Severity.WARNING,
            related=layer.origins(0),
        )
    spatial: list[Dim] = [None] * (len(shape) - 2)
    windows = _windows(layer, param, len(spatial))
    if param.global_pooling:
        spatial = [1] * len(spatial)
    elif windows is not None:
        kernels, strides, pads = windows
        padded = any(pads)
        for i, size in enumerate(shape[2:]):
            if strides[i] > 0 and kernels[i] > 0:
                spatial[i] = pooled(size, Window(kernels[i], strides[i], pads[i]), round_mode(param), padded)
    return Blobs(((*shape[:2], *spatial),) * len(layer.top_names))


def _windows(layer: LayerSetup, param: PoolingParameter, axes: int) -> list[tuple[int, ...]] | None:
    """Kernel, stride and pad of each axis; None where they are not one, or one an axis."""
    if any(param.HasField(name) for name in _BY_AXIS) or not param.HasField("kernel_size"):
        return None
    single = {"kernel_size": param.kernel_size, "stride": param.stride, "pad": param.pad}
    found = [several(layer, name) or (int32(value),) * axes for name, value in single.items()]
    return found if all(len(values) == axes for values in found) else None


def _for_a_fork(layer: LayerSetup) -> bool:
    """Whether a fork will run the file, and so may pool volumes."""
    bound = layer.origin.bound
    return bound.dialect.pinned or bool(fork_needs(bound))

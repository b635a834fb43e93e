"""Detectors of forks: regions on the wrong scale, classes that disagree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.model import kept
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.proof import spelled
from nanlint.rules.registry import WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer, Net

TOLERANCE = 0.05


@rule("DET001", "region-scale", WARNING, effect=Effect.NONE)
def region_scale(layer: Layer) -> Iterator[Problem]:
    """Regions are pooled at the wrong place: `spatial_scale` is not 1 / the product of the strides below.

    **In Caffe** regions are given in pixels of the image and multiplied by `spatial_scale` to find them on
    the map (roi_pooling_layer.cpp of Fast R-CNN, psroi_pooling_layer.cpp of R-FCN), and nothing compares it
    with the map. A region beyond the map is pooled as 0 and has no gradient.

    Where no layer below has a stride, the bottom is a map of another net, and nothing is said.

    **Instead** write 1 divided by the product of all strides from the image to the bottom: 0.0625 for 16.
    """
    message = layer.facts.scale_block
    if not message or layer.refused or not layer.bottoms:
        return
    param = getattr(layer.param, message)
    stride = _strides(layer.net).get(layer.bottoms[0])
    if stride in (None, 1) or (layer.type == "ROIPooling" and (param.pooled_l or param.spatial_scale_xy != 1)):
        return
    scale = param.spatial_scale
    if abs(scale * stride - 1) <= TOLERANCE:
        return
    written = (
        f"`spatial_scale: {spelled(scale)}`"
        if param.HasField("spatial_scale")
        else (f"missing `spatial_scale` ({spelled(scale)})")
    )
    says = (
        f"says that the image is {spelled(1 / scale)} times as large as" if scale > 0 else "puts every region at 0 of"
    )
    yield finding(
        layer.at(f"{message}.spatial_scale"),
        f"{written} of `{layer.name}` {says} `{layer.bottoms[0].name}`, but the strides below multiply to "
        f"{spelled(stride)}, so regions are pooled at the wrong place; write `spatial_scale: {spelled(1 / stride)}`",
        related=[Related(f"`{layer.bottoms[0].name}` is made here", layer.bottoms[0].made_at)],
        layer=layer.name,
        phase=layer.net.phase,
    )


@kept
def _strides(net: Net) -> dict[Blob, float | None]:
    """How many pixels of the image one step on a blob is, by blob; None where it is not known."""
    found: dict[Blob, float | None] = {}
    for layer in net.layers:
        step = layer.facts.map_step(layer) if layer.param.bottom else 1.0
        below = {found.get(blob) for blob in layer.bottoms} if layer.param.bottom else {1.0}
        base = below.pop() if len(below) == 1 else None
        value = None if base is None or step is None else base * step
        found.update((blob, value) for blob in layer.tops)
    return found

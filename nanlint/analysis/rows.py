"""What becomes of a net when a Filter layer drops rows: every forward pass shapes the layers above anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nanlint.caffe.layers.base import Blobs, Bottom, LayerSetup, LayerType, Refusal, shown
from nanlint.caffe.model import Blob, Layer, Net, Shape, count, same_shape
from nanlint.findings import Related


class Failure(NamedTuple):
    """Where Caffe dies, and why; the places that have to do with it."""

    layer: Layer
    reason: str
    related: tuple[Related, ...] = ()


def first_failure(net: Net, rows: Mapping[Layer, int]) -> Failure | None:
    """The layer that dies in the first forward pass once the Filter layers keep that many rows; None if none
    does.

    Layers whose bottoms stay as they were are passed over. Shapes that cannot be known end the search above
    them.
    """
    shapes: dict[Blob, Shape] = {}
    for layer in net.layers:
        changed = [blob for blob in layer.bottoms if blob in shapes]
        if layer in rows:
            _keep(layer, rows[layer], shapes)
            continue
        if not changed or layer.spec is None or layer.refused:
            continue
        found = _again(layer, layer.spec, shapes)
        if isinstance(found, Failure):
            return found
        remade = zip(layer.tops, found.tops, strict=False)
        shapes.update((blob, shape) for blob, shape in remade if same_shape(blob.shape, shape) is not True)
    return None


def _keep(layer: Layer, rows: int, shapes: dict[Blob, Shape]) -> None:
    """The tops of a Filter with another number of rows."""
    for blob in layer.tops:
        if blob.shape:
            shapes[blob] = (rows, *blob.shape[1:])


def _again(layer: Layer, spec: LayerType, shapes: dict[Blob, Shape]) -> Blobs | Failure:
    """The layer's Reshape with the changed bottoms, and whether it and its forward pass survive."""
    setup = LayerSetup(
        layer.param,
        layer.phase,
        [Bottom(blob.name, shapes.get(blob, blob.shape), blob) for blob in layer.bottoms],
        [blob.name for blob in layer.tops],
        layer.origin,
        [],
        again=True,
    )
    try:
        blobs = spec.setup(setup)
        fixed = spec.fixed_at_setup(setup)
    except Refusal as refusal:
        return Failure(layer, refusal.problem.message, refusal.problem.related)
    for learned, param in zip(layer.params, blobs.params, strict=False):
        if same_shape(learned.param.shape, param.shape) is False:
            return Failure(
                layer,
                f"`{layer.name}` then needs weights of {shown(param.shape)} but has "
                f"{shown(learned.param.shape)}",
            )
    before = LayerSetup(
        layer.param,
        layer.phase,
        [Bottom(blob.name, blob.shape, blob) for blob in layer.bottoms],
        [blob.name for blob in layer.tops],
        layer.origin,
        [],
    )
    if same_shape(spec.fixed_at_setup(before), fixed) is False:
        return Failure(layer, f"`{layer.name}` does not let its number of steps change")
    if spec.dies_without_rows(layer.param) and any(count(bottom.shape) == 0 for bottom in setup.bottoms):
        return Failure(layer, f"`{layer.name}` ({layer.type}) cannot work on an empty batch")
    return blobs

"""Layers of forks that move numbers: Permute, ShuffleChannel, Reorg, Axpy."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, Dim, InPlace, LayerSetup, LayerType, exactly
from nanlint.caffe.layers.sizes import legacy_shape, needs_same_shape


class Permute(LayerType):
    """Top: the axes in another order, those not named after the named ones (permute_layer.cpp of SSD)."""

    rearranges = True

    def setup(self, layer: LayerSetup) -> Blobs:
        order = list(layer.param.permute_param.order)
        shape = layer.bottoms[0].shape
        for i, axis in enumerate(order):
            if axis in order[:i]:
                raise layer.refuse(
                    "conflicting-fields",
                    f"permute_param.order[{i}]",
                    f"`{layer.name}` has `order: {axis}` twice, and Caffe aborts; name each axis once",
                )
            if shape is not None and axis >= len(shape):
                raise layer.refuse(
                    "axis-out-of-range",
                    f"permute_param.order[{i}]",
                    f"`order: {axis}` of `{layer.name}` is no axis of {layer.bottom(0)}, which has "
                    f"{len(shape)}, and Caffe aborts; write axes from 0 to {len(shape) - 1}",
                    related=layer.origins(0),
                )
        if shape is None:
            return Blobs((None,))
        order += [axis for axis in range(len(shape)) if axis not in order]
        return Blobs((tuple(shape[axis] for axis in order),))


class ShuffleChannel(LayerType):
    """The shape of the bottom; `group` divides its channels (shuffle_channel_layer.cpp of ShuffleNet)."""

    keeps_maps = True
    rearranges = True

    def setup(self, layer: LayerSetup) -> Blobs:
        if layer.param.shuffle_channel_param.group == 0:
            raise layer.refuse(
                "value-out-of-range",
                "shuffle_channel_param.group",
                f"`group: 0` of `{layer.name}` is not above 0, and Caffe aborts; write at least 1",
            )
        return Blobs((layer.bottoms[0].shape,))


class Reorg(LayerType):
    """Space to channels: channels times stride squared, height and width by the stride (reorg_layer.cpp of
    YOLO).
    """

    in_place = InPlace.REFUSED

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.reorg_param
        if not param.stride:
            raise layer.refuse(
                "missing-field",
                "reorg_param.stride",
                f"`{layer.name}` has no `stride` above 0, and Caffe aborts; write at least 1",
            )
        sizes = legacy_shape(layer, 0)
        if sizes is None:
            return Blobs((None,))
        number, channels, height, width = sizes
        deeper, smaller = (_over, _times) if param.reverse else (_times, _over)
        by = param.stride
        return Blobs(((number, deeper(channels, by * by), smaller(height, by), smaller(width, by)),))


class Axpy(LayerType):
    """Scale (N x C, or N x C x 1 x 1), x and y: scale x + y, in the shape of x (axpy_layer.cpp of SENet)."""

    bottoms = exactly(3)

    def setup(self, layer: LayerSetup) -> Blobs:
        needs_same_shape(layer, 1, 2)
        scale, shape = layer.bottoms[0].shape, layer.bottoms[1].shape
        for axis, (one, two) in enumerate(zip((scale or ())[:2], (shape or ())[:2], strict=False)):
            if one is not None and two is not None and one != two:
                raise layer.refuse(
                    "shape-mismatch",
                    "bottom[0]",
                    f"`{layer.name}` scales {layer.bottom(1)} by {layer.bottom(0)}, but they have {two} and "
                    f"{one} along axis {axis}, and Caffe aborts; give them the same size there",
                    related=layer.origins(0, 1),
                )
        return Blobs((shape if shape is not None else layer.bottoms[2].shape,))


def _times(size: Dim, factor: int) -> Dim:
    return None if size is None else size * factor


def _over(size: Dim, divisor: int) -> Dim:
    return None if size is None else size // divisor


class Transpose(LayerType):
    """The axes of the bottom in the order of `dim` (transpose_layer.cpp of CTPN)."""

    rearranges = True
    in_place = InPlace.REFUSED

    def setup(self, layer: LayerSetup) -> Blobs:
        order = layer.param.transpose_param.dim
        shape = layer.bottoms[0].shape
        if shape is None or sorted(order) != [*range(len(shape))]:
            return Blobs((None,))
        return Blobs((tuple(shape[axis] for axis in order),))

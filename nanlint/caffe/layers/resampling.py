"""Maps made larger or smaller in forks: Interp (DeepLab), Upsample (SegNet, YOLO), Resize."""

from __future__ import annotations

from math import isfinite

from nanlint.caffe.layers.base import Blobs, Dim, LayerSetup, LayerType, Shape, between
from nanlint.caffe.layers.sizes import legacy_shape, quotient
from nanlint.caffe.model import count

SIZES_WRITTEN = 4


class Interp(LayerType):
    """Top: the map shrunk, zoomed, set to `height` and `width`, or to bottom 1's size (interp_layer.cpp)."""

    rearranges = True
    bottoms = between(1, 2)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.interp_param
        for field in ("pad_beg", "pad_end"):
            if getattr(param, field) > 0:
                raise layer.refuse(
                    "value-out-of-range",
                    f"interp_param.{field}",
                    f"`{field}: {getattr(param, field)}` of `{layer.name}` is above 0, and Caffe aborts: it "
                    "can only crop; write 0 or less",
                )
        sizes = legacy_shape(layer, 0)
        if sizes is None:
            return Blobs(((None,) * 4,))
        if param.full_zoom_factor != 1 or param.use_blob_size or param.is_seglabel:
            return Blobs(((*sizes[:2], None, None),))
        like = legacy_shape(layer, 1) if len(layer.bottoms) > 1 else None
        height, width = (self.size(layer, size, axis, like) for axis, size in ((2, sizes[2]), (3, sizes[3])))
        return Blobs(((*sizes[:2], height, width),))

    def size(self, layer: LayerSetup, size: Dim, axis: int, like: Shape) -> Dim:
        """The size along height or width."""
        param = layer.param.interp_param
        shrink, zoom = param.HasField("shrink_factor"), param.HasField("zoom_factor")
        if not shrink and not zoom:
            if param.HasField("height") and param.HasField("width"):
                return param.height if axis == 2 else param.width
            return like[axis] if like else None
        if size is None or (shrink and param.shrink_factor < 1):
            return None
        kept = size + param.pad_beg + param.pad_end
        if shrink:
            kept = quotient(kept - 1, param.shrink_factor) + 1
        return kept + (kept - 1) * (param.zoom_factor - 1) if zoom else kept


class Upsample(LayerType):
    """Top: height and width times `scale`, or `upsample_h` x `upsample_w` by a mask of maxima
    (upsample_layer.cpp).
    """

    rearranges = True
    bottoms = between(1, 2)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.upsample_param
        shape = layer.bottoms[0].shape
        if shape is None or len(shape) < 2 or param.HasField("upsample_l") or param.HasField("scale_l"):
            return Blobs((None,))
        if param.HasField("upsample_h") and param.HasField("upsample_w"):
            return Blobs(((*shape[:-2], param.upsample_h, param.upsample_w),))
        both = param.HasField("scale_h")
        scales = (param.scale_h, param.scale_w) if both else (param.scale, param.scale)
        off = (param.pad_out_h, param.pad_out_w)
        made = [
            None if size is None else size * scale - int(less)
            for size, scale, less in zip(shape[-2:], scales, off, strict=True)
        ]
        return Blobs(((*shape[:-2], *made),))


class Resize(LayerType):
    """Top: height and width as written, by a factor, or like bottom 1 (resize_layer.cpp of
    pose_action_caffe).
    """

    bottoms = between(1, 2)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.resize_param
        sizes = legacy_shape(layer, 0)
        if sizes is None:
            return Blobs(((None,) * 4,))
        height: Dim = None
        width: Dim = None
        like = legacy_shape(layer, 1) if len(layer.bottoms) > 1 else None
        if like and count(like) not in (None, SIZES_WRITTEN):
            height, width = like[2:]
        elif param.HasField("height") and param.HasField("width"):
            height, width = param.height, param.width
        elif param.HasField("height_fac") and param.HasField("width_fac"):
            height, width = _scaled(sizes[2], param.height_fac), _scaled(sizes[3], param.width_fac)
        return Blobs(((*sizes[:2], height, width),))


def _scaled(size: Dim, factor: float) -> Dim:
    return int(size * factor) if size is not None and isfinite(factor) else None

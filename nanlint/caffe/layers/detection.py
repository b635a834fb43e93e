"""Layers of detectors: Fast R-CNN, R-FCN and SSD, as their forks of Caffe have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Blobs, Dim, LayerSetup, LayerType, Shape, at_least, between, exactly
from nanlint.caffe.layers.sizes import LEGACY_AXES, LegacyShape, legacy_shape

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import MultiBoxLossParameter, PriorBoxParameter

BOX = 4
DETECTION = 7
EVALUATION = 5
PRIOR_BOTTOM = 2


class ROIPooling(LayerType):
    """Top: a map of pooled_h x pooled_w for each region of bottom 1 (roi_pooling_layer.cpp of Fast R-CNN)."""

    scale_block = "roi_pooling_param"
    rearranges = True
    bottoms = at_least(2)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.roi_pooling_param
        if param.pooled_size or param.pooled_l:
            return Blobs((None,))
        for field in ("pooled_h", "pooled_w"):
            if getattr(param, field) == 0:
                raise layer.refuse(
                    "value-out-of-range" if param.HasField(field) else "missing-field",
                    f"roi_pooling_param.{field}",
                    f"`{field}` of `{layer.name}` is 0, and Caffe aborts; write how large each region becomes",
                )
        sizes, regions = legacy_shape(layer, 0), legacy_shape(layer, 1)
        return Blobs(((_number(regions), sizes[1] if sizes else None, param.pooled_h, param.pooled_w),))

    def may_propagate(self, bottom: int) -> bool:
        return bottom == 0


class PSROIPooling(LayerType):
    """Top: output_dim maps of group_size x group_size for each region (psroi_pooling_layer.cpp of R-FCN)."""

    scale_block = "psroi_pooling_param"
    bottoms = exactly(2)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.psroi_pooling_param
        for field in ("output_dim", "group_size"):
            if getattr(param, field) <= 0:
                raise layer.refuse(
                    "value-out-of-range" if param.HasField(field) else "missing-field",
                    f"psroi_pooling_param.{field}",
                    f"`{field}` of `{layer.name}` is {getattr(param, field)}, and Caffe aborts; write at least 1",
                )
        sizes = legacy_shape(layer, 0)
        wanted = param.output_dim * param.group_size**2
        if sizes and sizes[1] is not None and sizes[1] != wanted:
            raise layer.refuse(
                "shape-mismatch",
                "psroi_pooling_param.output_dim",
                f"`{layer.name}` needs {param.output_dim} x {param.group_size} x {param.group_size} = "
                f"{wanted} channels (`output_dim`, `group_size`), but {layer.bottom(0)} has {sizes[1]}, and "
                "Caffe aborts; write settings with that product",
                related=layer.origins(0),
            )
        regions = legacy_shape(layer, 1)
        return Blobs(((_number(regions), param.output_dim, param.group_size, param.group_size),))

    def may_propagate(self, bottom: int) -> bool:
        return bottom == 0


class PriorBox(LayerType):
    """Top: 1 x 2 x 4 numbers for each box on each place of bottom 0 (prior_box_layer.cpp of SSD)."""

    bottoms = between(1, 2)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.prior_box_param
        boxes = _boxes(layer, param)
        sizes = legacy_shape(layer, 0)
        if sizes is None or sizes[2] is None or sizes[3] is None or boxes is None:
            return Blobs(((1, 2, None),))
        return Blobs(((1, 2, sizes[2] * sizes[3] * boxes * BOX),))

    def may_propagate(self, bottom: int) -> bool:
        return False


class DetectionOutput(LayerType):
    """Top: 1 x 1 x 1 x 7 until the first forward pass, then a row for each box found
    (detection_output_layer.cpp).
    """

    bottoms = at_least(3)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.detection_output_param
        if len(layer.bottoms) == 3 and not param.tflite_detection and param.HasField("num_classes"):
            _match_priors(layer, param.num_classes, 1 if param.share_location else param.num_classes)
        return Blobs(((1, 1, 1, DETECTION),) * len(layer.top_names))

    def may_propagate(self, bottom: int) -> bool:
        return False


class DetectionEvaluate(LayerType):
    """Top: a row for each class and each detection (detection_evaluate_layer.cpp of SSD); Cascade R-CNN's
    layer of the same name takes a third bottom.
    """

    bottoms = between(2, 3)

    def setup(self, layer: LayerSetup) -> Blobs:
        return Blobs(((1, 1, None, EVALUATION),))

    def may_propagate(self, bottom: int) -> bool:
        return False


class MultiBoxLoss(LayerType):
    """Locations, confidences, priors and boxes; the top is a scalar (multibox_loss_layer.cpp of SSD)."""

    bottoms = at_least(4)
    tops = between(0, 2)
    makes_missing_tops = True
    is_loss = True

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.multibox_loss_param
        _needs_classes(layer, param)
        if len(layer.bottoms) == 4 and param.HasField("num_classes"):
            _match_priors(layer, param.num_classes, 1 if param.share_location else param.num_classes)
        return Blobs(((),) * len(layer.top_names))

    def may_propagate(self, bottom: int) -> bool:
        return bottom not in (2, 3)


def _number(sizes: LegacyShape | None) -> Dim:
    return sizes[0] if sizes else None


def _boxes(layer: LayerSetup, param: PriorBoxParameter) -> Dim:
    """How many boxes a place has: each minimum size with each aspect ratio, and one for each maximum size.

    None where a fork's own fields say it otherwise. Raises Refusal where the sizes do not fit.
    """
    if any((param.anchor, param.box_height, param.fixed_size, param.default_size, param.height, param.width)):
        return None
    if param.faceboxes or param.reduce_boxes or param.density or param.tf or param.keras:
        return None
    if not param.min_size:
        raise layer.refuse(
            "missing-field",
            "prior_box_param",
            f"`{layer.name}` has no `min_size`, and Caffe aborts; write the size of its boxes",
        )
    if param.max_size and len(param.max_size) != len(param.min_size):
        raise layer.refuse(
            "conflicting-fields",
            "prior_box_param.max_size[0]",
            f"`{layer.name}` has {len(param.max_size)} `max_size` for {len(param.min_size)} `min_size`, and "
            "Caffe aborts; write one for each, or none",
        )
    for i, (low, high) in enumerate(zip(param.min_size, param.max_size, strict=False)):
        if high <= low:
            raise layer.refuse(
                "conflicting-fields",
                f"prior_box_param.max_size[{i}]",
                f"`max_size: {high:g}` of `{layer.name}` is not above its `min_size: {low:g}`, and Caffe "
                "aborts; write a larger one",
            )
    ratios = [1.0]
    for ratio in param.aspect_ratio:
        if all(abs(ratio - known) >= 1e-6 for known in ratios):
            ratios.append(ratio)
            if param.flip and ratio:
                ratios.append(1 / ratio)
    return len(ratios) * len(param.min_size) + len(param.max_size)


def _match_priors(layer: LayerSetup, classes: int, locations: int) -> None:
    """Refusal unless there is a location and a confidence for each prior box."""
    shapes: list[Shape] = [bottom.shape for bottom in layer.bottoms[:3]]
    if any(shape is None or len(shape) > LEGACY_AXES for shape in shapes):
        return
    location, confidence, prior = (legacy_shape(layer, i) for i in range(3))
    assert location is not None
    assert confidence is not None
    assert prior is not None
    if prior[2] is None:
        return
    priors = prior[2] // BOX
    if (location[1], confidence[1]) == (2 * priors * locations * BOX, 2 * priors * classes):
        return  # TextBoxes makes two boxes of each
    for index, found, each, what in (
        (0, location[1], locations * BOX, "location numbers"),
        (1, confidence[1], classes, "confidences"),
    ):
        if found is None or found == priors * each:
            continue
        remedy = "make as many boxes a place in the convolutions as in the `PriorBox` layers"
        if index == 1 and priors and found % priors == 0:
            remedy = (
                f"the convolutions score {found // priors} classes: write `num_classes: {found // priors}`, or "
                f"give them {each} outputs for each box"
            )
        raise layer.refuse(
            "shape-mismatch",
            f"bottom[{index}]",
            f"`{layer.name}` has {priors} prior boxes in {layer.bottom(PRIOR_BOTTOM)}, so it wants "
            f"{priors} x {each} = {priors * each} {what}, but {layer.bottom(index)} has {found}, and "
            f"Caffe aborts; {remedy}",
            related=layer.origins(index, PRIOR_BOTTOM),
        )


def _needs_classes(layer: LayerSetup, param: MultiBoxLossParameter) -> None:
    """Refusal unless there are classes, and the background is one of them."""
    route = "multibox_loss_param.num_classes"
    if not param.HasField("num_classes"):
        raise layer.refuse(
            "missing-field",
            "multibox_loss_param",
            f"`{layer.name}` has no `num_classes`, and Caffe aborts; write how many classes there are, with the "
            "background",
        )
    if param.num_classes == 0:
        raise layer.refuse(
            "value-out-of-range",
            route,
            f"`num_classes: 0` of `{layer.name}`, and Caffe aborts; count the background as a class",
        )
    if param.conf_loss_type == param.SOFTMAX and param.background_label_id >= param.num_classes:
        raise layer.refuse(
            "value-out-of-range",
            "multibox_loss_param.background_label_id",
            f"`background_label_id: {param.background_label_id}` of `{layer.name}` is none of its "
            f"{param.num_classes} classes (from 0), and Caffe aborts; write the label of the background, such as 0",
        )

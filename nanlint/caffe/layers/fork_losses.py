"""Losses of forks: SmoothL1Loss, FocalLoss, CenterLoss, and those of YOLO."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType, Param, at_least, between, exactly
from nanlint.caffe.layers.sizes import axis_of
from nanlint.caffe.model import count


class ForkLoss(LayerType):
    """Scalars without axes; forks differ in what they check."""

    bottoms = at_least(2)
    tops = between(0, 3)
    makes_missing_tops = True
    is_loss = True

    def setup(self, layer: LayerSetup) -> Blobs:
        return Blobs(((),) * len(layer.top_names))

    def may_propagate(self, bottom: int) -> bool:
        return bottom != 1

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return False


class SmoothL1Loss(ForkLoss):
    """Predictions and targets of one shape, and weights of the same (smooth_L1_loss_layer.cpp)."""

    bottoms = between(2, 4)

    def setup(self, layer: LayerSetup) -> Blobs:
        one, other = count(layer.bottoms[0].shape, 1), count(layer.bottoms[1].shape, 1)
        if one is not None and other is not None and one != other:
            raise layer.refuse(
                "shape-mismatch",
                "bottom[1]",
                f"`{layer.name}` compares {one} numbers of {layer.bottom(0)} with {other} of "
                f"{layer.bottom(1)} for each example, and Caffe aborts; give both the same number",
                related=layer.origins(0, 1),
            )
        return super().setup(layer)

    def may_propagate(self, bottom: int) -> bool:
        return True


class FocalLoss(ForkLoss):
    """As SoftmaxWithLoss, with easy examples weighted down (focal_loss_layer.cpp: gamma >= 0, alpha > 0)."""

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.focal_loss_param
        for field, fails, least in (
            ("gamma", not param.gamma >= 0, "0 or more, such as 2"),
            ("alpha", not param.alpha > 0, "more than 0, such as 0.25"),
        ):
            if fails:
                raise layer.refuse(
                    "value-out-of-range",
                    f"focal_loss_param.{field}",
                    f"`{field}: {getattr(param, field):g}` of `{layer.name}` is out of range, and Caffe aborts; "
                    f"write {least}",
                )
        return super().setup(layer)


class TransformSoftmaxLoss(ForkLoss):
    """SoftmaxWithLoss of labels that a table maps to others (transform_softmax_loss_layer.cpp of TSN)."""

    tops = between(0, 2)

    def setup(self, layer: LayerSetup) -> Blobs:
        return Blobs(((), layer.bottoms[0].shape)[: len(layer.top_names)])


class TransformAccuracy(LayerType):
    """Accuracy of such labels: a scalar without axes (transform_accuracy_layer.cpp of TSN)."""

    bottoms = at_least(2)

    def setup(self, layer: LayerSetup) -> Blobs:
        return Blobs(((),) * len(layer.top_names))

    def may_propagate(self, bottom: int) -> bool:
        return False


class CenterLoss(ForkLoss):
    """Blob: a centre for each of num_output classes (center_loss_layer.cpp of caffe-face)."""

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.center_loss_param
        axis = axis_of(layer, 0, param.axis, "center_loss_param.axis")
        numbers = None if axis is None else count(layer.bottoms[0].shape, axis)
        centers = Param((param.num_output, numbers), param.center_filler, "center_loss_param.center_filler")
        return Blobs(((),) * len(layer.top_names), (centers,))


class Yolov3(ForkLoss):
    """Predictions and boxes (yolov3_layer.cpp of MobileNet-YOLO)."""


class RegionLoss(ForkLoss):
    """Predictions and boxes (region_loss_layer.cpp)."""


class Yolov3DetectionOutput(LayerType):
    """Top: 1 x 1 x 1 x 7 until the first forward pass, then a row for each box found."""

    bottoms = at_least(1)
    tops = exactly(1)

    def setup(self, layer: LayerSetup) -> Blobs:
        return Blobs(((1, 1, 1, 7),))


class YoloDetectionOutput(Yolov3DetectionOutput):
    """Top: 1 x 1 x 1 x 7 until the first forward pass, then a row for each box found."""

"""The losses that need no axis: SigmoidCrossEntropyLoss, EuclideanLoss, HingeLoss, MultinomialLogisticLoss,
ContrastiveLoss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import LayerSetup, exactly
from nanlint.caffe.layers.loss import Loss
from nanlint.caffe.layers.sizes import legacy_at_forward, legacy_shape, needs_elements
from nanlint.caffe.model import count
from nanlint.findings import Effect

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import LayerParameter


class SigmoidCrossEntropyLoss(Loss):
    """As many targets as scores (sigmoid_cross_entropy_loss_layer.cpp)."""

    def check(self, layer: LayerSetup) -> None:
        _same_count(layer, 0)


class EuclideanLoss(Loss):
    """As many numbers an example on both sides (euclidean_loss_layer.cpp)."""

    def check(self, layer: LayerSetup) -> None:
        _same_count(layer, 1)
        legacy_at_forward(layer, 0)

    def may_propagate(self, bottom: int) -> bool:
        return True

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return False


class HingeLoss(Loss):
    """Only the batch sizes are compared (hinge_loss_layer.cpp)."""

    looks_again = False

    def check(self, layer: LayerSetup) -> None:
        legacy_at_forward(layer, 0)

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True


class MultinomialLogisticLoss(Loss):
    """One label an example: channels, height and width of the labels are 1
    (multinomial_logistic_loss_layer.cpp).
    """

    looks_again = False

    def check(self, layer: LayerSetup) -> None:
        _ones(layer, 1, (1, 2, 3))
        legacy_at_forward(layer, 0)

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True


class ContrastiveLoss(Loss):
    """Pairs of vectors and whether they are alike (contrastive_loss_layer.cpp)."""

    bottoms = exactly(3)
    looks_again = False

    def prepare(self, layer: LayerSetup) -> None:
        first, second = legacy_shape(layer, 0), legacy_shape(layer, 1)
        if first and second and first[1] is not None and second[1] is not None and first[1] != second[1]:
            raise layer.refuse(
                "shape-mismatch",
                "bottom[1]",
                f"`{layer.name}` compares {layer.bottom(0)} and {layer.bottom(1)}, which have {first[1]} and "
                f"{second[1]} channels, and Caffe aborts; give them the same number",
                related=layer.origins(0, 1),
            )
        _ones(layer, 0, (2, 3))
        _ones(layer, 1, (2, 3))
        _ones(layer, 2, (1, 2, 3))
        if first:
            needs_elements(layer, first[1], "bottom[0]", "the sum over the channels")

    def check(self, layer: LayerSetup) -> None:
        pairs, labels = legacy_shape(layer, 0), legacy_shape(layer, 2)
        if pairs and labels and pairs[0] is not None and labels[0] is not None and labels[0] < pairs[0]:
            layer.report(
                "index-out-of-range",
                "bottom[2]",
                f"`{layer.name}` has {pairs[0]} pairs in {layer.bottom(0)} but {labels[0]} labels in "
                f"{layer.bottom(2)}: Caffe does not check and reads past the end of the labels; give it a "
                "label for each pair",
                effect=Effect.MEMORY_ERROR,
                related=layer.origins(0, 2),
            )

    def may_propagate(self, bottom: int) -> bool:
        return bottom != 2

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return False


def _same_count(layer: LayerSetup, start: int) -> None:
    """Refusal where the bottoms differ in how many numbers their axes from `start` on hold."""
    one, other = (count(layer.bottoms[i].shape, start) for i in (0, 1))
    if one is not None and other is not None and one != other:
        each = " for each example" if start else ""
        raise layer.refuse(
            "shape-mismatch",
            "bottom[1]",
            f"`{layer.name}` compares {one} numbers of {layer.bottom(0)} with {other} of "
            f"{layer.bottom(1)}{each}, and Caffe aborts; give both the same number",
            related=layer.origins(0, 1),
        )


def _ones(layer: LayerSetup, index: int, axes: tuple[int, ...]) -> None:
    """Refusal where one of the axes of a bottom has not size 1 (missing axes count as 1)."""
    sizes = legacy_shape(layer, index)
    if sizes is None:
        return
    for axis in axes:
        if sizes[axis] not in (None, 1):
            raise layer.refuse(
                "shape-mismatch",
                f"bottom[{index}]",
                f"`{layer.name}` wants size 1 along axis {axis} of {layer.bottom(index)}, which has "
                f"{sizes[axis]}, and Caffe aborts; reshape it, or take another loss",
                related=layer.origins(index),
            )

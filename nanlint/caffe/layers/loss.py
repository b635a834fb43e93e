"""What the loss layers have in common (loss_layer.cpp)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from nanlint.caffe.layers.base import Blobs, InPlace, LayerSetup, LayerType, exactly
from nanlint.caffe.layers.sizes import size_of
from nanlint.caffe.model import count
from nanlint.numbers.float32 import f32
from nanlint.numbers.values import NAN, Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Dim, Layer

SCALAR = ()


class Loss(LayerType):
    """Scores and labels of one batch; the top is a scalar without axes, and made if the file names none."""

    bottoms = exactly(2)
    tops = exactly(1)
    makes_missing_tops = True
    is_loss = True
    in_place = InPlace.WRONG_OUTPUT
    looks_again: ClassVar[bool] = True
    """Reshape looks at the scores after the top, which may be the same blob, has become a scalar."""

    def setup(self, layer: LayerSetup) -> Blobs:
        self.prepare(layer)
        one, other = size_of(layer, 0, 0), size_of(layer, 1, 0)
        if one is not None and other is not None and one != other:
            raise layer.refuse(
                "shape-mismatch",
                "bottom[1]",
                f"`{layer.name}` wants one batch, but {layer.bottom(0)} and {layer.bottom(1)} have {one} and "
                f"{other} along axis 0, and Caffe aborts; give both the same batch size",
                related=layer.origins(0, 1),
            )
        if self.looks_again and layer.in_place(0):
            raise layer.refuse(
                "refused-in-place",
                "top[0]",
                f"`{layer.name}` writes its loss over its scores {layer.bottom(0)}, which become a scalar "
                "while they are still looked at, and Caffe aborts; write another `top`",
                related=layer.origins(0),
            )
        self.check(layer)
        return Blobs((SCALAR,) * len(layer.top_names))

    def prepare(self, layer: LayerSetup) -> None:
        """The type's own conditions before the batch sizes are compared. Raises Refusal."""

    def check(self, layer: LayerSetup) -> None:
        """The type's own conditions after that. Raises Refusal."""

    def may_propagate(self, bottom: int) -> bool:
        return bottom != 1

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return bottom == 1


def one_label_each(layer: LayerSetup, axis: int) -> None:
    """Refusal unless there is a label for each place outside the class axis."""
    shape = layer.bottoms[0].shape
    if shape is None:
        return
    places = count((*shape[:axis], *shape[axis + 1 :]))
    labels = count(layer.bottoms[1].shape)
    if places is not None and labels is not None and places != labels:
        raise layer.refuse(
            "shape-mismatch",
            "bottom[1]",
            f"`{layer.name}` wants one label for each of the {places} places of {layer.bottom(0)} outside "
            f"the class axis {axis}, but {layer.bottom(1)} has {labels}, and Caffe aborts; make the labels "
            f"{places} numbers, or write the axis of the classes",
            related=layer.origins(0, 1),
        )


def scalar(low: float, high: float, *, known: bool = True) -> Value:
    """A loss between two numbers."""
    return Value(f32(low), f32(high), known=known, count=1, number=1)


NAN_LOSS = Value(math.nan, math.nan, True, True, 1, found=(NAN,))


def perhaps(x: Value) -> Value:
    """A loss of scores that may not be finite."""
    return Value(-math.inf, math.inf, True, x.known, 1)


def rows_of(step: Step) -> int | None:
    """The batch size; None where it is unknown."""
    shape = step.layer.bottoms[0].shape
    return shape[0] if shape else None


def classes_along(layer: Layer, axis: int) -> Dim:
    """The size of the class axis of bottom 0."""
    shape = layer.bottoms[0].shape
    return shape[axis] if shape and -len(shape) <= axis < len(shape) else None

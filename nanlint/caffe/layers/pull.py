"""How a loss pulls on its predictions at initialisation, and what it is divided by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nanlint.caffe.model import count
from nanlint.numbers.moments import Moment

if TYPE_CHECKING:
    from nanlint.caffe.model import Dim, Layer, Shape


SATURATED = 87.3365
"""-ln of the smallest normal float32: the largest value of SoftmaxWithLoss for one sample."""


class Pull(NamedTuple):
    """A loss without its weight, for predictions at initialisation.

    `value`: the loss; None where it is unknown (labels or targets that nobody has seen).
    `log_gradient`: ln of |dL/df|^2 over the elements of one sample; None where it is unknown.
    `log_curvature`: ln of the second derivative along the steepest direction, times the batch size.
    `log_residual`: ln of the squared distance, over one sample's elements, by which predictions miss.
    `log_room`: ln of how far, in the same measure, predictions must move for ten times the loss; inf
    where a clamp keeps it below.
    `common`: the share of the gradient that samples have in common.
    """

    value: float | None
    log_gradient: float | None
    log_curvature: float
    log_residual: float | None
    log_room: float | None
    common: float = 0.0


def normalization(layer: Layer) -> str:
    """VALID, FULL, BATCH_SIZE or NONE, as LayerSetUp chooses (softmax_loss_layer.cpp and its sigmoid kin)."""
    param = layer.param.loss_param
    if param.HasField("normalization"):
        return {param.FULL: "FULL", param.BATCH_SIZE: "BATCH_SIZE", param.NONE: "NONE"}.get(
            param.normalization, "VALID"
        )
    if param.HasField("normalize"):
        return "VALID" if param.normalize else "BATCH_SIZE"
    return layer.facts.normalization


def divisor(layer: Layer, batch: int, elements: int) -> int:
    """What the sum over `batch` x `elements` terms is divided by."""
    return {"BATCH_SIZE": batch, "NONE": 1}.get(normalization(layer), batch * elements)


def sample_size(shape: Shape) -> tuple[int, int] | None:
    """The batch size, and how many elements one sample has."""
    batch: Dim = shape[0] if shape else None
    elements = count(shape, 1) if shape else None
    return (batch, elements) if batch and elements else None


def is_constant(moment: Moment | None) -> bool:
    """Whether all samples are alike."""
    return moment is not None and moment.common > 0.999

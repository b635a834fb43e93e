"""BatchNorm: each channel shifted and scaled to mean 0 and variance 1."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, Dim, LayerSetup, LayerType, Param, Shape
from nanlint.caffe.layers.sizes import has_fork_fields, needs_elements, size_of
from nanlint.caffe.layers.weights import unchecked_inline
from nanlint.caffe.model import count


class BatchNorm(LayerType):
    """The shape of the bottom, of at least 2 axes; blobs: mean, variance, their common factor
    (batch_norm_layer.cpp).
    """

    def setup(self, layer: LayerSetup) -> Blobs:
        shape = layer.bottoms[0].shape
        if shape is not None and len(shape) == 1:
            raise layer.refuse(
                "axis-out-of-range",
                "bottom[0]",
                f"`{layer.name}` reads axis 1 of {layer.bottom(0)}, which has only 1 axis, and Caffe aborts; "
                "put a `Reshape` layer before it",
                related=layer.origins(0),
            )
        channels = size_of(layer, 0, 1)
        blobs: tuple[Shape, ...] = ((channels,), (channels,), (1,))
        if has_fork_fields(layer.param.batch_norm_param):
            return Blobs((shape,), _with_scale(channels, len(layer.param.param)))
        if layer.param.blobs:
            params = unchecked_inline(layer, blobs)
        else:
            needs_elements(layer, channels, "bottom[0]", "the running mean")
            params = tuple(Param(blob) for blob in blobs)
        _check_specs(layer)
        if shape is not None:
            _check_elements(layer, shape)
        return Blobs((shape,), params)


def _with_scale(channels: Dim, specs: int) -> tuple[Param, ...]:
    """The blobs where a fork's layer has its scale and bias too: 5 in NVIDIA's Caffe, 3 to 5 in others."""
    statistics = (Param((channels,)), Param((channels,)), Param((1,)))
    return (*statistics, *(Param((channels,)),) * max(2, specs - 3))


def _check_specs(layer: LayerSetup) -> None:
    """The statistics are no weights: a written `param` must have lr_mult 0."""
    for i, spec in enumerate(layer.param.param[:3]):
        if spec.lr_mult != 0:
            said = f"`lr_mult: {spec.lr_mult:g}`" if spec.HasField("lr_mult") else "no `lr_mult`, which counts as 1,"
            raise layer.refuse(
                "value-out-of-range",
                f"param[{i}].lr_mult",
                f"`param` {i} of `{layer.name}` has {said} and Caffe aborts, because the statistics are not "
                "learned; "
                "write `param { lr_mult: 0 }` three times, or leave them out",
            )


def _check_elements(layer: LayerSetup, shape: tuple[int | None, ...]) -> None:
    number, channels = shape[:2]
    if number == 0:
        raise layer.refuse(
            "division-by-zero",
            "bottom[0]",
            f"`{layer.name}` divides by the batch size of {layer.bottom(0)}, which is 0: Caffe dies of "
            "SIGFPE; give it a batch",
            related=layer.origins(0),
        )
    if number and channels:
        needs_elements(layer, count(shape, 2), "bottom[0]", "the map of one channel")

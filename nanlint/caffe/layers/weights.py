"""The learnable blobs of a layer: filled, or read from `blobs` in the prototxt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import LayerSetup, Param, Shape, shown
from nanlint.caffe.layers.sizes import dims, needs_elements, reshaped
from nanlint.caffe.model import count, same_shape
from nanlint.findings import Effect

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import BlobProto, FillerParameter


def weights(layer: LayerSetup, shape: Shape, filler: FillerParameter | None, route: str, default: float = 0.0) -> Param:
    """A blob that the layer makes and fills. Raises Refusal if it cannot be made, or has nothing to fill."""
    reshaped(layer, shape, route, f"the parameter blob of `{layer.name}`")
    needs_elements(layer, count(shape), route, "the parameter blob")
    return Param(shape, filler, route, default)


def written_shape(blob: BlobProto) -> tuple[int, ...]:
    """The shape of a blob in the prototxt (Blob::FromProto): num, channels, height, width make four axes."""
    if any(blob.HasField(name) for name in ("num", "channels", "height", "width")):
        return blob.num, blob.channels, blob.height, blob.width
    return dims(blob.shape)


def inline(layer: LayerSetup) -> tuple[Param, ...]:
    """The parameters as `blobs` of the prototxt give them; empty where there are none."""
    return tuple(Param(written_shape(blob), None, f"blobs[{i}]") for i, blob in enumerate(layer.param.blobs))


def checked_inline(layer: LayerSetup, expected: tuple[Shape, ...]) -> tuple[Param, ...]:
    """The inline blobs, which must be as many and as large as the layer's own (base_conv_layer.cpp)."""
    params = inline(layer)
    if len(params) != len(expected):
        raise layer.refuse(
            "param-mismatch",
            "blobs[0]",
            f"`{layer.name}` has {len(params)} `blobs` and needs {len(expected)}, and Caffe aborts; "
            f"write {len(expected)}",
        )
    for i, (param, shape) in enumerate(zip(params, expected, strict=True)):
        if same_shape(param.shape, shape) is False:
            raise layer.refuse(
                "param-mismatch",
                f"blobs[{i}].shape",
                f"`blobs` {i} of `{layer.name}` is {shown(param.shape)}, but the layer needs {shown(shape)}, "
                "and Caffe aborts; write that shape",
                related=layer.origins(),
            )
    return params


def unchecked_inline(layer: LayerSetup, expected: tuple[Shape, ...]) -> tuple[Param, ...]:
    """The inline blobs of a layer that looks neither at their number nor at their shapes.

    Reports those that are missing (the process dies of a signal) or too small (read past their end).
    """
    params = inline(layer)
    if len(params) < len(expected):
        layer.report(
            "param-mismatch",
            "blobs[0]",
            f"`{layer.name}` has {len(params)} `blobs` and uses {len(expected)}; Caffe does not check and "
            f"dies of a signal at the missing one; write {len(expected)}",
            effect=Effect.MEMORY_ERROR,
        )
    for i, (param, shape) in enumerate(zip(params, expected, strict=False)):
        given, needed = count(param.shape), count(shape)
        if given is not None and needed is not None and given < needed:
            layer.report(
                "param-mismatch",
                f"blobs[{i}]",
                f"`blobs` {i} of `{layer.name}` holds {given} numbers and the layer uses {needed} "
                f"({shown(shape)}): Caffe does not check and reads past its end; write all of them",
                effect=Effect.MEMORY_ERROR,
                related=layer.origins(),
            )
    return params

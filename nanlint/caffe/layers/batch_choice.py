"""BatchReindex and Filter: chosen examples of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Arity, Blobs, LayerSetup, LayerType, Param, Shape, at_least, exactly
from nanlint.caffe.layers.sizes import needs_elements, size_of
from nanlint.caffe.model import count
from nanlint.findings import Effect
from nanlint.numbers.combining import selection
from nanlint.numbers.draws import anything
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.schema.caffe_pb2 import LayerParameter


class BatchReindex(LayerType):
    """Top: as many examples of bottom 0 as bottom 1, of one axis, has indices (batch_reindex_layer.cpp)."""

    bottoms = exactly(2)

    def setup(self, layer: LayerSetup) -> Blobs:
        shape, indices = layer.bottoms[0].shape, layer.bottoms[1].shape
        if indices is not None and len(indices) != 1:
            raise layer.refuse(
                "axis-out-of-range",
                "bottom[1]",
                f"`{layer.name}` wants indices of 1 axis, but {layer.bottom(1)} has {len(indices)}, and "
                "Caffe aborts; put a `Flatten` or `Reshape` layer before it",
                related=layer.origins(1),
            )
        if shape is None:
            return Blobs((None,))
        if not shape:
            layer.report(
                "axis-out-of-range",
                "bottom[0]",
                f"`{layer.name}` chooses rows of {layer.bottom(0)}, which has none: the net is built, and "
                "Caffe aborts in the first forward pass; give it a blob with a batch axis",
                effect=Effect.RUN_FAILURE,
                related=layer.origins(0),
            )
        return Blobs(((indices[0] if indices else None, *shape[1:]),))

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return bottom == 1

    def dies_without_rows(self, param: LayerParameter) -> bool:
        return True

    def values(self, step: Step) -> list[Value]:
        return [selection(step.bottoms[0], step.top_count())]


class Filter(LayerType):
    """Tops: all bottoms but the last, with the examples where the last is not 0; at setup all of them
    (filter_layer.cpp).
    """

    bottoms = at_least(2)
    tops = at_least(1)

    def arities(self, param: LayerParameter) -> tuple[Arity, Arity]:
        if param.HasField("filter_param"):
            return exactly(1), exactly(1)
        return self.bottoms, self.tops

    def setup(self, layer: LayerSetup) -> Blobs:
        if layer.param.HasField("filter_param"):
            return _chosen_channels(layer)
        last = len(layer.bottoms) - 1
        if len(layer.top_names) != last:
            raise layer.refuse(
                "wrong-top-count",
                "top[0]",
                f"`{layer.name}` has {len(layer.top_names)} tops for {last} bottoms and a selector, and "
                f"Caffe aborts; write {last}",
            )
        self.check(layer, last)
        shapes: list[Shape] = []
        for bottom in layer.bottoms[:last]:
            batch = size_of(layer, 0, 0)
            shapes.append(None if bottom.shape is None else (batch, *bottom.shape[1:]))
        return Blobs(tuple(shapes))

    def check(self, layer: LayerSetup, last: int) -> None:
        """Refusal unless the selector has one number an example."""
        selector = layer.bottoms[last].shape
        for axis, size in enumerate(selector or ()):
            if axis and size not in (None, 1):
                raise layer.refuse(
                    "shape-mismatch",
                    f"bottom[{last}]",
                    f"the selector {layer.bottom(last)} of `{layer.name}` must have size 1 along every axis "
                    f"but the first, and Caffe aborts at {size} along axis {axis}; give it one number an "
                    "example",
                    related=layer.origins(last),
                )
        for i in range(last):
            wanted, size = size_of(layer, last, 0), size_of(layer, i, 0)
            if wanted is not None and size is not None and wanted != size:
                raise layer.refuse(
                    "shape-mismatch",
                    f"bottom[{i}]",
                    f"the selector {layer.bottom(last)} of `{layer.name}` has {wanted} numbers for the "
                    f"{size} examples of {layer.bottom(i)}, and Caffe aborts; give it one an example",
                    related=layer.origins(i, last),
                )
        needs_elements(layer, count(selector), f"bottom[{last}]", "the selector")

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return bottom == bottoms - 1 > 0

    def values(self, step: Step) -> list[Value]:
        """How many rows pass the selector is not known before it runs: perhaps none."""
        return [anything() for _ in step.bottoms[:-1]]


def _chosen_channels(layer: LayerSetup) -> Blobs:
    """The Filter of channel pruning: it keeps `num_output` along `axis`, chosen by a blob of its own."""
    param = layer.param.filter_param
    shape = layer.bottoms[0].shape
    if shape is None or not 0 <= param.axis < len(shape):
        return Blobs((None,), (Param((None,)),))
    kept = (*shape[: param.axis], param.num_output or None, *shape[param.axis + 1 :])
    return Blobs((kept,), (Param((shape[param.axis],)),))

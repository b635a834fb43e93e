"""MemoryData: a batch that a program hands over."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType, exactly
from nanlint.caffe.layers.sizes import int32, reshaped
from nanlint.caffe.layers.source_layers import check_transform
from nanlint.findings import Effect, Severity

PARAM = "memory_data_param"


class MemoryData(LayerType):
    """Tops: batch x channels x height x width; labels (memory_data_layer.cpp)."""

    labels_on_top = True
    transforms = True
    bottoms = exactly(0)
    tops = exactly(2)
    touches_data = False

    def setup(self, layer: LayerSetup) -> Blobs:
        check_transform(layer)
        param = layer.param.memory_data_param
        fields = ("batch_size", "channels", "height", "width")
        shape = tuple(int32(getattr(param, field)) for field in fields)
        if min(shape) <= 0:
            field = fields[next(i for i, size in enumerate(shape) if size <= 0)]
            missing = not param.HasField(field)
            raise layer.refuse(
                "missing-field" if missing else "value-out-of-range",
                f"{PARAM}.{field}",
                f"`{layer.name}` has "
                f"{f'no `{field}`' if missing else f'`{field}: {getattr(param, field)}`'}, and Caffe aborts; "
                "write `batch_size`, `channels`, `height` and `width`, each at least 1",
            )
        layer.report(
            "missing-field",
            "",
            f"`{layer.name}` gets its data from a program that calls Reset; `caffe train` does not, and "
            "aborts in the first forward pass; use it from Python or C++, or write another data layer",
            effect=Effect.RUN_FAILURE,
            severity=Severity.INFO,
        )
        return Blobs((reshaped(layer, shape, PARAM, f"`{layer.top_names[0]}`"), (shape[0],)))

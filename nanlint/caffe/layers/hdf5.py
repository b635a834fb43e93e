"""HDF5Data and HDF5Output: blobs out of and into HDF5 files."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType, at_least, exactly
from nanlint.caffe.layers.sizes import legacy_at_forward, size_of
from nanlint.caffe.layers.source_layers import check_source
from nanlint.findings import Effect


class HDF5Data(LayerType):
    """Tops: the datasets of their names, cut to batches; nothing is transformed (hdf5_data_layer.cpp)."""

    source_block = "hdf5_data_param"
    reshapes = False
    bottoms = exactly(0)
    tops = at_least(1)
    touches_data = False

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.hdf5_data_param
        if layer.param.HasField("transform_param"):
            raise layer.refuse(
                "conflicting-fields",
                "transform_param",
                f"`{layer.name}` has a `transform_param`, which HDF5Data does not apply, and Caffe aborts; "
                "leave it out and scale the data when you write the file",
            )
        check_source(layer, "hdf5_data_param", param.source)
        if param.batch_size == 0:
            layer.report(
                "value-out-of-range" if param.HasField("batch_size") else "missing-field",
                "hdf5_data_param.batch_size",
                f"`{layer.name}` has no `batch_size` above 0: the net is built with an empty batch, and "
                "Caffe aborts in the first forward pass; write at least 1",
                effect=Effect.RUN_FAILURE,
            )
        return Blobs(tuple(layer.given.get(name) for name in layer.top_names))


class HDF5Output(LayerType):
    """Writes two blobs of one batch (hdf5_output_layer.cpp)."""

    bottoms = exactly(2)
    tops = exactly(0)

    def setup(self, layer: LayerSetup) -> Blobs:
        check_source(layer, "hdf5_output_param", layer.param.hdf5_output_param.file_name, "file_name")
        legacy_at_forward(layer, 0)
        legacy_at_forward(layer, 1)
        shapes = [bottom.shape for bottom in layer.bottoms]
        one, other = (size_of(layer, i, 0) if shape else 1 for i, shape in enumerate(shapes))
        if None not in shapes and one is not None and other is not None and one != other:
            layer.report(
                "shape-mismatch",
                "bottom[1]",
                f"`{layer.name}` wants one batch, but {layer.bottom(0)} and {layer.bottom(1)} have {one} and "
                f"{other}: the net is built, and Caffe aborts in the first forward pass; give both the same "
                "batch size",
                effect=Effect.RUN_FAILURE,
                related=layer.origins(0, 1),
            )
        return Blobs(())

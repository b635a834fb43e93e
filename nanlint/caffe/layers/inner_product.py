"""InnerProduct: a fully connected layer."""

from __future__ import annotations

from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType, Param
from nanlint.caffe.model import count


class InnerProduct(LayerType):
    """Top: the bottom's axes before `axis`, then `num_output` (inner_product_layer.cpp, LayerSetUp and Reshape)."""

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.inner_product_param
        if param.num_output == 0:
            raise layer.refuse(
                "value-out-of-range",
                "inner_product_param.num_output",
                f"`num_output` of `{layer.name}` is 0, and Caffe aborts on the empty weights; "
                "write how many outputs the layer shall have",
            )
        shape = layer.bottoms[0].shape
        axis = param.axis
        if shape is None:
            return Blobs((None,), (Param(None, param.weight_filler, "inner_product_param.weight_filler"),))
        if not -len(shape) <= axis < len(shape):
            raise layer.refuse(
                "axis-out-of-range",
                "inner_product_param.axis",
                f"`axis: {axis}` of `{layer.name}` is no axis of `{layer.bottoms[0].name}`, which has {len(shape)}",
                related=[layer.origin_of(0, f"`{layer.bottoms[0].name}` comes from here")],
            )
        axis %= len(shape)
        weights = (param.num_output, count(shape, axis))
        params = [Param(weights, param.weight_filler, "inner_product_param.weight_filler")]
        if param.bias_term:
            params.append(Param((param.num_output,), param.bias_filler, "inner_product_param.bias_filler"))
        return Blobs(((*shape[:axis], param.num_output),), tuple(params))

from __future__ import annotations

import pytest

from nanlint.schema.descriptors import descriptor
from nanlint.schema.suggest import distance, suggest_field, where_else


@pytest.mark.parametrize(
    ("message", "written", "meant"),
    [
        ("PoolingParameter", "kernel", "kernel_size"),
        ("PoolingParameter", "kernelsize", "kernel_size"),
        ("ConvolutionParameter", "strides", "stride"),
        ("InnerProductParameter", "numOutput", "num_output"),
        ("InnerProductParameter", "num_outputs", "num_output"),
        ("InnerProductParameter", "weigth_filler", "weight_filler"),
        ("LayerParameter", "innerproduct_param", "inner_product_param"),
        ("LayerParameter", "inner_product", "inner_product_param"),
        ("LayerParameter", "bottoms", "bottom"),
        ("LayerParameter", "data_pram", "data_param"),
        ("LayerParameter", "poling_param", "pooling_param"),
        ("LayerParameter", "BOTTOM", "bottom"),
        ("FillerParameter", "stddev", "std"),
        ("ParamSpec", "weight_decay", "decay_mult"),
        ("SolverParameter", "step_size", "stepsize"),
        ("SolverParameter", "max_iters", "max_iter"),
        ("SolverParameter", "learning_rate", "base_lr"),
    ],
)
def test_one_name_is_meant(message: str, written: str, meant: str) -> None:
    suggestion = suggest_field(descriptor(message), written)
    assert suggestion.names[:1] == (meant,)
    assert suggestion.sure


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("LayerParameter", "bn_param"),
        ("LayerParameter", "reorg_param"),
        ("LayerParameter", "a"),
        ("NetParameter", "options"),
    ],
)
def test_no_name_comes_near(message: str, written: str) -> None:
    assert not suggest_field(descriptor(message), written).sure


@pytest.mark.parametrize(
    ("message", "written", "layer_type", "said"),
    [
        ("LayerParameter", "stride", "Pooling", "it belongs inside `pooling_param`"),
        ("LayerParameter", "num_output", "InnerProduct", "it belongs inside `inner_product_param`"),
        ("LayerParameter", "blobs_lr", "Convolution", "V1 format"),
        ("LayerParameter", "layer", "", "is a `}` missing"),
        ("LayerParameter", "base_lr", "", "it belongs to the solver"),
        ("SolverParameter", "layer", "", "it belongs to the net"),
        ("PoolingParameter", "num_output", "Pooling", ""),
        ("LayerParameter", "colour", "", ""),
    ],
)
def test_where_a_name_does_exist(message: str, written: str, layer_type: str, said: str) -> None:
    found = where_else(descriptor(message), written, layer_type)
    assert said in found
    assert bool(found) == bool(said) or message == "PoolingParameter"


def test_a_block_that_only_forks_have_is_named_where_forks_count() -> None:
    layer = descriptor("LayerParameter")
    assert where_else(layer, "nms_threshold", "") != ""
    assert where_else(layer, "nms_threshold", "", forks=False) == ""


def test_distance() -> None:
    assert distance("weigth", "weight", 2) == 1
    assert distance("kernel", "kernal", 2) == 1
    assert distance("stride", "strides", 2) == 1
    assert distance("abc", "xyz", 2) == 3
    assert distance("a" * 50, "b", 2) == 3

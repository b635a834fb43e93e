"""What Caffe logs as "Top shape" for layers of well-known nets, and for each type at least once."""

from __future__ import annotations

from typing import Any

import pytest

from nanlint.caffe.layers.base import Shape
from tests.caffe.layers.one_layer import set_up

Case = tuple[str, str, list[Shape], list[Shape], list[Shape]]

IMAGE = (10, 3, 227, 227)  # CaffeNet's input
DIGITS = (64, 1, 28, 28)  # LeNet's input

# type, settings, bottoms, tops, parameters
KNOWN: list[Case] = [
    # LeNet (examples/mnist/lenet_train_test.prototxt)
    (
        "Convolution",
        "convolution_param { num_output: 20 kernel_size: 5 stride: 1 }",
        [DIGITS],
        [(64, 20, 24, 24)],
        [(20, 1, 5, 5), (20,)],
    ),
    (
        "Pooling",
        "pooling_param { pool: MAX kernel_size: 2 stride: 2 }",
        [(64, 20, 24, 24)],
        [(64, 20, 12, 12)],
        [],
    ),
    (
        "InnerProduct",
        "inner_product_param { num_output: 500 }",
        [(64, 50, 4, 4)],
        [(64, 500)],
        [(500, 800), (500,)],
    ),
    ("ReLU", "", [(64, 500)], [(64, 500)], []),
    ("SoftmaxWithLoss", "", [(64, 10), (64,)], [()], []),
    ("Accuracy", "", [(64, 10), (64,)], [()], []),
    ("Accuracy", "", [(64, 10), (64,)], [(), (10,)], []),
    ("Data", 'data_param { source: "train_lmdb" batch_size: 64 }', [], [(64, None, None, None), (64,)], []),
    # CaffeNet (models/bvlc_reference_caffenet/train_val.prototxt)
    (
        "Data",
        'data_param { source: "lmdb" batch_size: 256 } transform_param { crop_size: 227 mean_file: "mean" }',
        [],
        [(256, None, 227, 227), (256,)],
        [],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 96 kernel_size: 11 stride: 4 }",
        [IMAGE],
        [(10, 96, 55, 55)],
        [(96, 3, 11, 11), (96,)],
    ),
    (
        "Pooling",
        "pooling_param { pool: MAX kernel_size: 3 stride: 2 }",
        [(10, 96, 55, 55)],
        [(10, 96, 27, 27)],
        [],
    ),
    (
        "LRN",
        "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }",
        [(10, 96, 27, 27)],
        [(10, 96, 27, 27)],
        [],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 256 pad: 2 kernel_size: 5 group: 2 }",
        [(10, 96, 27, 27)],
        [(10, 256, 27, 27)],
        [(256, 48, 5, 5), (256,)],
    ),
    (
        "InnerProduct",
        "inner_product_param { num_output: 4096 }",
        [(10, 256, 6, 6)],
        [(10, 4096)],
        [(4096, 9216), (4096,)],
    ),
    ("Dropout", "dropout_param { dropout_ratio: 0.5 }", [(10, 4096)], [(10, 4096)], []),
    ("Softmax", "", [(10, 1000)], [(10, 1000)], []),
    # GoogLeNet: pooling rounds up, a padded window past the border is taken off
    ("Pooling", "pooling_param { kernel_size: 3 stride: 2 }", [(1, 64, 112, 112)], [(1, 64, 56, 56)], []),
    ("Pooling", "pooling_param { kernel_size: 3 stride: 2 pad: 1 }", [(1, 8, 5, 5)], [(1, 8, 3, 3)], []),
    (
        "Pooling",
        "pooling_param { kernel_size: 3 stride: 2 round_mode: FLOOR }",
        [(1, 64, 112, 112)],
        [(1, 64, 55, 55)],
        [],
    ),
    ("Pooling", "pooling_param { pool: AVE global_pooling: true }", [(1, 1024, 7, 7)], [(1, 1024, 1, 1)], []),
    (
        "Pooling",
        "pooling_param { kernel_size: 2 stride: 2 }",
        [(1, 2, 4, 4)],
        [(1, 2, 2, 2), (1, 2, 2, 2)],
        [],
    ),
    ("Concat", "", [(1, 64, 28, 28), (1, 128, 28, 28), (1, 32, 28, 28)], [(1, 224, 28, 28)], []),
    # a fully convolutional net: upsampling and cropping
    (
        "Deconvolution",
        "convolution_param { num_output: 21 kernel_size: 64 stride: 32 bias_term: false }",
        [(1, 21, 16, 16)],
        [(1, 21, 544, 544)],
        [(21, 21, 64, 64)],
    ),
    (
        "Crop",
        "crop_param { axis: 2 offset: 19 }",
        [(1, 21, 544, 544), (1, 3, 500, 500)],
        [(1, 21, 500, 500)],
        [],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 512 kernel_size: 3 pad: 2 dilation: 2 }",
        [(1, 512, 28, 28)],
        [(1, 512, 28, 28)],
        [(512, 512, 3, 3), (512,)],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 3 }",
        [(2, 3, 9)],
        [(2, 4, 7)],
        [(4, 3, 3), (4,)],
    ),
    ("Im2col", "convolution_param { kernel_size: 3 stride: 2 }", [(2, 3, 7, 9)], [(2, 27, 3, 4)], []),
    # one bottom, the same shape
    ("AbsVal", "", [(2, 3, 4)], [(2, 3, 4)], []),
    ("BNLL", "", [(2, 3, 4)], [(2, 3, 4)], []),
    ("ELU", "", [(2, 3, 4)], [(2, 3, 4)], []),
    ("Exp", "", [(2, 3, 4)], [(2, 3, 4)], []),
    ("Log", "", [(2, 3, 4)], [(2, 3, 4)], []),
    ("Power", "", [(2, 3, 4)], [(2, 3, 4)], []),
    ("Sigmoid", "", [(2, 3, 4)], [(2, 3, 4)], []),
    ("Swish", "", [(2, 3, 4)], [(2, 3, 4)], []),
    ("TanH", "", [(2, 3, 4)], [(2, 3, 4)], []),
    ("Threshold", "", [(2, 3, 4)], [(2, 3, 4)], []),
    ("Clip", "clip_param { min: 0 max: 6 }", [(2, 3)], [(2, 3)], []),
    ("PReLU", "", [(2, 3, 4, 4)], [(2, 3, 4, 4)], [(3,)]),
    ("PReLU", "prelu_param { channel_shared: true }", [(2, 3)], [(2, 3)], [()]),
    # normalisation, scaling
    ("BatchNorm", "", [(2, 64, 7, 7)], [(2, 64, 7, 7)], [(64,), (64,), (1,)]),
    ("Scale", "scale_param { bias_term: true }", [(2, 64, 7, 7)], [(2, 64, 7, 7)], [(64,), (64,)]),
    ("Scale", "scale_param { axis: 0 num_axes: -1 }", [(2, 3)], [(2, 3)], [(2, 3)]),
    ("Scale", "scale_param { axis: 0 }", [(2, 3, 4), (2, 3)], [(2, 3, 4)], []),
    ("Bias", "", [(2, 64, 7, 7)], [(2, 64, 7, 7)], [(64,)]),
    ("Bias", "bias_param { axis: 0 }", [(2, 3), ()], [(2, 3)], []),
    ("MVN", "", [(2, 3)], [(2, 3, 1, 1)], []),
    # shapes
    ("Flatten", "", [(64, 50, 4, 4)], [(64, 800)], []),
    ("Flatten", "flatten_param { axis: 1 end_axis: 0 }", [(2, 3)], [(2, 1, 3)], []),
    ("Reshape", "reshape_param { shape { dim: 0 dim: -1 } }", [(64, 50, 4, 4)], [(64, 800)], []),
    (
        "Reshape",
        "reshape_param { shape { dim: 2 dim: 3 } axis: 1 num_axes: 1 }",
        [(4, 6, 5)],
        [(4, 2, 3, 5)],
        [],
    ),
    ("Slice", "slice_param { slice_point: 1 slice_point: 3 }", [(2, 6)], [(2, 1), (2, 2), (2, 3)], []),
    ("Slice", "slice_param { axis: 0 }", [(4, 6)], [(2, 6), (2, 6)], []),
    ("Split", "", [(2, 3)], [(2, 3), (2, 3)], []),
    ("Silence", "", [(2, 3), (4,)], [], []),
    ("Eltwise", "eltwise_param { operation: SUM }", [(2, 3), (2, 3)], [(2, 3)], []),
    ("Reduction", "reduction_param { axis: 1 }", [(2, 3, 4)], [(2,)], []),
    ("Reduction", "", [(2, 3, 4)], [()], []),
    ("Tile", "tile_param { tiles: 4 }", [(2, 3)], [(2, 12)], []),
    ("ArgMax", "", [(10, 1000)], [(10, 1, 1)], []),
    ("ArgMax", "argmax_param { out_max_val: true top_k: 5 }", [(10, 8, 2, 2)], [(10, 2, 5, 1)], []),
    ("ArgMax", "argmax_param { axis: 1 }", [(10, 21, 8, 8)], [(10, 1, 8, 8)], []),
    (
        "Embed",
        "embed_param { num_output: 1000 input_dim: 8801 }",
        [(20, 16)],
        [(20, 16, 1000)],
        [(8801, 1000), (1000,)],
    ),
    ("BatchReindex", "", [(5, 3, 2), (9,)], [(9, 3, 2)], []),
    ("Filter", "", [(8, 3), (8, 1), (8,)], [(8, 3), (8, 1)], []),
    ("SPP", "spp_param { pyramid_height: 3 }", [(1, 256, 13, 13)], [(1, 5376)], []),
    ("SPP", "spp_param { pyramid_height: 1 }", [(1, 256, 13, 13)], [(1, 256, 1, 1)], []),
    # sequences
    (
        "LSTM",
        "recurrent_param { num_output: 256 }",
        [(20, 16, 1000), (20, 16)],
        [(20, 16, 256)],
        [(1024, 1000), (1024,), (1024, 256)],
    ),
    (
        "RNN",
        "recurrent_param { num_output: 4 expose_hidden: true }",
        [(5, 2, 3), (5, 2), (2, 7), (1, 2, 4)],
        [(5, 2, 4), (1, 2, 4)],
        [(4, 3), (4,), (4, 7), (4, 4), (4, 4), (4,)],
    ),
    ("LSTMUnit", "", [(1, 2, 4), (1, 2, 16), (1, 2)], [(1, 2, 4), (1, 2, 4)], []),
    # losses
    ("SoftmaxWithLoss", "", [(1, 21, 500, 500), (1, 1, 500, 500)], [()], []),
    ("SigmoidCrossEntropyLoss", "", [(2, 20), (2, 20)], [()], []),
    ("EuclideanLoss", "", [(2, 6), (2, 2, 3)], [()], []),
    ("HingeLoss", "", [(2, 6), (2,)], [()], []),
    ("MultinomialLogisticLoss", "", [(2, 6), (2, 1, 1, 1)], [()], []),
    ("InfogainLoss", "", [(2, 6), (2,), (1, 1, 6, 6)], [()], []),
    ("ContrastiveLoss", "", [(64, 2), (64, 2), (64,)], [()], []),
    # sources and sinks
    ("Input", "input_param { shape { dim: 1 dim: 3 dim: 224 dim: 224 } }", [], [(1, 3, 224, 224)], []),
    ("DummyData", "dummy_data_param { num: 4 channels: 3 height: 2 width: 1 }", [], [(4, 3, 2, 1)], []),
    ("DummyData", "dummy_data_param { shape { dim: 4 dim: 3 } }", [], [(4, 3), (4, 3)], []),
    ("Parameter", "parameter_param { shape { dim: 3 dim: 4 } }", [], [(3, 4)], [(3, 4)]),
    (
        "ImageData",
        'image_data_param { source: "list" batch_size: 50 new_height: 256 new_width: 256 } '
        "transform_param { crop_size: 227 }",
        [],
        [(50, 3, 227, 227), (50,)],
        [],
    ),
    (
        "WindowData",
        'window_data_param { source: "list" batch_size: 128 } transform_param { crop_size: 227 }',
        [],
        [(128, None, 227, 227), (128,)],
        [],
    ),
    ("HDF5Data", 'hdf5_data_param { source: "list" batch_size: 10 }', [], [None, None], []),
    ("HDF5Output", 'hdf5_output_param { file_name: "out.h5" }', [(2, 3), (2,)], [], []),
    (
        "MemoryData",
        "memory_data_param { batch_size: 1 channels: 3 height: 4 width: 5 }",
        [],
        [(1, 3, 4, 5), (1,)],
        [],
    ),
    ("Python", 'python_param { module: "m" layer: "L" }', [(2, 3)], [None, None], []),
]


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value.isalnum() else None


@pytest.mark.parametrize(("type_name", "settings", "bottoms", "tops", "params"), KNOWN, ids=_name)
def test_tops_and_parameters(
    type_name: str, settings: str, bottoms: list[Shape], tops: list[Shape], params: list[Shape]
) -> None:
    got = set_up(type_name, settings, *bottoms, tops=len(tops))
    assert got.tops == tops
    assert got.params == params


UNKNOWN: list[Case] = [
    (
        "Convolution",
        "convolution_param { num_output: 8 kernel_size: 3 }",
        [(64, None, None, None)],
        [(64, 8, None, None)],
        [],
    ),
    ("Convolution", "convolution_param { num_output: 8 kernel_size: 3 }", [None], [None], []),
    ("Pooling", "pooling_param { kernel_size: 3 stride: 2 }", [(None, 8, None, 9)], [(None, 8, None, 4)], []),
    ("InnerProduct", "inner_product_param { num_output: 10 }", [(64, None, 2)], [(64, 10)], []),
    ("Flatten", "", [(None, 3, 4)], [(None, 12)], []),
    ("Reshape", "reshape_param { shape { dim: 0 dim: -1 } }", [(None, 3, 4)], [(None, 12)], []),
    ("Reshape", "reshape_param { shape { dim: 7 dim: -1 } }", [None], [(7, None)], []),
    ("Concat", "", [(2, None, 4), (2, 3, None)], [(2, None, 4)], []),
    ("Eltwise", "", [(2, None), (None, 3)], [(2, 3)], []),
    ("Slice", "slice_param { slice_point: 2 }", [(2, None)], [(2, 2), (2, None)], []),
    ("SoftmaxWithLoss", "", [(64, None), None], [()], []),
    ("LSTM", "recurrent_param { num_output: 8 }", [None, (5, 2)], [(5, 2, 8)], []),
    ("Crop", "", [(1, 2, None, 9), None], [(1, 2, None, None)], []),
    ("SPP", "spp_param { pyramid_height: 2 }", [(1, 2, None, 9)], [(1, None)], []),
]


@pytest.mark.parametrize(("type_name", "settings", "bottoms", "tops", "params"), UNKNOWN, ids=_name)
def test_what_is_unknown_stays_unknown_and_is_no_finding(
    type_name: str, settings: str, bottoms: list[Shape], tops: list[Shape], params: list[Shape]
) -> None:
    got = set_up(type_name, settings, *bottoms, tops=len(tops))
    assert got.tops == tops
    assert got.problems == []


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case[0])
def test_bottoms_of_unknown_shape_refuse_nothing(case: Case) -> None:
    type_name, settings, bottoms, tops, _ = case
    got = set_up(type_name, settings, *[None] * len(bottoms), tops=len(tops))
    assert got.blobs is not None
    assert len(got.tops) == len(tops)


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case[0])
def test_bottoms_of_unknown_sizes_keep_their_axes(case: Case) -> None:
    type_name, settings, bottoms, tops, _ = case
    vague = [None if shape is None else (None,) * len(shape) for shape in bottoms]
    got = set_up(type_name, settings, *vague, tops=len(tops))
    for shape, exact in zip(got.tops, tops, strict=True):
        if shape is not None and exact is not None:
            assert len(shape) == len(exact)
            assert all(size in (None, known) for size, known in zip(shape, exact, strict=True))


def test_a_given_shape_stands_for_what_a_database_holds() -> None:
    got = set_up(
        "Data",
        'data_param { source: "lmdb" batch_size: 64 }',
        tops=2,
        given={"t0": (64, 3, 227, 227)},
    )
    assert got.tops == [(64, 3, 227, 227), (64,)]

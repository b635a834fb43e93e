"""Where Caffe aborts while it sets a layer up, by kind of mistake, with both values in the message."""

from __future__ import annotations

import pytest

from nanlint.caffe.layers.base import Shape
from nanlint.findings import Effect
from tests.caffe.layers.one_layer import set_up

MAP = (2, 3, 8, 8)
Case = tuple[str, str, list[Shape], str, list[str]]

# type, settings, bottoms, kind, words that the message must have
REFUSED: list[Case] = [
    ("Convolution", "convolution_param { kernel_size: 3 }", [MAP], "missing-field", ["num_output"]),
    (
        "Convolution",
        "convolution_param { num_output: 0 kernel_size: 3 }",
        [MAP],
        "value-out-of-range",
        ["num_output: 0"],
    ),
    ("Convolution", "convolution_param { num_output: 4 }", [MAP], "missing-field", ["kernel_size"]),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 0 }",
        [MAP],
        "value-out-of-range",
        ["kernel_size"],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_h: 3 }",
        [MAP],
        "value-out-of-range",
        ["spatial axis 1"],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 3 kernel_h: 3 kernel_w: 3 }",
        [MAP],
        "conflicting-fields",
        ["kernel_size: 3", "kernel_h"],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 3 group: 2 }",
        [MAP],
        "shape-mismatch",
        ["`group: 2` of `l` does not divide the 3 channels of `b0`"],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 3 group: 3 }",
        [MAP],
        "conflicting-fields",
        ["group: 3", "num_output: 4"],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 3 group: 0 }",
        [MAP],
        "division-by-zero",
        ["SIGFPE"],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 3 stride: 0 }",
        [MAP],
        "value-out-of-range",
        ["stride"],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 3 stride_h: 2 }",
        [MAP],
        "division-by-zero",
        ["stride_h: 2", "stride_w"],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 11 }",
        [MAP],
        "negative-size",
        ["11", "8"],
    ),
    ("Convolution", "convolution_param { num_output: 4 kernel_size: 9 }", [MAP], "empty-blob", ["bias"]),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: [3, 3, 3] }",
        [MAP],
        "shape-mismatch",
        ["3 times"],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 3 axis: 4 }",
        [MAP],
        "axis-out-of-range",
        ["axis 4"],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_size: 3 } blobs { data: 1 }",
        [MAP],
        "param-mismatch",
        ["1", "2"],
    ),
    (
        "Deconvolution",
        "convolution_param { num_output: 4 kernel_size: 2 pad: 9 }",
        [MAP],
        "negative-size",
        ["pad: 9"],
    ),
    ("Im2col", "convolution_param { kernel_size: 3 axis: 3 }", [MAP], "axis-out-of-range", ["axis 3"]),
    ("Pooling", "", [MAP], "missing-field", ["kernel_size"]),
    ("Pooling", "pooling_param { kernel_h: 2 }", [MAP], "missing-field", ["kernel_w"]),
    (
        "Pooling",
        "pooling_param { kernel_size: 2 kernel_h: 2 kernel_w: 2 }",
        [MAP],
        "conflicting-fields",
        ["kernel_h: 2"],
    ),
    (
        "Pooling",
        "pooling_param { kernel_size: 2 pad: 0 pad_h: 0 pad_w: 0 }",
        [MAP],
        "conflicting-fields",
        ["pad"],
    ),
    ("Pooling", "pooling_param { kernel_size: 2 stride_h: 2 }", [MAP], "conflicting-fields", ["stride"]),
    ("Pooling", "pooling_param { kernel_size: 0 }", [MAP], "value-out-of-range", ["kernel"]),
    ("Pooling", "pooling_param { kernel_size: 2 pad: 2 }", [MAP], "value-out-of-range", ["2 in 2"]),
    ("Pooling", "pooling_param { kernel_size: 2 stride: 0 }", [MAP], "division-by-zero", ["stride: 0"]),
    (
        "Pooling",
        "pooling_param { global_pooling: true kernel_size: 2 }",
        [MAP],
        "conflicting-fields",
        ["global_pooling"],
    ),
    (
        "Pooling",
        "pooling_param { global_pooling: true stride: 2 }",
        [MAP],
        "conflicting-fields",
        ["stride 2 x 2"],
    ),
    (
        "Pooling",
        "pooling_param { kernel_size: 2 }",
        [(2, 3, 8)],
        "axis-out-of-range",
        ["4 axes", "2 x 3 x 8"],
    ),
    ("Pooling", "pooling_param { kernel_size: 11 }", [MAP], "negative-size", ["11", "8"]),
    ("InnerProduct", "", [MAP], "missing-field", ["num_output"]),
    (
        "InnerProduct",
        "inner_product_param { num_output: 2 }",
        [(5,)],
        "axis-out-of-range",
        ["axis 1", "`b0` (5)"],
    ),
    ("Exp", "exp_param { base: 0 }", [MAP], "value-out-of-range", ["base: 0"]),
    ("Log", "log_param { base: 1 }", [MAP], "value-out-of-range", ["1"]),
    ("PReLU", "", [(5,)], "axis-out-of-range", ["at least 2"]),
    ("BatchNorm", "", [(5,)], "axis-out-of-range", ["axis 1"]),
    ("BatchNorm", "", [(0, 3)], "division-by-zero", ["batch size"]),
    ("BatchNorm", "param { decay_mult: 0 }", [MAP], "value-out-of-range", ["counts as 1"]),
    ("LRN", "lrn_param { local_size: 4 }", [MAP], "value-out-of-range", ["local_size: 4"]),
    ("LRN", "", [(2, 3)], "axis-out-of-range", ["4 axes"]),
    ("MVN", "", [(1, 2, 3, 4, 5)], "axis-out-of-range", ["at most 4"]),
    ("Softmax", "", [(5,)], "axis-out-of-range", ["axis 1"]),
    ("Scale", "scale_param { num_axes: 4 }", [MAP], "axis-out-of-range", ["num_axes: 4"]),
    ("Scale", "", [MAP, (1,)], "shape-mismatch", ["1 meets 3"]),
    ("Bias", "bias_param { num_axes: -2 }", [MAP], "value-out-of-range", ["-2"]),
    (
        "Flatten",
        "flatten_param { axis: 3 end_axis: 1 }",
        [MAP],
        "conflicting-fields",
        ["axis: 3", "end_axis: 1"],
    ),
    ("Reshape", "reshape_param { shape { dim: -1 dim: -1 } }", [MAP], "conflicting-fields", ["2 times -1"]),
    ("Reshape", "reshape_param { shape { dim: 5 dim: -1 } }", [MAP], "shape-mismatch", ["384", "5"]),
    ("Reshape", "reshape_param { shape { dim: 5 } }", [MAP], "shape-mismatch", ["384", "5"]),
    ("Reshape", "reshape_param { axis: 5 }", [MAP], "axis-out-of-range", ["axis: 5"]),
    ("Reshape", "reshape_param { shape { dim: -1 } }", [(0, 3)], "empty-blob", []),
    ("Reshape", "reshape_param { shape { dim: 0 dim: -1 } }", [(0, 3)], "division-by-zero", ["SIGFPE"]),
    ("Concat", "concat_param { axis: 1 concat_dim: 1 }", [MAP], "conflicting-fields", ["concat_dim"]),
    ("Concat", "", [MAP, (2, 3, 8, 9)], "shape-mismatch", ["8 and 9 along axis 3"]),
    ("Concat", "", [MAP, (2, 3)], "shape-mismatch", ["4 and 2 axes"]),
    ("Slice", "", [(2, 5)], "shape-mismatch", ["5", "2 tops"]),
    ("Slice", "slice_param { slice_point: 9 }", [(2, 5)], "shape-mismatch", ["slice_point: 9"]),
    ("Slice", "slice_param { slice_point: 0 }", [(2, 5)], "value-out-of-range", ["slice_point: 0"]),
    ("Eltwise", "", [MAP, (2, 3, 8, 1)], "shape-mismatch", ["2 x 3 x 8 x 8", "2 x 3 x 8 x 1"]),
    ("Eltwise", "eltwise_param { coeff: 1 }", [MAP, MAP], "conflicting-fields", ["1 `coeff` for 2"]),
    ("Reduction", "reduction_param { axis: 4 }", [MAP], "axis-out-of-range", ["axis 4"]),
    ("Tile", "", [MAP], "missing-field", ["tiles"]),
    ("Tile", "tile_param { tiles: 1000000000 }", [MAP], "blob-too-large", ["2147483647"]),
    ("Crop", "", [(1, 1, 4, 4), (1, 1, 5, 4)], "shape-mismatch", ["5", "4"]),
    (
        "Crop",
        "crop_param { offset: 1 offset: 1 offset: 1 }",
        [MAP, MAP],
        "shape-mismatch",
        ["3 `offset`", "2 axes"],
    ),
    ("ArgMax", "argmax_param { top_k: 4 axis: 1 }", [MAP], "value-out-of-range", ["top_k: 4", "3"]),
    ("Embed", "embed_param { num_output: 3 }", [(4,)], "missing-field", ["input_dim"]),
    ("BatchReindex", "", [MAP, (2, 1)], "axis-out-of-range", ["1 axis"]),
    ("SPP", "spp_param { pyramid_height: 5 }", [MAP], "value-out-of-range", ["pyramid_height"]),
    ("LSTM", "recurrent_param { num_output: 4 }", [(5, 2, 3), (5, 3)], "shape-mismatch", ["2", "3"]),
    ("RNN", "recurrent_param { num_output: 4 }", [(5, 2), (5, 2)], "axis-out-of-range", ["axis 2"]),
    ("LSTMUnit", "", [(1, 2, 4), (1, 2, 15), (1, 2)], "shape-mismatch", ["16", "15"]),
    ("SoftmaxWithLoss", "", [(64, 10), (32,)], "shape-mismatch", ["64 and 32"]),
    ("SoftmaxWithLoss", "", [(64, 10, 2), (64,)], "shape-mismatch", ["128", "64"]),
    ("EuclideanLoss", "", [(4, 3), (4, 4)], "shape-mismatch", ["3", "4"]),
    ("MultinomialLogisticLoss", "", [(4, 3), (4, 3)], "shape-mismatch", ["axis 1"]),
    ("InfogainLoss", "", [(4, 3), (4,)], "missing-field", ["source"]),
    ("InfogainLoss", "", [(4, 3), (4,), (2, 2)], "shape-mismatch", ["3 x 3", "4"]),
    ("ContrastiveLoss", "", [(4, 3), (4, 2), (4,)], "shape-mismatch", ["3 and 2"]),
    ("Accuracy", "accuracy_param { top_k: 5 }", [(4, 3), (4,)], "value-out-of-range", ["top_k: 5", "3"]),
    ("Data", "data_param { batch_size: 4 }", [], "missing-field", ["source"]),
    ("Data", 'data_param { source: "x" }', [], "missing-field", ["batch_size"]),
    (
        "Data",
        'data_param { source: "x" batch_size: 1 } transform_param { mean_file: "m" mean_value: 1 }',
        [],
        "conflicting-fields",
        ["mean_file"],
    ),
    (
        "HDF5Data",
        'hdf5_data_param { source: "x" batch_size: 1 } transform_param { }',
        [],
        "conflicting-fields",
        [],
    ),
    ("ImageData", 'image_data_param { source: "x" new_height: 4 }', [], "new-size-half-set", ["new_width"]),
    ("WindowData", 'window_data_param { source: "x" batch_size: 4 }', [], "missing-field", ["crop_size"]),
    (
        "MemoryData",
        "memory_data_param { batch_size: 4 channels: 3 height: 2 }",
        [],
        "missing-field",
        ["width"],
    ),
    ("DummyData", "", [], "missing-field", ["shape"]),
    ("DummyData", "dummy_data_param { shape { dim: 0 } }", [], "empty-blob", []),
    ("DummyData", "dummy_data_param { num: 1 shape { dim: 1 } }", [], "conflicting-fields", ["num"]),
    ("Input", "input_param { shape { dim: -1 } }", [], "negative-size", ["-1"]),
    ("Python", 'python_param { module: "m" }', [], "missing-field", ["layer"]),
]
TWO_TOPS = {"Slice", "LSTMUnit", "ImageData", "WindowData", "MemoryData"}


@pytest.mark.parametrize(
    ("type_name", "settings", "bottoms", "kind", "words"),
    REFUSED,
    ids=[f"{c[0]}-{c[3]}-{i}" for i, c in enumerate(REFUSED)],
)
def test_refusal(type_name: str, settings: str, bottoms: list[Shape], kind: str, words: list[str]) -> None:
    got = set_up(type_name, settings, *bottoms, tops=2 if type_name in TWO_TOPS else 1)
    assert got.blobs is None
    problem = got.problems[-1]
    assert problem.kind == kind
    assert problem.effect is Effect.SETUP_FAILURE
    assert "`l`" in problem.message or "`t0`" in problem.message
    for word in words:
        assert word in problem.message


# type, settings, bottoms, kind, effect: the net is built, and Caffe fails later
LATER: list[tuple[str, str, list[Shape], str, Effect]] = [
    ("Dropout", "dropout_param { dropout_ratio: 1.5 }", [MAP], "value-out-of-range", Effect.RUN_FAILURE),
    (
        "Crop",
        "crop_param { offset: 4294967295 }",
        [MAP, (2, 3, 4, 4)],
        "value-out-of-range",
        Effect.RUN_FAILURE,
    ),
    (
        "Deconvolution",
        "convolution_param { num_output: 1 kernel_size: 2 stride_h: 1 }",
        [(1, 1, 1, 1)],
        "division-by-zero",
        Effect.RUN_FAILURE,
    ),
    ("HingeLoss", "", [(1, 2, 3, 4, 5), (1,)], "axis-out-of-range", Effect.RUN_FAILURE),
    (
        "InnerProduct",
        "inner_product_param { num_output: 2 } blobs { data: 1 }",
        [(4, 3)],
        "param-mismatch",
        Effect.MEMORY_ERROR,
    ),
    (
        "DummyData",
        'dummy_data_param { shape { dim: 2 } data_filler { type: "gaussian" std: 0 } }',
        [],
        "invalid-filler",
        Effect.RUN_FAILURE,
    ),
    ("HDF5Data", 'hdf5_data_param { source: "x" }', [], "missing-field", Effect.RUN_FAILURE),
    (
        "HDF5Output",
        'hdf5_output_param { file_name: "x" }',
        [(2, 3), (3,)],
        "shape-mismatch",
        Effect.RUN_FAILURE,
    ),
    (
        "Data",
        'data_param { source: "x" batch_size: 1 prefetch: 0 }',
        [],
        "value-out-of-range",
        Effect.NO_LEARNING,
    ),
]


@pytest.mark.parametrize(("type_name", "settings", "bottoms", "kind", "effect"), LATER)
def test_failure_after_setup(type_name: str, settings: str, bottoms: list[Shape], kind: str, effect: Effect) -> None:
    got = set_up(type_name, settings, *bottoms, tops=0 if type_name == "HDF5Output" else 1)
    assert got.blobs is not None
    assert (got.problems[0].kind, got.problems[0].effect) == (kind, effect)


def test_dropout_looks_at_its_ratio_in_training_only() -> None:
    assert set_up("Dropout", "dropout_param { dropout_ratio: 1.5 }", MAP, phase="TEST").problems == []


def test_a_place_in_the_settings_and_the_origin_of_the_shape() -> None:
    got = set_up("Convolution", "convolution_param { num_output: 4 kernel_size: 3 group: 2 }", MAP)
    problem = got.problems[-1]
    assert problem.place.route == "layer[0].convolution_param.group"
    assert [related.message for related in problem.related] == ["`b0` gets its shape here: 2 x 3 x 8 x 8"]


@pytest.mark.parametrize(
    ("settings", "route"),
    [
        ("", "pooling_param"),
        ("pooling_param { pool: AVE }", "pooling_param"),
        ("pooling_param { kernel_h: 2 }", "pooling_param.kernel_h"),
        ("pooling_param { kernel_size: 0 }", "pooling_param.kernel_size"),
    ],
)
def test_the_place_of_a_kernel_is_its_field_or_its_block(settings: str, route: str) -> None:
    assert set_up("Pooling", settings, MAP).problems[-1].place.route == f"layer[0].{route}"


def test_bottoms_of_a_loss_in_the_wrong_order() -> None:
    got = set_up("SoftmaxWithLoss", "", (64,), (64, 10))
    assert "swap the bottoms: the prediction comes first, the label second" in got.problems[-1].message

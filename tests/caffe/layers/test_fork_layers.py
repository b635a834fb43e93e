"""Layer types that only forks of Caffe have, by the numbers of their own nets."""

from __future__ import annotations

import pytest

from nanlint.caffe.layers.base import Shape
from tests.caffe.layers.one_layer import set_up
from tests.caffe.layers.test_shapes import Case

# type, settings, bottoms, tops, parameters
FORKS: list[Case] = [
    (
        "NdConvolution",
        "convolution_param { num_output: 64 kernel_shape { dim: 3 dim: 3 dim: 3 } pad_shape { dim: 1 dim: 1 dim: 1 } }",
        [(2, 3, 16, 112, 112)],
        [(2, 64, 16, 112, 112)],
        [(64, 3, 3, 3, 3), (64,)],
    ),
    (
        "NdPooling",
        "pooling_param { kernel_shape { dim: 1 dim: 2 dim: 2 } stride_shape { dim: 1 dim: 2 dim: 2 } }",
        [(2, 64, 16, 57, 56)],
        [(2, 64, 16, 29, 28)],
        [],
    ),
    (
        "Pooling",
        "pooling_param { kernel_h: 1 kernel_w: 2 kernel_d: 2 stride_h: 1 stride_w: 2 stride_d: 2 }",
        [(2, 8, 9, 9, 8)],
        [(2, 8, 9, 5, 4)],
        [],
    ),
    (
        "Convolution",
        "convolution_param { num_output: 4 kernel_h: 1 kernel_w: 3 kernel_d: 3 pad: 1 }",
        [(2, 8, 9, 9, 8)],
        [(2, 4, 11, 9, 8)],
        [(4, 8, 1, 3, 3), (4,)],
    ),
    # two boxes of each prior, as TextBoxes makes them
    (
        "DetectionOutput",
        "detection_output_param { num_classes: 2 }",
        [(1, 80), (1, 40), (1, 2, 40)],
        [(1, 1, 1, 7)],
        [],
    ),
    ("Normalize", "norm_param { channel_shared: false }", [(2, 8, 4, 4)], [(2, 8, 4, 4), None], [(8,)]),
    ("Lstm", "lstm_param { num_output: 7 }", [(20, 5), (20, 1)], [(20, 7)], [(28, 5), (28, 7), (28,)]),
    ("Transpose", "transpose_param { dim: [3, 2, 0, 1] }", [(1, 2, 3, 4)], [(4, 3, 1, 2)], []),
    ("TransformAccuracy", "", [(4, 5), (4,)], [()], []),
    ("TransformSoftmaxLoss", "", [(4, 5), (4,)], [(), (4, 5)], []),
    # Fast R-CNN, R-FCN
    (
        "ROIPooling",
        "roi_pooling_param { pooled_w: 7 pooled_h: 7 spatial_scale: 0.0625 }",
        [(1, 512, 37, 50), (128, 5)],
        [(128, 512, 7, 7)],
        [],
    ),
    (
        "PSROIPooling",
        "psroi_pooling_param { spatial_scale: 0.0625 output_dim: 21 group_size: 7 }",
        [(1, 1029, 38, 63), (300, 5)],
        [(300, 21, 7, 7)],
        [],
    ),
    ("SmoothL1Loss", "", [(128, 84), (128, 84), (128, 84)], [()], []),
    # SSD300 on conv4_3 and fc7 of VGG16
    (
        "Normalize",
        "norm_param { across_spatial: false channel_shared: false }",
        [(1, 512, 38, 38)],
        [(1, 512, 38, 38)],
        [(512,)],
    ),
    (
        "Permute",
        "permute_param { order: 0 order: 2 order: 3 order: 1 }",
        [(1, 16, 38, 38)],
        [(1, 38, 38, 16)],
        [],
    ),
    (
        "PriorBox",
        "prior_box_param { min_size: 30 max_size: 60 aspect_ratio: 2 flip: true }",
        [(1, 512, 38, 38), (1, 3, 300, 300)],
        [(1, 2, 23104)],
        [],
    ),
    (
        "DetectionOutput",
        "detection_output_param { num_classes: 21 }",
        [(1, 34928), (1, 183372), (1, 2, 34928)],
        [(1, 1, 1, 7)],
        [],
    ),
    (
        "DetectionEvaluate",
        "detection_evaluate_param { num_classes: 21 }",
        [(1, 1, 1, 7), (1, 1, 1, 8)],
        [(1, 1, None, 5)],
        [],
    ),
    (
        "MultiBoxLoss",
        "multibox_loss_param { num_classes: 21 }",
        [(8, 34928), (8, 183372), (1, 2, 34928), (1, 1, 24, 8)],
        [()],
        [],
    ),
    (
        "AnnotatedData",
        "data_param { batch_size: 32 } annotated_data_param { anno_type: BBOX } "
        "transform_param { mean_value: [104, 117, 123] resize_param { height: 300 width: 300 } }",
        [],
        [(32, 3, 300, 300), (1, 1, None, 8)],
        [],
    ),
    (
        "ImageSegData",
        "image_data_param { batch_size: 2 label_type: PIXEL } transform_param { crop_size: 473 }",
        [],
        [(2, 3, 473, 473), (2, 1, 473, 473)],
        [],
    ),
    ("VideoData", "video_data_param { batch_size: 30 }", [], [None, None], []),
    # MobileNet, ShuffleNet, SENet, ENet, SegNet, PSPNet, YOLO
    (
        "DepthwiseConvolution",
        "convolution_param { num_output: 32 group: 32 kernel_size: 3 pad: 1 bias_term: false }",
        [(1, 32, 112, 112)],
        [(1, 32, 112, 112)],
        [(32, 1, 3, 3)],
    ),
    (
        "ConvolutionDepthwise",
        "convolution_param { num_output: 24 kernel_size: 3 pad: 1 stride: 2 bias_term: false }",
        [(1, 24, 56, 56)],
        [(1, 24, 28, 28)],
        [(24, 1, 3, 3)],
    ),
    ("ShuffleChannel", "shuffle_channel_param { group: 3 }", [(1, 24, 28, 28)], [(1, 24, 28, 28)], []),
    ("Axpy", "", [(1, 256, 1, 1), (1, 256, 56, 56), (1, 256, 56, 56)], [(1, 256, 56, 56)], []),
    ("Interp", "interp_param { height: 60 width: 60 }", [(1, 512, 6, 6)], [(1, 512, 60, 60)], []),
    ("Interp", "interp_param { zoom_factor: 8 }", [(1, 21, 60, 60)], [(1, 21, 473, 473)], []),
    ("Interp", "interp_param { shrink_factor: 2 pad_beg: 0 }", [(1, 3, 321, 321)], [(1, 3, 161, 161)], []),
    ("Upsample", "upsample_param { scale: 2 }", [(1, 64, 8, 8), (1, 64, 8, 8)], [(1, 64, 16, 16)], []),
    (
        "Upsample",
        "upsample_param { upsample_w: 60 upsample_h: 45 }",
        [(1, 64, 23, 30)],
        [(1, 64, 45, 60)],
        [],
    ),
    ("BN", "bn_param { scale_filler { value: 1 } }", [(1, 64, 8, 8)], [(1, 64, 8, 8)], [(1, 64, 1, 1)] * 2),
    ("BN", "bn_param { frozen: true }", [(1, 64, 8, 8)], [(1, 64, 8, 8)], [(1, 64, 1, 1)] * 4),
    ("Reorg", "reorg_param { stride: 2 }", [(1, 64, 26, 26)], [(1, 256, 13, 13)], []),
    ("Resize", "resize_param { height_fac: 2 width_fac: 2 }", [(1, 7, 46, 46)], [(1, 7, 92, 92)], []),
    ("ReLU6", "", [(1, 32, 8, 8)], [(1, 32, 8, 8)], []),
    ("SpatialDropout", "", [(1, 32, 8, 8)], [(1, 32, 8, 8)], []),
    ("CReLU", "", [(1, 32, 8, 8)], [(None,) * 4], []),
    ("CenterLoss", "center_loss_param { num_output: 10572 }", [(64, 512), (64,)], [()], [(10572, 512)]),
    ("FocalLoss", "", [(64, 21), (64,)], [()], []),
    ("Yolov3", "", [(1, 75, 13, 13), (1, 1, 300, 5)], [()], []),
    ("RegionLoss", "", [(1, 125, 13, 13), (1, 150)], [()], []),
    ("Yolov3DetectionOutput", "", [(1, 75, 13, 13), (1, 75, 26, 26)], [(1, 1, 1, 7)], []),
    ("YoloDetectionOutput", "", [(1, 125, 13, 13)], [(1, 1, 1, 7)], []),
    # Faster R-CNN's layers in Python
    (
        "Python",
        "python_param { module: 'rpn.anchor_target_layer' layer: 'AnchorTargetLayer' }",
        [(1, 18, 38, 50), (7, 5), (1, 3), (1, 3, 600, 800)],
        [(1, 1, 342, 50), (1, 36, 38, 50), (1, 36, 38, 50), (1, 36, 38, 50)],
        [],
    ),
    (
        "Python",
        "python_param { module: 'rpn.proposal_layer' layer: 'ProposalLayer' }",
        [(1, 18, 38, 50), (1, 36, 38, 50), (1, 3)],
        [(None, 5)],
        [],
    ),
    (
        "Python",
        "python_param { module: 'rpn.proposal_target_layer' layer: 'ProposalTargetLayer' "
        "param_str: \"'num_classes': 21\" }",
        [(300, 5), (7, 5)],
        [(None, 5), (None, 1), (None, 84), (None, 84), (None, 84)],
        [],
    ),
    # fields of forks in BVLC's types
    (
        "Pooling",
        "pooling_param { kernel_size: 2 stride: 2 ceil_mode: false }",
        [(1, 8, 7, 7)],
        [(1, 8, 3, 3)],
        [],
    ),
    (
        "Pooling",
        "pooling_param { kernel_size: 3 kernel_depth: 2 }",
        [(1, 8, 4, 7, 7)],
        [(1, 8, None, None, None)],
        [],
    ),
]


@pytest.mark.parametrize(("type_name", "settings", "bottoms", "tops", "params"), FORKS)
def test_tops_and_parameters(
    type_name: str, settings: str, bottoms: list[Shape], tops: list[Shape], params: list[Shape]
) -> None:
    got = set_up(type_name, settings, *bottoms, tops=len(tops))
    assert got.tops == tops
    assert got.params == params
    assert got.problems == []


@pytest.mark.parametrize("case", FORKS, ids=lambda case: case[0])
def test_bottoms_of_unknown_shape_refuse_nothing(case: Case) -> None:
    type_name, settings, bottoms, tops, _ = case
    for vague in (None, (None,) * 4):
        got = set_up(type_name, settings, *[vague] * len(bottoms), tops=len(tops))
        assert got.problems == []
        assert len(got.tops) == len(tops)


REFUSED: list[tuple[str, str, list[Shape], str, list[str]]] = [
    (
        "ROIPooling",
        "roi_pooling_param { pooled_w: 7 }",
        [(1, 5, 9, 9), (8, 5)],
        "missing-field",
        ["pooled_h"],
    ),
    (
        "PSROIPooling",
        "psroi_pooling_param { spatial_scale: 1 output_dim: 21 group_size: 7 }",
        [(1, 1000, 9, 9), (8, 5)],
        "shape-mismatch",
        ["1029", "1000"],
    ),
    ("Permute", "permute_param { order: 4 }", [(1, 2, 3, 4)], "axis-out-of-range", ["order: 4"]),
    ("Permute", "permute_param { order: 1 order: 1 }", [(1, 2)], "conflicting-fields", ["order: 1"]),
    ("PriorBox", "prior_box_param { }", [(1, 2, 3, 4)], "missing-field", ["min_size"]),
    (
        "PriorBox",
        "prior_box_param { min_size: 60 max_size: 30 }",
        [(1, 2, 3, 4)],
        "conflicting-fields",
        ["30", "60"],
    ),
    (
        "MultiBoxLoss",
        "multibox_loss_param { num_classes: 20 }",
        [(8, 34928), (8, 183372), (1, 2, 34928), (1, 1, 24, 8)],
        "shape-mismatch",
        ["8732", "174640", "183372"],
    ),
    ("Axpy", "", [(1, 3), (1, 4, 2, 2), (1, 4, 2, 2)], "shape-mismatch", ["4 and 3"]),
    ("SmoothL1Loss", "", [(8, 84), (8, 8)], "shape-mismatch", ["84", "8"]),
]


@pytest.mark.parametrize(("type_name", "settings", "bottoms", "kind", "words"), REFUSED)
def test_refusal(type_name: str, settings: str, bottoms: list[Shape], kind: str, words: list[str]) -> None:
    got = set_up(type_name, settings, *bottoms)
    assert got.blobs is None
    assert got.problems[-1].kind == kind
    for word in words:
        assert word in got.problems[-1].message

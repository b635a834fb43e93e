"""Published nets have the shapes and the parameter counts that their papers state.

Counts are of what training changes: weights, biases, scales; not BatchNorm's running statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nanlint.caffe.load import load_net
from nanlint.caffe.model import Net, Shape, count
from tests.caffe import published

MODELS = "BVLC+caffe/models"
KAIMING = "KaimingHe+deep-residual-networks/prototxt"

# deploy file, parameters, (blob, shape) pairs, where the figures are stated
FILES = [
    (
        f"{MODELS}/bvlc_alexnet/deploy.prototxt",
        60_965_224,
        [("conv1", (10, 96, 55, 55)), ("pool5", (10, 256, 6, 6)), ("fc8", (10, 1000))],
        "Krizhevsky et al. 2012: 60 million parameters; 96 kernels give 55 x 55",
    ),
    (
        f"{MODELS}/bvlc_reference_caffenet/deploy.prototxt",
        60_965_224,
        [("pool1", (10, 96, 27, 27)), ("fc6", (10, 4096))],
        "as AlexNet, pooling before normalisation",
    ),
    (
        f"{MODELS}/bvlc_googlenet/deploy.prototxt",
        6_998_552,
        [
            ("inception_3a/output", (10, 256, 28, 28)),
            ("inception_4e/output", (10, 832, 14, 14)),
            ("inception_5b/output", (10, 1024, 7, 7)),
        ],
        "arXiv:1409.4842, table 1: 6.8 million; 28 x 28 x 256, 14 x 14 x 832, 7 x 7 x 1024",
    ),
    (
        f"{KAIMING}/ResNet-50-deploy.prototxt",
        25_557_032 + 64,
        [("res2c", (1, 256, 56, 56)), ("res5c", (1, 2048, 7, 7)), ("fc1000", (1, 1000))],
        "arXiv:1512.03385, table 1; 25.6 million; its conv1 has a bias of 64 more",
    ),
    (
        f"{KAIMING}/ResNet-101-deploy.prototxt",
        44_549_160,
        [("res4b22", (1, 1024, 14, 14)), ("res5c", (1, 2048, 7, 7))],
        "arXiv:1512.03385, table 1; 44.5 million",
    ),
    (
        f"{KAIMING}/ResNet-152-deploy.prototxt",
        60_192_808,
        [("res4b35", (1, 1024, 14, 14)), ("res5c", (1, 2048, 7, 7))],
        "arXiv:1512.03385, table 1; 60.2 million",
    ),
    (
        "dividiti+ck-caffe/@issue-54/package/caffemodel-vgg19/deploy.prototxt",
        143_667_240,
        [("pool5", (10, 512, 7, 7)), ("fc8", (10, 1000))],
        "arXiv:1409.1556, table 2: 144 million (configuration E)",
    ),
    (
        "DeepScale+SqueezeNet/SqueezeNet_v1.0/deploy.prototxt",
        1_248_424,
        [("conv1", (10, 96, 111, 111)), ("fire9/concat", (10, 512, 13, 13))],
        "arXiv:1602.07360, table 1: 1,248,424 parameters; 111 x 111 x 96, 13 x 13 x 512",
    ),
]

GENERATED = [
    (
        published.vgg16,
        138_357_544,
        [("pool5", (1, 512, 7, 7))],
        "arXiv:1409.1556, table 2: 138 million (configuration D)",
    ),
    (
        published.mobilenet,
        4_231_976,
        [("conv12/sep", (1, 512, 14, 14)), ("conv14/sep", (1, 1024, 7, 7))],
        "arXiv:1704.04861, table 8: 4.2 million",
    ),
    (
        published.densenet121,
        7_978_856,
        [("pool4", (1, 512, 7, 7)), ("end4", (1, 1024, 7, 7))],
        "arXiv:1608.06993, table 1 and figure 3: 8.0 million",
    ),
]


def parameters(net: Net) -> int:
    counted = 0
    for layer in net.layers:
        for learned in layer.params:
            if learned.owner is None and layer.type != "BatchNorm":
                size = count(learned.param.shape)
                assert size is not None, layer
                counted += size
    return counted


def check(net: Net, counted: int, shapes: list[tuple[str, Shape]]) -> None:
    assert [problem.message for problem in net.problems] == []
    assert all(blob.shape is not None and None not in blob.shape for blob in net.blobs)
    last = {blob.name: blob.shape for blob in net.blobs}
    assert [(name, last[name]) for name, _ in shapes] == shapes
    assert parameters(net) == counted


@pytest.mark.parametrize(("path", "counted", "shapes", "source"), FILES, ids=[case[0] for case in FILES])
def test_deploy_file(
    shared: Path, path: str, counted: int, shapes: list[tuple[str, Shape]], source: str
) -> None:
    for net in load_net(str(shared / "corpus" / path)):
        check(net, counted, shapes)


@pytest.mark.parametrize(
    ("write", "counted", "shapes", "source"), GENERATED, ids=[case[0].__name__ for case in GENERATED]
)
def test_generated_net(
    tmp_path: Path, write: Callable[[], str], counted: int, shapes: list[tuple[str, Shape]], source: str
) -> None:
    path = tmp_path / "deploy.prototxt"
    path.write_text(write())
    for net in load_net(str(path)):
        check(net, counted, shapes)

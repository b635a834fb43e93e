"""The tables and graphs of whole nets."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import nanlint
from nanlint.caffe.model import Net
from nanlint.caffe.options import Options
from nanlint.report import graph, ranges, shapes
from nanlint.report.table import table
from tests.caffe.one_net import data, layer, net
from tests.conftest import PROJECT

Files = Sequence[tuple[str, Sequence[Net]]]


@pytest.fixture(scope="module")
def lenet() -> Files:
    path = PROJECT / "examples" / "stories" / "poly-without-max-iter" / "good" / "solver.prototxt"
    loaded = nanlint.load(path, inputs={"data": (64, 1, 28, 28)})
    return [("solver.prototxt", loaded.nets[:1])]


def row(lines: Sequence[str], *starts: str) -> list[str]:
    """The cells of the first line that begins with these words."""
    return next(line.split() for line in lines if line.split()[: len(starts)] == list(starts))


def test_shapes_have_parameters_bytes_and_multiply_adds(lenet: Files) -> None:
    lines = list(shapes.lines(lenet, 140))
    # 64 images, 20 maps of 24 x 24, each number from 5 x 5 weights; data and gradient of 4 bytes
    conv1 = ["conv1", "Convolution", "data", "conv1", "64x20x24x24", "520", "5,898,240", "18,432,000"]
    assert row(lines, "conv1") == conv1
    assert row(lines, "relu1")[-2:] == ["-", "-"]
    assert lines[-2].startswith("431,080 parameters, ")


def test_a_depthwise_convolution_multiplies_like_a_grouped_one() -> None:
    settings = "convolution_param { num_output: 4 kernel_size: 3 pad: 1 group: 4 }"
    for kind in ("Convolution", "ConvolutionDepthwise", "DepthwiseConvolution"):
        built = net(data("1 4 8 8", tops="x") + layer(kind, "x", "y", settings), options=Options())
        assert shapes.multiply_adds(built.layers[1]) == 4 * 8 * 8 * 9


def test_unknown_sizes_are_question_marks() -> None:
    path = PROJECT / "examples" / "stories" / "poly-without-max-iter" / "net.prototxt"
    lines = list(shapes.lines([("net.prototxt", nanlint.load(path).nets[:1])], 140))
    assert row(lines, "conv1")[-4:] == ["64x20x?x?", "?", "?", "?"]


def test_dot_has_a_node_for_each_layer_and_blob(lenet: Files) -> None:
    lines = list(graph.dot(lenet))
    assert lines[0] == 'digraph "solver.prototxt TRAIN" {'
    assert '  "layer:1:conv1" [shape=box, label="conv1\\nConvolution"];' in lines
    assert '  "layer:0:mnist" -> "blob:0.0:data";' in lines
    assert lines[-1] == "}"


def test_mermaid_names_nodes_by_number(lenet: Files) -> None:
    lines = list(graph.mermaid(lenet))
    assert lines[:3] == ["%% solver.prototxt TRAIN", "flowchart TD", '  n0["mnist<br>Data"]']
    assert all("-->" in line or line.endswith(("]", ")")) for line in lines[2:])


def test_ranges_say_what_a_loss_can_be(lenet: Files) -> None:
    least, greatest = row(list(ranges.lines(lenet, 140)), "loss", "loss")[2:4]
    # 64 labels, each at most -ln of the smallest normal float, 87.3365
    assert least == "0"
    assert float(greatest) == pytest.approx(64 * 87.3365, rel=1e-3)


def test_a_table_is_cut_at_the_width() -> None:
    lines = list(table(("layer", "size"), [("conv1", "12"), ("a_long_name", "3")], 16, right=(1,)))
    assert lines == ["layer        si…", "conv1          …", "a_long_name    …"]

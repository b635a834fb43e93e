"""What Net::Init makes of layers: in what order, which blobs, and what it refuses."""

from __future__ import annotations

import pytest

from nanlint.caffe.model import TEST, TRAIN
from nanlint.caffe.net import build
from nanlint.caffe.options import Options
from nanlint.caffe.state import state_in
from nanlint.caffe.upgrade import upgrade_net
from nanlint.findings import Severity
from nanlint.schema.bind import bind
from nanlint.schema.dialect import Dialect
from nanlint.text.parser import parse
from nanlint.text.source import Source
from tests.caffe.one_net import LOSS, PINNED, data, inner_product, kinds, layer, net

XY = data("2 3", "2")
MAP = data("2 3 8 8", tops="x")
IP = inner_product("x", "h")


def test_layers_get_blobs_shapes_and_parameters() -> None:
    built = net(XY + IP + layer("ReLU", "h", "h", name="relu") + LOSS)
    assert not built.problems
    assert [repr(blob) for blob in built.blobs] == [
        "Blob('x', version=0, shape=(2, 3))",
        "Blob('y', version=0, shape=(2,))",
        "Blob('h', version=0, shape=(2, 3))",
        "Blob('h', version=1, shape=(2, 3))",
        "Blob('loss', version=0, shape=())",
    ]
    assert [param.param.shape for param in built.params] == [(3, 3), (3,)]
    loss = built.layers[-1]
    assert loss.bottoms[0].version == 1
    assert built.blobs[2].consumers == [(built.layers[2], 0)]


def test_a_net_is_filtered_by_its_phase() -> None:
    text = (
        XY + layer("Power", "x", "a", "include { phase: TRAIN }") + layer("Exp", "x", "b", "exclude { phase: TRAIN }")
    )
    assert [one.type for one in net(text, TRAIN).layers] == ["Input", "Power"]
    assert [one.type for one in net(text, TEST).layers] == ["Input", "Exp"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (XY + layer("ReLU", "z", "a"), ["unknown-bottom"]),
        (XY + layer("ReLU", "a", "a"), ["unknown-bottom"]),
        (XY + layer("Power", "x", "y"), ["duplicate-top"]),
        (XY + layer("Power", "x", "a a"), ["duplicate-top", "wrong-top-count"]),
        (XY + layer("Eltwise", "y x", "x"), ["duplicate-top", "shape-mismatch"]),
        (XY + layer("ReLu", "x", "a"), ["unknown-layer-type"]),
        (XY + layer("ReLU", "x x", "a"), ["wrong-bottom-count"]),
        (XY + layer("ReLU", "x"), ["wrong-top-count"]),
        (MAP + layer("Pooling", "x", "p mask", "pooling_param { kernel_size: 2 }"), []),
        (MAP + layer("Pooling", "x", "p mask third", "pooling_param { kernel_size: 2 }"), ["wrong-top-count"]),
        (MAP + layer("Pooling", "x", "p mask", "pooling_param { kernel_size: 2 pool: AVE }"), ["wrong-top-count"]),
        (XY + layer("Eltwise", "x", "a"), ["wrong-bottom-count"]),
        (
            XY + layer("ReLU", "x", "a", "propagate_down: true propagate_down: true"),
            ["wrong-propagate-down-count"],
        ),
        (XY + layer("ReLU", "x", "a", "loss_weight: 1 loss_weight: 1"), ["wrong-loss-weight-count"]),
        (XY + layer("ReLU", "x", "a", "include { } exclude { }"), ["conflicting-fields"]),
        (XY + layer("AbsVal", "x", "x", name="abs"), ["refused-in-place"]),
        (XY + layer("ReLU", "x", "a", "param { }"), ["too-many-param-specs"]),
        (XY + inner_product("x", "h", settings="param { } param { } param { }"), ["too-many-param-specs"]),
        (XY + inner_product("x", "h", settings="blobs { shape { dim: 2 } data: 1 }"), ["param-mismatch"] * 2),
    ],
)
def test_what_caffe_refuses(text: str, found: list[str]) -> None:
    assert kinds(net(text))[: len(found)] == found


@pytest.mark.parametrize(
    "text",
    [
        XY + layer("ReLU", "x", "x", name="relu"),
        XY + layer("Silence", "x y"),
        XY + layer("ReLU", "x", "a", "propagate_down: false"),
        XY + layer("ReLU", "x", "a", "loss_weight: -1"),
        XY + layer("SoftmaxWithLoss", "x y", ""),
        XY + IP + IP.replace('top: "h"', 'top: "g"'),
        layer("ReLU", "", "a", "include { stage: 'never' }"),
    ],
)
def test_what_caffe_takes(text: str) -> None:
    assert kinds(net(text)) == []


def test_problems_come_in_the_order_in_which_caffe_meets_them() -> None:
    text = (
        XY
        + layer("Power", "x x", "p")
        + layer("Nope", "x", "q")
        + layer("ReLU", "nowhere", "r")
        + layer("Exp", "x", "s", "include { } exclude { }")
    )
    assert kinds(net(text)) == [
        "conflicting-fields",
        "unknown-bottom",
        "wrong-bottom-count",
        "unknown-layer-type",
    ]


def test_a_blob_read_before_the_layer_in_place_on_it_is_made_twice() -> None:
    early = XY + IP + layer("Power", "h", "p") + layer("ReLU", "h", "h", name="relu")
    late = XY + IP + layer("ReLU", "h", "h", name="relu") + layer("Power", "h", "p") + layer("Exp", "h", "e")
    (problem,) = net(early).problems
    assert problem.kind == "duplicate-top"
    assert "which `p` reads too" in problem.message
    assert not net(late).problems


def test_an_unknown_bottom_says_where_the_blob_is() -> None:
    maker = layer("Power", "x", "a", "include { phase: TEST }")
    (other_phase,) = net(XY + maker + layer("ReLU", "a", "b")).problems
    (later,) = net(XY + layer("ReLU", "a", "b") + layer("Power", "x", "a")).problems
    (misspelt,) = net(XY + inner_product("x", "hidden") + layer("ReLU", "hiden", "b")).problems
    assert "leaves out" in other_phase.message
    assert "only later" in later.message
    assert 'did you mean `bottom: "hidden"`' in misspelt.message


def test_all_readers_of_one_unknown_bottom_are_one_problem() -> None:
    (problem,) = net(XY + layer("ReLU", "z", "a") + layer("Exp", "z", "b")).problems
    assert [related.message for related in problem.related] == ["`b` reads it too"]


def test_an_unknown_layer_is_opaque_and_the_rest_goes_on() -> None:
    built = net(XY + layer("Nope", "x", "a") + inner_product("a", "h") + LOSS, options=Options())
    assert [blob.shape for blob in built.blobs][2:4] == [None, None]
    assert built.layers[-1].runs_backward


def test_types_of_forks_are_errors_only_for_bvlc() -> None:
    text = XY + layer("Permute", "x", "a")
    assert kinds(net(text)) == ["unknown-layer-type"]
    assert net(text, options=Options()).foreign


def test_a_type_in_other_capitals_is_an_error_for_every_caffe() -> None:
    for dialect in (Dialect.ANY, Dialect.BVLC):
        (problem,) = net(XY + layer("RELU", "x", "a"), options=Options(dialect)).problems
        assert problem.severity is Severity.ERROR
        assert 'did you mean `type: "ReLU"`' in problem.message


def test_a_shape_that_depends_on_data_can_be_given() -> None:
    text = layer("Data", "", "data label", 'data_param { source: "db" batch_size: 8 backend: LMDB }')
    assert net(text).blobs[0].shape == (8, None, None, None)
    given = net(text, options=Options(inputs={"data": (8, 3, 32, 32)}))
    assert given.blobs[0].shape == (8, 3, 32, 32)


def test_inputs_of_a_net_become_its_first_layer() -> None:
    built = net('input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8 ' + layer("ReLU", "x", "a"))
    assert [one.name for one in built.layers] == ["input", "a"]
    assert built.layers[0].tops[0].shape == (1, 3, 8, 8)
    assert built.layers[0].at("top[0]").route == "input[0]"


def test_inputs_without_a_shape_do_not_exist() -> None:
    assert kinds(net('input: "x" ' + layer("ReLU", "x", "a"))) == ["unknown-bottom"]


def test_a_phase_of_a_layer_is_no_rule_but_changes_the_layer() -> None:
    built = net(XY + layer("Dropout", "x", "a", "phase: TEST"))
    assert built.layers[1].phase == TEST


def test_a_forgotten_brace_is_not_taken_for_unknown_bottoms() -> None:
    text = XY + IP.rstrip()[:-1] + LOSS
    bound = bind(parse(Source("net.prototxt", text)), "NetParameter", Dialect.BVLC)
    assert "unclosed-block" in {problem.kind for problem in bound.problems}
    upgraded = upgrade_net(bound)
    built = build(bound, upgraded, state_in(TRAIN, upgraded.param.state), PINNED)
    assert "unknown-bottom" not in kinds(built)

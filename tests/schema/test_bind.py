from __future__ import annotations

import math
from typing import Any

import pytest

from nanlint.findings import Effect, Problem
from nanlint.schema.bind import Bound, bind
from nanlint.schema.dialect import Dialect
from nanlint.text.parser import parse
from nanlint.text.source import Source


def net(text: str, dialect: Dialect = Dialect.BVLC) -> Bound:
    return bind(parse(Source("net.prototxt", text)), "NetParameter", dialect)


def solver(text: str) -> Bound:
    return bind(parse(Source("solver.prototxt", text)), "SolverParameter", Dialect.BVLC)


def only(bound: Bound) -> Problem:
    (problem,) = bound.problems
    return problem


def marked(problem: Problem) -> str:
    start, end = problem.place.span
    return problem.place.source.text[start:end]


def message(bound: Bound) -> Any:
    return bound.message


def test_values_are_those_of_the_schema() -> None:
    bound = solver("base_lr: 0.1 momentum: 1e39 stepvalue: [1, 010] stepvalue: 3 snapshot_format: 0 net: \"a\" 'b'")
    assert not bound.problems
    read = message(bound)
    assert read.base_lr == pytest.approx(0.1)
    assert math.isinf(read.momentum)
    assert list(read.stepvalue) == [1, 8, 3]
    assert read.net == "ab"
    assert read.HasField("snapshot_format")
    assert not read.HasField("max_iter")


def test_an_empty_block_is_set() -> None:
    assert message(net("layer { pooling_param { } }")).layer[0].HasField("pooling_param")


@pytest.mark.parametrize(
    ("text", "kind", "place", "said"),
    [
        ("layer { colour: 1 }", "unknown-field", "colour", "`layer` has no field `colour`"),
        ("Layer { }", "unknown-field", "Layer", "did you mean `layer`?"),
        ("layer { caffe.name: 1 }", "unknown-field", "caffe.name", "no field"),
        ("layer { [caffe.ext]: 1 }", "unknown-field", "[caffe.ext]", "no field"),
        (
            "layer { name: 'a' name: 'a' }",
            "field-given-twice",
            "name",
            "`name` takes one value and has one already",
        ),
        ("layer { lrn_param { } lrn_param { } }", "field-given-twice", "lrn_param", "takes one value"),
        ("layer { name { } }", "wrong-type", "name {", "`name` expected a value, found `{`"),
        ("layers { param { lr_mult: 1 } }", "wrong-type", "param {", "in `blobs_lr`"),
        ("layer { param: 'w' }", "wrong-type", "'w'", "write `param { name: ... }`"),
        ("layer { lrn_param: 1 }", "wrong-type", "1", "`lrn_param` expected `{`, found `1`"),
        ("layer { name: ['a'] }", "wrong-type", "name: [", "takes one value, found a list"),
        ("layer { clip_param { min: 0 } }", "missing-required-field", "clip_param", "lacks `max`"),
        ("layer { loss_weight [1] }", "syntax-error", "loss_weight", "expected `:`"),
        ("layer { loss_weight [] }", "syntax-error", "loss_weight", "expected `:`"),
        ("layer { clip_param { mim: 0 max: 1 } }", "unknown-field", "mim", "did you mean `min`?"),
        ("layer { phase: train }", "unknown-enum-value", "train", "write `TRAIN`"),
        ("layer { type: Pooling }", "wrong-type", "Pooling", "in quotes"),
    ],
)
def test_refusals_and_their_places(text: str, kind: str, place: str, said: str) -> None:
    problem = net(text).problems[0]
    assert (problem.kind, marked(problem)) == (kind, place)
    assert said in problem.message


def test_the_second_of_two_shows_the_first() -> None:
    problem = only(net("layer { name: 'a' name: 'b' }"))
    assert problem.place.span.start > problem.related[0].place.span.start
    assert problem.fix is None
    assert message(net("layer { name: 'a' name: 'b' }")).layer[0].name == "a"


def test_the_second_of_two_equals_can_go() -> None:
    problem = only(net("layer {\n  name: 'a'\n  name: 'a'\n}"))
    assert problem.fix is not None
    assert [problem.place.source.text[slice(*edit.place.span)] for edit in problem.fix.edits] == ["  name: 'a'\n"]


def test_the_problem_knows_its_layer_and_route() -> None:
    problem = only(net('layer { name: "a" } layer { name: "conv1" convolution_param { kernel_size: [3, -1] } }'))
    assert (problem.layer, problem.place.route) == ("conv1", "layer[1].convolution_param.kernel_size")


def test_the_snippet_that_everybody_copies() -> None:
    bound = net("layer { pooling_param { pool: AVE stride: 5 kernel: 3 } }")
    problem = only(bound)
    assert problem.message == "`pooling_param` has no field `kernel`; did you mean `kernel_size`?"
    assert problem.fix is not None
    assert [edit.text for edit in problem.fix.edits] == ["kernel_size"]
    assert message(bound).layer[0].pooling_param.kernel_size == 3
    place = bound.place("layer[0].pooling_param.kernel_size")
    assert bound.source.text[slice(*place.span)] == "kernel: 3"


def test_what_was_meant_is_read_on() -> None:
    bound = net('layer { name: conv1 innerproduct_param { num_output: "10" bias_term: TRUE } }')
    assert [problem.kind for problem in bound.problems] == [
        "wrong-type",
        "unknown-field",
        "wrong-type",
        "wrong-type",
    ]
    layer = message(bound).layer[0]
    assert layer.name == "conv1"
    assert (layer.inner_product_param.num_output, layer.inner_product_param.bias_term) == (10, True)


def test_a_bad_value_costs_that_value_alone() -> None:
    bound = net("layer { loss_weight: [1, x, 3] } layer { name: 'b' }")
    assert only(bound).place.route == "layer[0].loss_weight"
    assert list(message(bound).layer[0].loss_weight) == [1, 3]
    assert bound.source.text[slice(*bound.place("layer[0].loss_weight[1]").span)] == "3"
    assert message(bound).layer[1].name == "b"


def test_bytes_that_are_not_utf8_stay_apart() -> None:
    source = Source.decode("net.prototxt", b'layer { name: "caf\xe9" } layer { name: "caf\xe8" }')
    bound = bind(parse(source), "NetParameter")
    assert not bound.problems
    assert [layer.name for layer in message(bound).layer] == [r"caf\xe9", r"caf\xe8"]


def test_the_syntax_faults_are_among_the_problems_in_order() -> None:
    bound = net("layer { colour: 1 }\nname = 'a'\nlayer { top: 3 }")
    assert [problem.place.start.line for problem in bound.problems] == [1, 2, 3]


def test_empty_files() -> None:
    assert only(net("# nothing\n")).effect is Effect.RUN_FAILURE
    assert only(solver("")).effect is Effect.SETUP_FAILURE


def test_a_document_can_be_bound_again() -> None:
    document = parse(Source("net.prototxt", "layer { nam: 'a' } base_lr: 1"))
    first = bind(document, "NetParameter")
    bind(document, "SolverParameter")
    again = bind(document, "NetParameter")
    assert again.message == first.message
    assert again.problems == first.problems


def test_an_unknown_message_type_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        bind(parse(Source("net.prototxt", "")), "NoParameter")


def test_a_number_that_only_a_fork_takes_for_an_enum_is_no_fault_and_no_value() -> None:
    document = parse(Source("solver.prototxt", "solver_mode: 7"))
    read = bind(document, "SolverParameter")
    assert not read.problems
    assert not message(read).HasField("solver_mode")
    assert bind(document, "SolverParameter", Dialect.BVLC).problems[0].kind == "unknown-enum-value"

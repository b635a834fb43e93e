from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.protobuf import text_format

from nanlint.caffe.solver import first_test, iterations, net_sources, number_of_test_nets, solver_type, stops_before
from nanlint.schema.descriptors import new_net, new_solver

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import SolverParameter


def solver(text: str) -> SolverParameter:
    return text_format.Parse(text, new_solver())


def sources(text: str) -> list[tuple[str, str, str | None]]:
    return [(source.phase, source.route, source.path) for source in net_sources(solver(text))]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "SGD"),
        ('type: "Adam"', "Adam"),
        ("solver_type: NESTEROV", "Nesterov"),
        ("solver_type: 3", "RMSProp"),
        ('type: "adam"', "adam"),
    ],
)
def test_type_and_solver_type_name_the_optimiser(text: str, kind: str) -> None:
    assert solver_type(solver(text)) == kind


def test_net_is_trained_and_tested_once_a_test_iter() -> None:
    assert sources('net: "n" test_iter: 1 test_iter: 2') == [
        ("TRAIN", "net", "n"),
        ("TEST", "net", "n"),
        ("TEST", "net", "n"),
    ]


def test_inline_test_nets_come_before_test_net_files_and_net_fills_up() -> None:
    text = 'net: "n" test_net: "t" test_net_param { } test_iter: [1, 1, 1]'
    assert sources(text) == [
        ("TRAIN", "net", "n"),
        ("TEST", "test_net_param[0]", None),
        ("TEST", "test_net[0]", "t"),
        ("TEST", "net", "n"),
    ]


def test_train_net_is_not_tested() -> None:
    assert sources('train_net: "n" test_iter: 1') == [("TRAIN", "train_net", "n")]
    assert number_of_test_nets(solver('train_net: "n" test_iter: 1')) == 0


def test_the_training_state_has_level_0_and_the_empty_stage() -> None:
    source = net_sources(solver('net: "n" train_state { level: 3 stage: "s" }'))[0]
    net = new_net()
    net.state.level = 2
    net.state.stage.append("own")
    state = source.state(net)
    assert (state.level, list(state.stage)) == (0, ["own", "s", ""])


def test_the_nets_own_state_wins_over_the_default_phase() -> None:
    net = text_format.Parse("state { phase: TEST level: 2 }", new_net())
    train, test = net_sources(solver('net: "n" test_iter: 1 test_state { level: 5 }'))
    assert (train.state(net).phase, train.state(net).level) == (1, 0)
    assert (test.state(net).phase, test.state(net).level) == (1, 5)


def test_no_max_iter_means_no_iteration() -> None:
    assert [iterations(solver(text)) for text in ("", "max_iter: -5", "max_iter: 7")] == [0, 0, 7]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ('net: "n" max_iter: 10 test_interval: 4', None),
        ('net: "n" max_iter: 10 test_interval: 4 test_iter: 1', 0),
        ('net: "n" max_iter: 10 test_interval: 4 test_iter: 1 test_initialization: false', 4),
        ('net: "n" max_iter: 3 test_interval: 4 test_iter: 1 test_initialization: false', None),
        ('net: "n" test_interval: 4 test_iter: 1 test_initialization: false', 0),
    ],
)
def test_first_iteration_that_tests(text: str, first: int | None) -> None:
    assert first_test(solver(text)) == first


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ('net: "n" type: "SGD" solver_type: SGD', "net"),
        ('net: "n" type: "sgd"', "net"),
        ('net: "n" average_loss: 0', "net"),
        ('net: "n" train_net: "m"', "train_net"),
        ('test_net: "n" test_iter: 1 test_interval: 1', "test_net[0]"),
        ('train_net: "n" test_net: "m" test_interval: 1', "test_net[0]"),
        ('train_net: "n" test_net: "m" test_iter: 1', "test_net[0]"),
        ('train_net: "n" test_net: "m" test_iter: 1 test_interval: 1 test_state: [{ }, { }]', "test_net[0]"),
    ],
)
def test_a_solver_that_aborts_before_it_reads_a_net(text: str, route: str) -> None:
    assert stops_before(solver(text), route)


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ('net: "n"', "net"),
        ('train_net: "n" test_net: "m" test_interval: 1', "train_net"),
        ('train_net: "n" test_net: "m" test_iter: 1 test_interval: 1', "test_net[0]"),
        ('net: "n" test_net: "m" test_iter: [1, 1] test_interval: 1', "test_net[0]"),
        ('net: "n" lr_policy: "none"', "net"),
    ],
)
def test_a_solver_that_reads_its_net(text: str, route: str) -> None:
    assert not stops_before(solver(text), route)

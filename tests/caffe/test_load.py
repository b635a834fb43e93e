"""From paths to solvers and nets: where files are looked up, under which state nets are built."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nanlint.caffe.load import Files, load_net, load_solver
from nanlint.caffe.named_files import find_net
from nanlint.findings import Severity
from tests.caffe.one_net import LOSS, PINNED, data, inner_product, layer

NET = data("2 3", "2") + inner_product("x", "h") + LOSS


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def write(path: str, text: str) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    return path


def test_a_path_is_taken_from_here_then_beside_the_solver_then_above_it(tmp_path: Path) -> None:
    solver = write("../models/lenet/solver.prototxt", 'net: "net.prototxt"')
    write("../models/net.prototxt", NET)
    assert find_net("net.prototxt", solver) == str(Path("../models/net.prototxt"))
    write("../models/lenet/net.prototxt", NET)
    assert find_net("net.prototxt", solver) == str(Path("../models/lenet/net.prototxt"))
    write("net.prototxt", NET)
    assert find_net("net.prototxt", solver) == "net.prototxt"


def test_a_root_is_one_more_place() -> None:
    write("elsewhere/net.prototxt", NET)
    assert find_net("net.prototxt", "solver.prototxt") is None
    assert find_net("net.prototxt", "solver.prototxt", ("elsewhere",)) == "elsewhere/net.prototxt"


def test_a_net_that_is_not_there_is_a_problem_and_certain_only_without_a_folder() -> None:
    near = load_solver(write("a.prototxt", 'net: "absent.prototxt"')).problems
    far = load_solver(write("b.prototxt", 'net: "models/absent.prototxt"')).problems
    assert [(problem.kind, problem.severity) for problem in (*near, *far)] == [
        ("missing-net-file", Severity.ERROR),
        ("missing-net-file", Severity.WARNING),
    ]


def test_the_training_net_comes_first_and_then_each_test_net() -> None:
    write("net.prototxt", NET)
    text = 'net: "net.prototxt" test_iter: 1 test_iter: 2 test_interval: 1 max_iter: 5'
    solver = load_solver(write("solver.prototxt", text))
    assert [(net.phase, net.trained, net.runs, net.iterations) for net in solver.nets] == [
        ("TRAIN", True, True, 5),
        ("TEST", False, True, 0),
        ("TEST", False, True, 0),
    ]
    assert len({id(net.bound) for net in solver.nets}) == 1


def test_states_of_net_and_solver_add_up() -> None:
    stages = "".join(layer("Power", "x", stage, f"include {{ stage: '{stage}' }}") for stage in "abc")
    write("net.prototxt", "state { stage: 'a' level: 3 } " + NET + stages)
    text = 'net: "net.prototxt" train_state { stage: "b" } test_state { stage: "c" }'
    text += " test_iter: 1 test_interval: 1"
    train, test = load_solver(write("solver.prototxt", text)).nets
    assert [one.name for one in train.layers][3:] == ["a", "b"]
    assert [one.name for one in test.layers][3:] == ["a", "c"]
    assert (train.state.level, test.state.level) == (0, 3)


def test_a_net_inside_the_solver_is_not_upgraded() -> None:
    old = "layers { name: 'r' type: RELU }"
    solver = load_solver(write("solver.prototxt", f"net_param {{ {NET} {old} }}"))
    (net,) = solver.nets
    assert [problem.kind for problem in net.problems] == ["ignored-field"]
    assert net.layers[1].at("name").route == "net_param.layer[1].name"


def test_a_net_alone_is_built_in_both_phases() -> None:
    assert [net.phase for net in load_net(write("net.prototxt", NET))] == ["TRAIN", "TEST"]


def test_a_net_that_only_one_phase_can_build_is_no_error() -> None:
    only_train = NET.replace('name: "data"', 'name: "data" include { phase: TRAIN }')
    train, test = load_net(write("net.prototxt", only_train))
    assert not train.problems
    assert {problem.severity for problem in test.problems} == {Severity.INFO}


def test_the_first_of_several_refusals_is_marked() -> None:
    text = data("2 3", "2") + layer("ReLU", "x x", "a") + layer("Nope", "x", "b")
    net = load_net(write("net.prototxt", text), PINNED)[0]
    first, second = net.problems[:2]
    assert first.evidence == "Caffe stops here first, before it can meet the others"
    assert second.evidence is None


def test_a_folder_reads_as_an_empty_net(tmp_path: Path) -> None:
    write("folder/file", "")
    assert load_solver(write("solver.prototxt", 'net: "folder"')).nets[0].layers == []


def test_a_file_is_read_once_however_it_is_reached() -> None:
    files = Files()
    write("net.prototxt", NET)
    assert files.document("net.prototxt") is files.document("../here/net.prototxt")


def test_a_net_as_a_graph() -> None:
    graph = load_net(write("net.prototxt", NET))[0].graph
    assert "networkx" in sys.modules
    assert list(graph.successors("layer:1:h")) == ["blob:1.0:h"]
    assert list(graph.successors("blob:1.0:h")) == ["layer:2:loss"]
    assert graph.nodes["layer:1:h"]["params"] == 12
    assert graph.nodes["blob:2.0:loss"]["loss_weight"] == 1


def test_a_misspelt_field_is_a_slip_and_no_fork(tmp_path: Path) -> None:
    pool = 'layer {{ name: "p" type: "Pooling" bottom: "x" top: "y" pooling_param {{ {}: 3 }} }}'
    (tmp_path / "slip.prototxt").write_text(pool.format("kernel"))
    (tmp_path / "fork.prototxt").write_text(pool.format("window_of_mine"))
    assert not load_net(str(tmp_path / "slip.prototxt"))[0].foreign
    assert load_net(str(tmp_path / "fork.prototxt"))[0].foreign


def test_a_solver_that_was_moved_is_told_of_the_net_beside_it(tmp_path: Path) -> None:
    (tmp_path / "train.prototxt").write_text(data("2 3", "2"))
    solver = tmp_path / "solver.prototxt"
    solver.write_text('net: "models/of-old/train.prototxt"')
    (problem,) = load_solver(str(solver)).problems
    assert "`train.prototxt` lies beside the solver" in problem.message

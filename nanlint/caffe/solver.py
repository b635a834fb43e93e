"""A solver as `caffe train` sets it up: its kind, its nets in the order of their making, its iterations.

Facts from src/caffe/solver.cpp (Init, InitTrainNet, InitTestNets, Solve), src/caffe/util/upgrade_proto.cpp
(UpgradeSolverType) and tools/caffe.cpp (train).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

from nanlint.caffe.model import TEST, TRAIN
from nanlint.schema.descriptors import descriptor, message_class

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import NetParameter, NetState, SolverParameter

TRAIN_NET_FIELDS = ("net", "train_net", "net_param", "train_net_param")

# what Caffe makes of the deprecated enum `solver_type`, by its number
TYPE_OF_ENUM = ("SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam")

# `caffe train` sets both on the training net, whatever the files say (flags -level and -stage)
COMMAND_LINE_LEVEL = 0
COMMAND_LINE_STAGE = ""


class NetSource(NamedTuple):
    """Where one net of a solver comes from, and what the solver says of its state.

    `route` is the solver's field; `path` the file that it names, None for a net written inside the
    solver, which Caffe takes as it stands, without upgrading old formats. `given` is the state that
    the solver lays over the net's own.
    """

    phase: str
    route: str
    path: str | None
    given: NetState

    def state(self, net: NetParameter) -> NetState:
        """The state that filters the layers of `net`: phase and level are replaced, stages add up."""
        merged = net_state(self.phase)
        merged.MergeFrom(net.state)
        merged.MergeFrom(self.given)
        return merged


def net_state(phase: str | None = None) -> NetState:
    """A NetState that holds a phase, or nothing."""
    empty = message_class("NetState")
    return cast("NetState", empty(phase=phase) if phase else empty())


def solver_type(param: SolverParameter) -> str:
    """The optimiser's name: `type`, or what the old `solver_type` stands for; `SGD` without either.

    A `solver_type` that only forks have is its own name.
    """
    if param.HasField("solver_type") and not param.HasField("type"):
        if param.solver_type < len(TYPE_OF_ENUM):
            return TYPE_OF_ENUM[param.solver_type]
        return descriptor("SolverParameter").enum_types_by_name["SolverType"].values_by_number[param.solver_type].name
    return param.type


def train_net_fields(param: SolverParameter) -> tuple[str, ...]:
    """The fields that name a training net; Caffe refuses any number but one."""
    return tuple(name for name in TRAIN_NET_FIELDS if param.HasField(name))


def named_test_nets(param: SolverParameter) -> tuple[tuple[str, str | None], ...]:
    """Route and path of the test nets with a field of their own, in the order of their making."""
    inline = ((f"test_net_param[{i}]", None) for i in range(len(param.test_net_param)))
    files = ((f"test_net[{i}]", path) for i, path in enumerate(param.test_net))
    return (*inline, *files)


def number_of_test_nets(param: SolverParameter) -> int:
    """How many test nets Caffe makes: `net` and `net_param` fill up to the number of `test_iter`."""
    named = len(param.test_net_param) + len(param.test_net)
    generic = param.HasField("net") or param.HasField("net_param")
    return max(named, len(param.test_iter)) if generic else named


def net_sources(param: SolverParameter) -> tuple[NetSource, ...]:
    """The nets of a solver in the order in which Caffe creates them: the training net, then each test net.

    Where Caffe refuses the solver (several training nets, counts that do not match), every net that
    is written is still there.
    """
    return (*_training(param), *_testing(param))


def _training(param: SolverParameter) -> Iterator[NetSource]:
    given = net_state()
    given.MergeFrom(param.train_state)
    given.level = COMMAND_LINE_LEVEL
    given.stage.append(COMMAND_LINE_STAGE)
    for name in train_net_fields(param):
        yield NetSource(TRAIN, name, None if name.endswith("_param") else getattr(param, name), given)


def _testing(param: SolverParameter) -> Iterator[NetSource]:
    named = named_test_nets(param)
    generic = next((name for name in ("net_param", "net") if param.HasField(name)), None)
    for index in range(number_of_test_nets(param)):
        given = net_state()
        if index < len(param.test_state):
            given.MergeFrom(param.test_state[index])
        if index < len(named):
            yield NetSource(TEST, *named[index], given)
        elif generic:
            yield NetSource(TEST, generic, None if generic == "net_param" else param.net, given)


def stops_before(param: SolverParameter, route: str) -> bool:
    """Whether Caffe surely aborts before it opens the net that a field of the solver names.

    Kind, `average_loss` and the number of training nets come first (Solver::Init, InitTrainNet); the counts
    of `test_iter` and `test_state` and `test_interval` before the test nets' own files (InitTestNets).
    """
    both_types = param.HasField("type") and param.HasField("solver_type")
    if both_types or solver_type(param) not in TYPE_OF_ENUM or param.average_loss < 1:
        return True
    if len(train_net_fields(param)) != 1:
        return True
    tests = number_of_test_nets(param)
    too_few = len(param.test_iter) != tests
    wrong_states = param.test_state and len(param.test_state) != tests
    return route.startswith("test_net") and bool(too_few or wrong_states or param.test_interval <= 0)


def iterations(param: SolverParameter) -> int:
    """How many iterations `caffe train` runs: `max_iter`, and none where it is missing or negative."""
    return max(0, param.max_iter)


def closes_with_forward(param: SolverParameter) -> bool:
    """Whether the training net is run forward once more after the last iteration (Solver::Solve)."""
    return param.display != 0 and iterations(param) % abs(param.display) == 0


def first_test(param: SolverParameter) -> int | None:
    """The first iteration at which the test nets run, None if they never do (Solver::Step and Solve)."""
    every = abs(param.test_interval)
    if not every or not number_of_test_nets(param):
        return None
    last = iterations(param)
    if param.test_initialization and last > 0:
        return 0
    # the closing test runs at iteration `last`, also where that is 0
    first = every if last > 0 else 0
    return first if first <= last else None

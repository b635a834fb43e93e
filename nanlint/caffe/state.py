"""The NetState under which a net is built, and which layers it keeps (net.cpp, FilterNet and StateMeetsRule)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from nanlint.caffe.model import TEST, TRAIN
from nanlint.schema.descriptors import message_class

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import LayerParameter, NetState, NetStateRule, SolverParameter

PHASES = (TRAIN, TEST)
"""Phase names by enum number."""


def new_state(phase: str, *others: NetState) -> NetState:
    """A state of this phase with others merged into it: stages add up, phase and level are replaced."""
    state = cast("NetState", message_class("NetState")())
    state.phase = PHASES.index(phase)  # type: ignore[assignment]
    for other in others:
        state.MergeFrom(other)
    return state


def train_state(net: NetState, solver: SolverParameter) -> NetState:
    """The state of the net that is trained (solver.cpp, InitTrainNet; tools/caffe.cpp, train).

    `caffe train` sets the level to its own `-level` (0 unless given) and adds the words of its `-stage`,
    which is one empty word unless given.
    """
    state = new_state(TRAIN, net, solver.train_state)
    state.level = 0
    state.stage.append("")
    return state


def test_state(net: NetState, solver: SolverParameter, index: int) -> NetState:
    """The state of test net `index` (solver.cpp, InitTestNets)."""
    states = [net]
    if index < len(solver.test_state):
        states.append(solver.test_state[index])
    return new_state(TEST, *states)


def phase_name(state: NetState) -> str:
    return PHASES[state.phase]


def keeps(state: NetState, layer: LayerParameter) -> bool:
    """Whether a layer is in the net under this state."""
    if layer.include:
        return any(meets(state, rule) for rule in layer.include)
    return not any(meets(state, rule) for rule in layer.exclude)


def meets(state: NetState, rule: NetStateRule) -> bool:
    """Whether a state meets a rule: an empty rule is always met."""
    if rule.HasField("phase") and rule.phase != state.phase:
        return False
    if rule.HasField("min_level") and state.level < rule.min_level:
        return False
    if rule.HasField("max_level") and state.level > rule.max_level:
        return False
    stages = state.stage
    return all(stage in stages for stage in rule.stage) and not any(stage in stages for stage in rule.not_stage)

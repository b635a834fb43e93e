"""The NetState under which a net is built, and which layers it keeps (net.cpp, FilterNet and
StateMeetsRule)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from nanlint.caffe.model import TEST, TRAIN
from nanlint.schema.descriptors import message_class

if TYPE_CHECKING:
    from nanlint.caffe.upgrade import OriginalLayer
    from nanlint.schema.caffe_pb2 import LayerParameter, NetState, NetStateRule

PHASES = (TRAIN, TEST)
"""Phase names by enum number."""


def state_in(phase: str, net: NetState) -> NetState:
    """The state of a net that is built by itself in a phase: its own stages and level stay."""
    state = cast("NetState", message_class("NetState")())
    state.CopyFrom(net)
    state.phase = PHASES.index(phase)  # type: ignore[assignment]
    return state


def phase_name(state: NetState) -> str:
    return PHASES[state.phase]


def keeps(state: NetState, layer: LayerParameter) -> bool:
    """Whether a layer is in the net under this state."""
    if layer.include:
        return any(meets(state, rule) for rule in layer.include)
    return not any(meets(state, rule) for rule in layer.exclude)


def phase_matters(layers: Iterable[OriginalLayer]) -> bool:
    """Whether the TRAIN net and the TEST net can differ in more than their name.

    They do by rules, by a layer's own `phase`, by Dropout, and by BatchNorm unless `use_global_stats` is
    written (dropout_layer.cpp, batch_norm_layer.cpp).
    """
    return any(
        layer.has_rules
        or layer.param.HasField("phase")
        or layer.param.type == "Dropout"
        or (layer.param.type == "BatchNorm" and not layer.param.batch_norm_param.HasField("use_global_stats"))
        for layer in layers
    )


def meets(state: NetState, rule: NetStateRule) -> bool:
    """Whether a state meets a rule: an empty rule is always met."""
    if rule.HasField("phase") and rule.phase != state.phase:
        return False
    if rule.HasField("min_level") and state.level < rule.min_level:
        return False
    if rule.HasField("max_level") and state.level > rule.max_level:
        return False
    stages = state.stage
    return all(stage in stages for stage in rule.stage) and not any(
        stage in stages for stage in rule.not_stage
    )

"""Parameter specs and sharing by name (net.cpp, Net::AppendParam)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal

from nanlint.caffe.layers.base import shown
from nanlint.caffe.model import Layer, LearnedParam, Net, Param, count, same_shape
from nanlint.findings import Effect, Problem, Related

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import ParamSpec

PERMISSIVE = 1
_MULTIPLIERS: Final[tuple[Literal["lr_mult"], Literal["decay_mult"]]] = ("lr_mult", "decay_mult")


class ParamTable:
    """The parameters of a net so far, and who owns each name."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.owners: dict[str, LearnedParam] = {}
        # multipliers of shared parameters that somebody has written, by field and name
        self.given: set[tuple[str, str]] = set()

    def add(self, layer: Layer, params: Sequence[Param]) -> list[Problem]:
        """Give a layer its parameters; the problems in the order in which Caffe meets them.

        The statistics of BatchNorm have no rate of their own (batch_norm_layer.cpp, LayerSetUp).
        """
        specs = layer.param.param
        problems = []
        if len(specs) > len(params):
            problems.append(_too_many_specs(layer, len(params)))
        for index, param in enumerate(params):
            spec = specs[index] if index < len(specs) else None
            problems.extend(self._append(layer, index, param, spec))
        return problems

    def add_unknown(self, layer: Layer, index: int) -> None:
        """A parameter of which only the spec is known."""
        self._append(layer, index, Param(None), layer.param.param[index])

    def _append(self, layer: Layer, index: int, param: Param, spec: ParamSpec | None) -> list[Problem]:
        learned = LearnedParam(layer, index, param)
        layer.params.append(learned)
        self.net.params.append(learned)
        if spec is None:
            if layer.type == "BatchNorm":
                learned.lr_mult = 0.0
            return []
        learned.name, learned.lr_mult, learned.decay_mult = spec.name, spec.lr_mult, spec.decay_mult
        if not spec.name:
            return []
        owner = self.owners.get(spec.name)
        if owner is None:
            self.owners[spec.name] = learned
            self.given.update((field, spec.name) for field in _MULTIPLIERS if spec.HasField(field))
            return []
        learned.owner = owner
        return [*_unequal_shapes(learned, owner, spec), *self._multipliers(learned, owner, spec)]

    def _multipliers(self, learned: LearnedParam, owner: LearnedParam, spec: ParamSpec) -> Iterator[Problem]:
        """A multiplier that is given once holds for all; given twice it must be the same."""
        for field in _MULTIPLIERS:
            value, holds = getattr(spec, field), getattr(owner, field)
            if spec.HasField(field):
                if (field, spec.name) not in self.given:
                    self.given.add((field, spec.name))
                    setattr(owner, field, value)
                elif value != holds:
                    yield _unequal_multiplier(learned, owner, field, value, holds)
            setattr(learned, field, getattr(owner, field))


def _too_many_specs(layer: Layer, blobs: int) -> Problem:
    specs = len(layer.param.param)
    has = f"{blobs} parameter blob{'s' if blobs != 1 else ''}" if blobs else "no parameters"
    return Problem(
        layer.at(f"param[{blobs}]"),
        f"{layer.called} has {specs} `param` blocks, but a {layer.type} with these settings has {has}, "
        f"and Caffe aborts; {'leave out the rest' if blobs else 'leave them out'}",
        "too-many-param-specs",
        layer=layer.name,
        phase=layer.net.phase,
        effect=Effect.SETUP_FAILURE,
    )


def _unequal_shapes(learned: LearnedParam, owner: LearnedParam, spec: ParamSpec) -> Iterator[Problem]:
    mine, theirs = learned.param.shape, owner.param.shape
    if spec.share_mode == PERMISSIVE:
        one, other = count(mine), count(theirs)
        if one is None or other is None or one == other:
            return
        differ = f"holds {one} numbers here and {other} there"
    else:
        if same_shape(mine, theirs) is not False:
            return
        differ = f"is {shown(mine)} here and {shown(theirs)} there"
    remedy = "give both layers one shape or the parameters two names"
    if spec.share_mode != PERMISSIVE and count(mine) is not None and count(mine) == count(theirs):
        remedy = "write `share_mode: PERMISSIVE` here, or give the parameters two names"
    yield _mismatch(learned, owner, "name", f"which {differ}, and Caffe aborts; {remedy}")


def _unequal_multiplier(learned: LearnedParam, owner: LearnedParam, field: str, mine: float, theirs: float) -> Problem:
    return _mismatch(
        learned,
        owner,
        field,
        f"with `{field}: {mine:g}` here and `{field}: {theirs:g}` there, and Caffe aborts; write one value in both",
    )


def _mismatch(learned: LearnedParam, owner: LearnedParam, field: str, words: str) -> Problem:
    layer = learned.layer
    other = owner.layer.at(f"param[{owner.index}].{field}")
    return Problem(
        layer.at(f"param[{learned.index}].{field}"),
        f"{layer.called} shares the parameter `{learned.name}` of {owner.layer.called} ({other}), {words}",
        "param-mismatch",
        related=(Related(f"{owner.layer.called} owns `{learned.name}`", other),),
        layer=layer.name,
        phase=layer.net.phase,
        effect=Effect.SETUP_FAILURE,
    )

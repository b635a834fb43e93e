"""A solver and the net that its weights are for: the training net's deploy net, found beside it or named.

Caffe itself knows nothing of the pair. Weights go from one net to the other by the names of layers
(net.cpp, CopyTrainedLayersFrom), so two nets that share names are meant to be one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nanlint.caffe.load import NET
from nanlint.caffe.model import TEST, Net, Solver
from nanlint.caffe.named_files import find_net
from nanlint.caffe.net import build
from nanlint.caffe.solver import net_sources, net_state
from nanlint.caffe.state import state_in

if TYPE_CHECKING:
    from nanlint.caffe.load import Files
    from nanlint.caffe.options import Options

DEPLOY_STAGE = "deploy"
"""The stage that nets for all uses in one file give to their deploy net."""

_DEPLOYED = re.compile(r"deploy|inference", re.IGNORECASE)
_NAME = re.compile(rb"""\bname\s*:\s*(?:"([^"\n]*)"|'([^'\n]*)')""")
_COMMENT = re.compile(rb"(?m)^[ \t]*#.*$")
_TRAINS = re.compile(rb"""\btype\s*:\s*["']?\w*(?:Loss|_LOSS|Data|_DATA)\b""")
_INPUT = re.compile(rb"""^input\s*:|\btype\s*:\s*["']Input["']""", re.MULTILINE)
_LAYER = re.compile(rb"\blayers?\s*:?\s*\{")
_WORD = re.compile(r"[A-Za-z]+|\d+")

_COMMON_WORDS = frozenset("train val test trainval deploy inference net solver model".split())

LEAST_SHARED, LEAST_SHARED_IF_NOT_CALLED_SO = 0.8, 0.9
"""The part of a deploy net's names that its training net has, where several training nets lie beside it, and where
nothing but its layers says that it is a deploy net.
"""

FEW_NAMES = 2
"""The names that a small deploy net may have for itself: its own, and that of its prediction."""

WEIGHT_OF_FILE_NAME = 0.5
"""What two file names of the same words are worth, in parts of the names of layers."""

MOST_LOOKED_AT = 200
"""Prototxts of one folder that are looked at; a folder of more is a collection of nets, no model's own."""


@dataclass(eq=False)
class Deployment:
    """A solver's training net and the net that shall run with its weights.

    `trained`: the training net. `reference`: the same file as it is run without training, its TEST net where that
    can be built, else the training net. `deploy`: the net that gets the weights. `sure`: the user has named it, or it
    is called a deploy net; else it only looks like one.
    """

    solver: Solver
    trained: Net
    reference: Net
    deploy: Net
    sure: bool = True

    def __repr__(self) -> str:
        return f"Deployment({self.trained.path!r}, {self.deploy.path!r})"


class Targeted(NamedTuple):
    """A net, and the program that shall use it: a name of `schema.targets`."""

    net: Net
    target: str


class _Sketch(NamedTuple):
    """What a prototxt looks like without being parsed."""

    names: frozenset[bytes]
    trains: bool
    takes_input: bool


def deployments(solver: Solver, options: Options, files: Files, named: tuple[str, ...] = ()) -> list[Deployment]:
    """The deploy nets of a solver: those `named`, else those that lie beside it or its net, and the stage `deploy`
    of its own net file.

    A file beside the solver that cannot be read is passed over. Raises OSError if a named one cannot be.
    """
    trained = solver.train_net
    if trained is None or trained.origin is not None:
        return []
    made: list[Net] = []
    for path in named or _beside(solver, trained, options):
        try:
            bound = files.bound(path, NET, options)
        except (OSError, ValueError):
            if named:
                raise
            continue
        upgraded = files.upgraded(bound)
        if upgraded.layers:
            made.append(build(bound, upgraded, state_in(TEST, upgraded.param.state), options))
    staged = None if named else _stage(trained, options, files)
    nets = [*made, *([staged] if staged else [])]
    if not nets:
        return []
    reference = _reference(solver, trained, options, files)
    sure = [bool(named) or net is staged or _called_so(net.path) for net in nets]
    return [Deployment(solver, trained, reference, *one) for one in zip(nets, sure, strict=True)]


def _reference(solver: Solver, trained: Net, options: Options, files: Files) -> Net:
    """The training file's net as it is tested."""
    for net in solver.nets:
        if net.role == TEST and net.path == trained.path and not net.refused:
            return net
    upgraded = files.upgraded(trained.bound)
    tested = build(trained.bound, upgraded, state_in(TEST, upgraded.param.state), options)
    return trained if tested.refused or len(tested.layers) < len(trained.layers) // 2 else tested


def _stage(trained: Net, options: Options, files: Files) -> Net | None:
    """The net of the stage `deploy`, where the training net's file knows one that its own state does not set."""
    upgraded = files.upgraded(trained.bound)
    rules = [rule for layer in upgraded.layers for rule in (*layer.param.include, *layer.param.exclude)]
    if not any(DEPLOY_STAGE in (*rule.stage, *rule.not_stage) for rule in rules):
        return None
    state = net_state(TEST)
    state.stage.append(DEPLOY_STAGE)
    return build(trained.bound, upgraded, state, options)


def _beside(solver: Solver, trained: Net, options: Options) -> Iterator[str]:
    """The paths of the prototxts beside the solver or its net that are the deploy nets of this net, not another's."""
    own = {os.path.realpath(net.path) for net in solver.nets if net.bound is not solver.bound}
    for source in net_sources(solver.param):
        found = source.path and find_net(source.path, solver.path, options.roots)
        own |= {os.path.realpath(found)} if found else set()
    for folder in dict.fromkeys((str(Path(solver.path).parent), str(Path(trained.path).parent))):
        sketches = dict(_sketches(folder))
        mine = next((one for path, one in sketches.items() if _same(path, trained.path)), None) or _sketch(trained.path)
        if mine is None:
            continue
        rivals = {
            path: one
            for path, one in sketches.items()
            if one.trains and not _called_so(path) and os.path.realpath(path) not in own
        }
        for path, other in sketches.items():
            if path in rivals or os.path.realpath(path) in own or not (other.takes_input or _called_so(path)):
                continue
            if _belongs(path, other, trained.path, mine, rivals):
                yield path


def _belongs(path: str, other: _Sketch, own_path: str, mine: _Sketch, rivals: Mapping[str, _Sketch]) -> bool:
    """Whether a net is the deploy net of this training net, and of no other beside it.

    A file called so is, whatever its layers' names, where there is one training net and it cannot be another's.
    """
    if not _called_so(path):
        least = LEAST_SHARED_IF_NOT_CALLED_SO
    elif rivals:
        least = LEAST_SHARED
    else:
        least = 0.0
    own = _closeness(path, other, own_path, mine)
    rival = max((_closeness(path, other, rival, sketch) for rival, sketch in rivals.items()), default=-1.0)
    known = len(other.names - mine.names) <= FEW_NAMES or _shared(other, mine) >= least
    return known and own > rival


def _closeness(path: str, other: _Sketch, own_path: str, mine: _Sketch) -> float:
    """How likely two nets are one, by the names of their layers and their own."""
    return _shared(other, mine) + WEIGHT_OF_FILE_NAME * _likeness(path, own_path)


def _called_so(path: str) -> bool:
    return bool(_DEPLOYED.search(Path(path).name))


def _shared(one: _Sketch, other: _Sketch) -> float:
    """The part of the names of one net that another has."""
    return len(one.names & other.names) / len(one.names) if one.names else 0.0


def _likeness(one: str, other: str) -> float:
    """How much of two file names is the same words, besides those that say what a net is for."""
    words, others = ({*map(str.lower, _WORD.findall(Path(path).stem))} - _COMMON_WORDS for path in (one, other))
    return len(words & others) / len(words | others) if words | others else 1.0


def _sketches(folder: str) -> Iterator[tuple[str, _Sketch]]:
    """Each net of a folder with what it looks like."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".prototxt"))  # noqa: PTH208
    except OSError:
        return
    for name in names if len(names) <= MOST_LOOKED_AT else ():
        path = os.path.normpath(os.path.join(folder, name))  # noqa: PTH118
        found = _sketch(path)
        if found is not None:
            yield path, found


def _sketch(path: str) -> _Sketch | None:
    """What a net's text looks like; None for what is no net."""
    try:
        text = _COMMENT.sub(b"", Path(path).read_bytes())
    except OSError:
        return None
    if not _LAYER.search(text):
        return None
    names = frozenset(found[0] or found[1] for found in _NAME.findall(text))
    return _Sketch(names, bool(_TRAINS.search(text)), bool(_INPUT.search(text)))


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)

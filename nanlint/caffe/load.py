"""From a path to what Caffe builds of it: a solver with its nets, or the two nets of a net prototxt."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nanlint.caffe.model import TEST, TRAIN, Net, Origin, Solver, ends_setup
from nanlint.caffe.named_files import candidates, find_net, is_solver, missing_net, solver_as_net, unread_net
from nanlint.caffe.net import build
from nanlint.caffe.options import Options
from nanlint.caffe.solver import NetSource, first_test, iterations, net_sources, stops_before
from nanlint.caffe.state import phase_matters, state_in
from nanlint.caffe.upgrade import UpgradedNet, current_layers, upgrade_net
from nanlint.findings import Effect, Problem, Severity
from nanlint.safety.reading import (
    is_folder,
    is_forbidden,
    is_there,
    read_named,
    read_regular,
    reason,
)
from nanlint.schema.bind import bind
from nanlint.schema.dialect import Dialect
from nanlint.schema.resemblance import resembles_none, without_content
from nanlint.text.parser import parse
from nanlint.text.source import Source
from nanlint.text.tree import Document

if TYPE_CHECKING:
    from nanlint.schema.bind import Bound
    from nanlint.schema.caffe_pb2 import NetParameter, SolverParameter

SOLVER = "SolverParameter"
NET = "NetParameter"


class Files:
    """The files of one run: each is read and bound once, however it is reached."""

    def __init__(self) -> None:
        self._given: dict[str, Source] = {}
        self._documents: dict[str, Document] = {}
        self._bound: dict[tuple[str, str, str], Bound] = {}
        self._upgraded: dict[int, UpgradedNet] = {}

    def add(self, source: Source) -> None:
        """Make a text known under its path, as if it were the file."""
        self._given[os.path.realpath(source.path)] = source

    def knows(self, path: str) -> bool:
        """Whether the text of a file was made known."""
        return bool(self._given) and os.path.realpath(path) in self._given

    def document(self, path: str, *, named: bool = False, foreign: bool = False) -> Document:
        """A file, parsed; a folder reads as empty, as Caffe has it.

        `named`: the call names it itself, so that it may be a pipe. `foreign`: another file names it, so that of one
        that does not look like a net nothing is read. Raises OSError if it cannot be read.
        """
        key = os.path.realpath(path)
        if key not in self._documents:
            given = self._given.get(key)
            self._documents[key] = _parsed(given or _read(path, named), foreign and given is None)
        return self._documents[key]

    def documents(self) -> tuple[Document, ...]:
        """Every file that has been read."""
        return tuple(self._documents.values())

    def bound(self, path: str, message_type: str, options: Options, *, foreign: bool = False) -> Bound:
        """A file bound to the schema; `foreign` as in `document`. Raises OSError if it cannot be read."""
        key = (os.path.realpath(path), message_type, options.dialect.name)
        if key not in self._bound:
            self._bound[key] = bind(self.document(path, foreign=foreign), message_type, options.dialect)
        return self._bound[key]

    def upgraded(self, bound: Bound) -> UpgradedNet:
        """The net of a bound file in the format of today."""
        if id(bound) not in self._upgraded:
            self._upgraded[id(bound)] = upgrade_net(bound)
        return self._upgraded[id(bound)]


def _read(path: str, named: bool) -> Source:
    read = read_named if named else read_regular
    return Source.decode(path, b"" if is_folder(path) else read(path))


def _parsed(source: Source, foreign: bool) -> Document:
    document = parse(source)
    fault = resembles_none(document, foreign)
    return without_content(document, fault) if fault else document


def load_solver(path: str, options: Options | None = None, files: Files | None = None) -> Solver:
    """The solver of a file with its nets, in the order in which Caffe creates them.

    Nets that cannot be found or read are problems of the solver. Raises OSError if the solver's own file
    cannot be read.
    """
    options, files = options or Options(), files or Files()
    bound = files.bound(path, SOLVER, options)
    param = cast("SolverParameter", bound.message)
    solver = Solver(bound, param, path, pinned=options.dialect is Dialect.BVLC)
    missing: set[str] = set()
    for source in net_sources(param):
        try:
            net = _net_of(source, solver, options, files)
            if net is None and source.path is not None:
                net = _moved_net(source, solver, options, files)
                if net is not None and source.path not in missing:
                    missing.add(source.path)
                    solver.problems.append(missing_net(bound, source, net.path))
        except _OtherFileError as other:
            if source.path not in missing:
                missing.add(source.path or "")
                solver.problems.append(other.problem)
            continue
        except OSError as wrong:
            missing.add(source.path or "")
            solver.problems.append(unread_net(bound, source, reason(wrong)))
            continue
        if net is not None:
            net.trained = source.phase == TRAIN
            net.role = source.phase
            net.named_at = bound.place(source.route) if source.path is not None else None
            net.opened = not stops_before(param, source.route)
            net.runs = _runs(source, param)
            net.fresh = not param.weights and (source.phase == TRAIN or first_test(param) == 0)
            net.iterations = iterations(param) if source.phase == TRAIN and param.iter_size > 0 else 0
            solver.nets.append(net)
        elif source.path is not None and source.path not in missing:
            missing.add(source.path)
            forbidden = any(map(is_forbidden, candidates(source.path, solver.path, options.roots)))
            why = "it may not be read from here: permission denied"
            solver.problems.append(unread_net(bound, source, why) if forbidden else missing_net(bound, source))
    mark_first(solver.nets)
    introduce(solver.nets)
    return solver


def load_net(path: str, options: Options | None = None, files: Files | None = None) -> list[Net]:
    """The TRAIN net and the TEST net of a file. Raises OSError if it cannot be read."""
    options, files = options or Options(), files or Files()
    nets = [_net_in(phase, path, options, files) for phase in (TRAIN, TEST)]
    for net, other in (nets, nets[::-1]):
        if net.refused and not other.refused:
            doubt_phase(net)
    mark_first(nets)
    introduce(nets)
    return nets


def load_distinct_nets(path: str, options: Options, files: Files) -> list[Net]:
    """As `load_net`, but the TRAIN net alone where the TEST net is the same except for its name."""
    if phase_matters(files.upgraded(files.bound(path, NET, options)).layers):
        return load_net(path, options, files)
    nets = [_net_in(TRAIN, path, options, files)]
    mark_first(nets)
    return nets


def load_test_net(path: str, options: Options, files: Files) -> Net:
    """The TEST net that `load_distinct_nets` leaves out. Raises OSError if the file cannot be read."""
    return _net_in(TEST, path, options, files)


def _net_in(phase: str, path: str, options: Options, files: Files) -> Net:
    bound = files.bound(path, NET, options)
    upgraded = files.upgraded(bound)
    return build(bound, upgraded, state_in(phase, upgraded.param.state), options)


def _runs(source: NetSource, param: SolverParameter) -> bool:
    """Whether `caffe train` ever runs a net (Solver::Step and Solve).

    The training net runs in each iteration, and once more at the end if `display` is due then; a test net
    when a test is due.
    """
    if source.phase == TRAIN:
        last = iterations(param)
        return (last > 0 and param.iter_size > 0) or (param.display != 0 and last % param.display == 0)
    return first_test(param) is not None


def _net_of(source: NetSource, solver: Solver, options: Options, files: Files) -> Net | None:
    """One net of a solver; None if its file is not found. Raises OSError if it cannot be read."""
    if source.path is None:
        return _inline_net(solver, source, options)
    path = find_net(source.path, solver.path, options.roots, files.knows)
    if path is None:
        return None
    bound = files.bound(path, NET, options, foreign=True)
    if is_solver(bound):
        raise _OtherFileError(solver_as_net(solver, source, bound))
    upgraded = files.upgraded(bound)
    return build(bound, upgraded, source.state(upgraded.param), options)


class _OtherFileError(Exception):
    """The file that a solver names as its net is none."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _moved_net(source: NetSource, solver: Solver, options: Options, files: Files) -> Net | None:
    """The net beside the solver under the last name of a path that leads nowhere; None where there is none."""
    path = str(Path(solver.path).parent / Path(source.path or "").name)
    if not Path(source.path or "").name or not is_there(Path(path)):
        return None
    bound = files.bound(path, NET, options, foreign=True)
    upgraded = files.upgraded(bound)
    return build(bound, upgraded, source.state(upgraded.param), options)


def _inline_net(solver: Solver, source: NetSource, options: Options) -> Net:
    """A net written in the solver, which Caffe does not upgrade."""
    origin = Origin(solver.bound, source.route)
    name, _, index = source.route.partition("[")
    field = getattr(solver.param, name)
    param = cast("NetParameter", field[int(index[:-1])] if index else field)
    upgraded = UpgradedNet(param, current_layers(solver.bound, param, source.route), list(_not_upgraded(origin, param)))
    return build(solver.bound, upgraded, source.state(param), options, origin)


def _not_upgraded(origin: Origin, param: NetParameter) -> Iterator[Problem]:
    for field, what in (("layers", "the old `layers`"), ("input", "`input`")):
        if getattr(param, field):
            yield Problem(
                origin.place(f"{field}[0]"),
                f"{what} of a net inside the solver is ignored: Caffe upgrades old formats in files only; "
                "write the net in the format of today, or in a file of its own",
                "ignored-field",
                severity=Severity.WARNING,
                effect=Effect.NONE,
            )


def doubt_phase(net: Net) -> None:
    """A net that cannot be built in one phase alone is perhaps never built in it: no solver says so."""
    made_elsewhere = all(
        problem.kind == "unknown-bottom" for problem in net.problems if ends_setup(problem)
    ) and not any(not layer.param.bottom for layer in net.layers)
    severity = Severity.INFO if made_elsewhere else Severity.WARNING
    net.problems[:] = [
        problem._replace(severity=severity) if ends_setup(problem) else problem for problem in net.problems
    ]


def introduce(nets: list[Net]) -> None:
    """Tell each net of the others."""
    for net in nets:
        net.companions = tuple(other for other in nets if other is not net)


def mark_first(nets: list[Net]) -> None:
    """Say of the first of several refusals that Caffe stops there."""
    for net in nets:
        fatal = [index for index, problem in enumerate(net.problems) if ends_setup(problem)]
        if not fatal:
            continue
        if len(fatal) > 1:
            first = net.problems[fatal[0]]
            said = "Caffe stops here first, before it can meet the others"
            net.problems[fatal[0]] = first._replace(evidence=f"{first.evidence}; {said}" if first.evidence else said)
        return

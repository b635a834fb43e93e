"""What the paths of a call lead to: solvers with their nets, and nets by themselves."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from nanlint.caffe.load import Files, load_distinct_nets, load_net, load_solver, load_test_net
from nanlint.caffe.model import Net, Solver
from nanlint.caffe.options import Options
from nanlint.config import Settings, UsageError
from nanlint.engine.excluding import excluder
from nanlint.engine.failures import internal_error
from nanlint.engine.files import STDIN, Input, Kind, classify, find
from nanlint.engine.reading import Progress, Reading
from nanlint.safety.reading import reason
from nanlint.schema import descriptors
from nanlint.schema.bind import Bound
from nanlint.schema.dialect import Dialect
from nanlint.text.source import Source

if TYPE_CHECKING:
    from nanlint.caffe.deployment import Deployment
    from nanlint.data.beside import Beside

Value = TypeVar("Value")


class Loaded(NamedTuple):
    """One file of the call: its nets in the order of their making, and its solver if it is one.

    `make_test_net`: of a net whose two phases are alike only the TRAIN net is made; this makes the other.
    `find_deployments`: makes a solver's pairs with its deploy nets.
    `beside`: the data, means and weights that it names, where they are read.
    """

    path: str
    solver: Solver | None
    nets: Sequence[Net]
    make_test_net: Callable[[], Net | None] | None = None
    find_deployments: Callable[[], list[Deployment] | None] | None = None
    beside: Beside | None = None

    @property
    def bounds(self) -> list[Bound]:
        """The files that it is made of, each once."""
        found = {id(net.bound): net.bound for net in self.nets}
        own = [self.solver.bound] if self.solver else []
        return own + [bound for bound in found.values() if bound not in own]


@dataclass
class Opened:
    """Everything that a call's paths lead to. `failures` say what could not be read or loaded.

    `found`: the real paths of the files that the call names, or that lie in folders it names.
    `notes`: which of them are passed over, since no Caffe reads them.
    """

    files: Files
    loaded: list[Loaded] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def open_all(
    paths: Sequence[str | Input],
    settings: Settings,
    *,
    stdin: bytes = b"",
    stdin_name: str = "<stdin>",
    distinct: bool = False,
    weights: Sequence[str] = (),
    progress: Progress | None = None,
    overlays: Mapping[str, str] | None = None,
) -> Opened:
    """Load files and folders, solvers first, each file once; `-` is `stdin`.

    With `distinct` nets like another are left out: one that a solver of the call uses too, where it is given
    by itself, and the TEST net of a file whose phases are alike. `weights` stand in place of the solver's own.
    `overlays` are unsaved texts by path.
    """
    files = Files()
    for path, text in (overlays or {}).items():
        files.add(Source(path, text))
    found = find(paths, files.knows, excluder(settings))
    opened = Opened(files, failures=list(found.failures))
    if STDIN in paths:
        files.add(Source.decode(stdin_name, stdin))
    options = Options(dialect_of(settings), settings.roots, settings.inputs)
    reading = Reading(settings, weights, progress)
    solvers, nets = _by_kind([_named(given, stdin_name) for given in found.inputs], opened)
    if distinct:
        solvers += _naming(nets, solvers, settings, opened)
    for path in solvers:
        solver = _load(load_solver, path, reading.options(options, path), opened)
        if solver is not None:
            pairs = partial(_pairs, solver, options, settings, opened) if distinct else None
            beside = reading.beside(solver.nets, solver)
            opened.loaded.append(Loaded(path, solver, solver.nets, find_deployments=pairs, beside=beside))
    used = {os.path.realpath(net.bound.source.path) for one in opened.loaded for net in one.nets}
    for path in nets:
        if distinct and os.path.realpath(path) in used:
            continue
        own = reading.options(options)
        made = _load(load_distinct_nets if distinct else load_net, path, own, opened)
        if made is not None:
            make_test_net = partial(_load, load_test_net, path, own, opened) if len(made) == 1 else None
            opened.loaded.append(Loaded(path, None, made, make_test_net, beside=reading.beside(made)))
    opened.notes += reading.close()
    return opened


def _naming(nets: Sequence[str], given: Sequence[str], settings: Settings, opened: Opened) -> list[str]:
    """The solvers by which nets of the call are run, where the call itself names none for them."""
    from nanlint.engine.solvers_of import Solvers

    search, known = Solvers(), {os.path.realpath(path) for path in given}
    found: dict[str, str] = {}
    for net in nets:
        naming = search.of(net, settings.roots)
        if not naming or any(os.path.realpath(solver) in known for solver in naming):
            continue
        fresh = [solver for solver in naming if os.path.realpath(solver) not in found]
        found.update({os.path.realpath(solver): solver for solver in fresh})
        called = ", ".join(f"`{solver}`" for solver in naming)
        opened.notes.append(f"`{net}` is linted with {called}, which {'names' if len(naming) == 1 else 'name'} it")
    return list(found.values())


def _named(given: Input, stdin_name: str) -> Input:
    return Input(stdin_name) if given.path == STDIN else given


def _by_kind(inputs: Sequence[Input], opened: Opened) -> tuple[list[str], list[str]]:
    """The paths of the solvers, and of the nets; of two paths to one file the first."""
    solvers: list[str] = []
    nets: list[str] = []
    for given in inputs:
        identity = os.path.realpath(given.path)
        if identity in opened.found:
            continue
        opened.found.add(identity)
        try:
            document = opened.files.document(given.path, named=given.listed)
        except (OSError, ValueError) as wrong:
            opened.failures.append(f"cannot read `{given.path}`: {reason(wrong)}")
            continue
        kind = classify(document, given.path)
        if kind is Kind.SOLVER:
            solvers.append(given.path)
        elif kind is Kind.NET:
            nets.append(given.path)
        elif given.listed:
            opened.notes.append(f"`{given.path}` is passed over: no field of it is one of a solver or a net")
    return solvers, nets


def _pairs(solver: Solver, options: Options, settings: Settings, opened: Opened) -> list[Deployment] | None:
    from nanlint.caffe.deployment import deployments

    def find(_: str, given: Options, files: Files) -> list[Deployment]:
        return deployments(solver, given, files, settings.deploy)

    return _load(find, solver.path, options, opened)


def _load(load: Callable[[str, Options, Files], Value], path: str, options: Options, opened: Opened) -> Value | None:
    try:
        return load(path, options, opened.files)
    except OSError as wrong:
        opened.failures.append(f"cannot read `{wrong.filename or path}`: {reason(wrong)}")
    except Exception as error:  # loaders record what is wrong with a file, so this is a bug
        opened.failures.append(internal_error("loading", path, error))
    return None


def dialect_of(settings: Settings) -> Dialect:
    """The Caffe that the settings name or describe. Raises UsageError for one that is not known."""
    if settings.proto:
        from nanlint.schema.proto_file import use_proto

        try:
            return use_proto(settings.proto)
        except ValueError as wrong:
            raise UsageError(f"--proto: {wrong}") from wrong
    descriptors.use(None)
    try:
        return Dialect.named(settings.caffe or Dialect.ANY.name)
    except ValueError as wrong:
        raise UsageError(f"--caffe: {wrong}") from wrong

"""The files that a solver names as its nets: where they are looked for, and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nanlint.findings import Applicability, Edit, Effect, Fix, Problem, Related, Severity
from nanlint.safety.reading import is_there
from nanlint.schema.descriptors import descriptor
from nanlint.text.source import Place, Span
from nanlint.text.tree import Scalar

if TYPE_CHECKING:
    from nanlint.caffe.model import Solver
    from nanlint.caffe.solver import NetSource
    from nanlint.schema.bind import Bound


def find_net(
    written: str,
    solver_path: str,
    roots: tuple[str, ...] = (),
    known: Callable[[str], bool] = lambda path: False,
) -> str | None:
    """The file that a path in a solver means: from the working directory, beside the solver, up its
    ancestors, a root. `known`: files that need not be on the disk."""
    found = next((one for one in candidates(written, solver_path, roots) if is_there(one) or known(str(one))), None)
    return None if found is None else os.path.normpath(found)


def candidates(written: str, solver_path: str, roots: tuple[str, ...]) -> Iterator[Path]:
    """Where a path in a solver may lead, in the order in which it is tried."""
    if not written or "\0" in written:
        return
    yield Path(written)
    if Path(written).is_absolute():
        return
    beside = Path(solver_path).parent
    yield beside / written
    for ancestor in beside.resolve().parents:
        yield Path(os.path.relpath(ancestor / written))
    for root in roots:
        yield Path(root) / written


def unread_net(bound: Bound, source: NetSource, why: str) -> Problem:
    """A net that is there, and cannot be read here; perhaps it can where the solver runs."""
    field = source.route.partition("[")[0]
    return Problem(
        bound.place(source.route),
        f'`{field}: "{source.path}"` is there, but cannot be read: {why}; name a net prototxt that can be read',
        "missing-net-file",
        effect=Effect.SETUP_FAILURE,
    )


def missing_net(bound: Bound, source: NetSource, beside: str | None = None) -> Problem:
    """Certain only where the name has no folder that might exist elsewhere. `beside`: the file that is linted in its
    place."""
    name, field = source.path or "", source.route.partition("[")[0]
    last = Path(name).name
    certain = last == name
    remedy = "mend the path"
    if beside is not None:
        remedy = f"`{last}` lies beside the solver and is linted in its place: write the path to it"
    return Problem(
        bound.place(source.route),
        f'`{field}: "{name}"` is found neither from here nor beside the solver nor in '
        f"a folder above it, and Caffe aborts on a net that it cannot open; {remedy}, or name its folder "
        "with `--root`",
        "missing-net-file",
        fix=_named_instead(bound, source, last) if beside is not None else None,
        severity=Severity.ERROR if certain else Severity.WARNING,
        effect=Effect.SETUP_FAILURE,
    )


def _named_instead(bound: Bound, source: NetSource, path: str) -> Fix:
    """The edit that names another net file."""
    value = bound.place(source.route, value=True)
    return Fix(f'write `"{path}"`', (Edit(value, f'"{path}"'),), Applicability.UNSAFE)


def solver_as_net(solver: Solver, source: NetSource, bound: Bound) -> Problem:
    """The file that should be a net is a solver; perhaps the net that it names was meant."""
    root, field = bound.root, source.route.partition("[")[0]
    named = [
        value.string.decode("utf-8", "replace")
        for one in root.fields
        if one.name in (field, "net", "train_net")
        for value in one.values
        if isinstance(value, Scalar)
    ]
    meant = next((path for path in named if find_net(path, bound.source.path)), None)
    shown = next(one for one in root.fields if one.name in descriptor("SolverParameter").fields_by_name)
    remedy = f'write the net that it names, `{field}: "{meant}"`' if meant else "name the net itself"
    return Problem(
        solver.bound.place(source.route),
        f"`{source.path}`, which `{field}` names, is itself a solver (it has the field `{shown.name}`), and "
        f"Caffe aborts as it reads a net from it; {remedy}",
        "solver-as-net",
        related=(Related("a field of a solver", Place(bound.source, Span(shown.start, shown.name_end))),),
        fix=_named_instead(solver.bound, source, meant) if meant else None,
        effect=Effect.PARSE_FAILURE,
    )


def is_solver(bound: Bound) -> bool:
    """Whether a file has fields of a solver, and none of a net but `name`."""
    names = {field.name for field in bound.root.fields if field.name.isascii()}
    solver, net = descriptor("SolverParameter").fields_by_name, descriptor("NetParameter").fields_by_name
    return any(name in solver for name in names) and not any(name in net for name in names - {"name"})

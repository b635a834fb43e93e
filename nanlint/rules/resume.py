"""The state from which a run can go on: whether it is this solver's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nanlint.caffe.solver import solver_type
from nanlint.findings import Effect, Problem
from nanlint.rules.registry import WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.caffe.model import Solver

_BLOBS_A_WEIGHT = {"SGD": 1, "Nesterov": 1, "AdaGrad": 1, "RMSProp": 1, "AdaDelta": 2, "Adam": 2}
_STATE = re.compile(r"_iter_(\d+)\.solverstate")


@rule("SOL025", "state-of-another-solver", WARNING, effect=Effect.RUN_FAILURE)
def state_of_another_solver(solver: Solver) -> Iterator[Problem]:
    """The last snapshot at `snapshot_prefix` was written by another kind of solver, or for another net.

    **In Caffe** `caffe train --snapshot` demands as many history blobs as this solver keeps (sgd_solver.cpp,
    RestoreSolverStateFromBinaryProto: `Incorrect length of history blobs`): one for each learnable blob, and two under
    AdaDelta and Adam. It aborts otherwise. Without `--snapshot` the state is not read.

    **Instead** resume with the `type` that wrote it, or start from its weights (`--weights`).
    """
    net, kind = solver.train_net, solver_type(solver.param)
    if net is None or net.refused or kind not in _BLOBS_A_WEIGHT or any(one.spec is None for one in net.layers):
        return
    path = _last_state(solver)
    held = _history(path) if path else None
    learnable = sum(one.owner is None for one in net.params)
    wanted = learnable * _BLOBS_A_WEIGHT[kind]
    if path is None or held is None or held == wanted:
        return
    others = [name for name, blobs in _BLOBS_A_WEIGHT.items() if blobs * learnable == held]
    whose = f"those of {' or '.join(others)}" if others else "those of another net"
    by_number = solver.param.HasField("solver_type") and not solver.param.HasField("type")
    yield finding(
        solver.at("solver_type" if by_number else "type"),
        f"the snapshot `{path.name}` holds {counted(held, 'history blob')}, {whose}, and `{kind}` keeps {wanted} for "
        "this net, so `caffe train --snapshot` aborts on it; resume with the solver that wrote it, or start from its "
        "weights",
    )


def _last_state(solver: Solver) -> Path | None:
    """The state of the highest iteration that the solver's own prefix leads to."""
    prefix = solver.param.snapshot_prefix
    if not prefix or "\0" in prefix:
        return None
    for base in (Path(), Path(solver.path).parent):
        start = base / prefix
        try:
            names = [path for path in start.parent.iterdir() if path.name.startswith(f"{start.name}_iter_")]
        except OSError:
            continue
        states = [(int(match[1]), path) for path in names if (match := _STATE.fullmatch(path.name[len(start.name) :]))]
        if states:
            return max(states)[1]
    return None


def _history(path: Path) -> int | None:
    from nanlint.caffe.caffemodel import NotAModelError, saved_history

    try:
        return len(saved_history(path).history)
    except (NotAModelError, OSError, ValueError):
        return None

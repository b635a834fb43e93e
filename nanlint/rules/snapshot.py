"""What a run reads and writes: snapshots, their prefix and format, and the weights that it starts from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nanlint.caffe.solver import (
    iterations,
)
from nanlint.findings import Applicability, Edit, Effect, Fix, Problem, Related
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Solver


@rule("SOL010", "snapshot-prefix-unusable", WARNING, effect=Effect.SETUP_FAILURE)
def snapshot_prefix_unusable(solver: Solver) -> Iterator[Problem]:
    """The folder of `snapshot_prefix` does not exist here.

    **In Caffe** a probe file is written at the prefix before any net is read, if `snapshot` is set
    (solver.cpp, CheckSnapshotWritePermissions). Otherwise the run fails at its very end, when the trained
    weights are to be saved. Caffe makes no folder. A prefix that is a folder gets the solver's name appended
    (upgrade_proto.cpp).

    **Instead** make the folder before training, or write a prefix in one that exists.
    """
    param = solver.param
    prefix = param.snapshot_prefix
    if not prefix or not _saves(solver) or "\0" in prefix:
        return
    at_start = param.snapshot != 0
    blocked = _file_on_the_way(solver, prefix)
    if blocked:
        yield finding(
            solver.at("snapshot_prefix"),
            f'`snapshot_prefix: "{prefix}"` leads through `{blocked}`, which is a file, so no snapshot can '
            f"be written and Caffe aborts {'at the start' if at_start else 'after the whole training'}; "
            "write a folder's name",
            severity=ERROR,
            effect=Effect.SETUP_FAILURE if at_start else Effect.RUN_FAILURE,
        )
    elif not any(base.joinpath(prefix).parent.is_dir() for base in _bases(solver)):
        yield finding(
            solver.at("snapshot_prefix"),
            f"the folder `{Path(prefix).parent}` of `snapshot_prefix` does not exist here; where it is "
            f"missing, Caffe aborts {'at the start' if at_start else 'after the whole training'}: make it "
            "before you train",
            severity=INFO,
            effect=Effect.SETUP_FAILURE if at_start else Effect.RUN_FAILURE,
        )


@rule("SOL011", "nothing-is-saved", WARNING, effect=Effect.NONE)
def nothing_is_saved(solver: Solver) -> Iterator[Problem]:
    """Neither a snapshot during the run nor one at its end is written.

    **In Caffe** `snapshot: 0` (the default) writes none on the way, `snapshot_after_train: false` none at the
    end (solver.cpp, Step and Solve): the trained weights are lost.

    **Instead** remove `snapshot_after_train: false`, or write `snapshot: 10000`.
    """
    param = solver.param
    if not _saves(solver) and iterations(param) > 0:
        place = solver.at("snapshot_after_train")
        yield finding(
            place,
            "`snapshot_after_train: false` and no snapshot within the run, so the trained weights are "
            "lost; remove it",
            fix=Fix("remove `snapshot_after_train`", (Edit(place, ""),), Applicability.UNSAFE),
        )


@rule("SOL012", "hdf5-layer-name", ERROR, effect=Effect.RUN_FAILURE)
def hdf5_layer_name(solver: Solver) -> Iterator[Problem]:
    """A layer's name cannot be a group of an HDF5 snapshot.

    **In Caffe** `snapshot_format: HDF5` makes a group for each layer (net.cpp, ToHDF5): a name with a slash,
    an empty one, `.` and one used twice fail, at the first snapshot or after the whole training. BINARYPROTO
    takes them all.

    **Instead** rename the layer, or remove `snapshot_format`.
    """
    net = solver.train_net
    if solver.param.snapshot_format != 0 or net is None or net.refused or not _saves(solver):
        return
    seen: set[str] = set()
    for layer in net.layers:
        name = layer.name
        wrong = {True: "is empty"}.get(not name) or ("holds a slash" if "/" in name else None)
        wrong = wrong or ("is `.`" if name == "." else "is used twice" if name in seen else None)
        seen.add(name)
        if wrong:
            yield finding(
                layer.at("name"),
                f"the layer name `{name}` {wrong}, so it cannot be written to the HDF5 snapshot and Caffe "
                "aborts there; rename the layer or remove `snapshot_format: HDF5`",
                layer=name,
                related=[Related("the snapshot format is set here", solver.at("snapshot_format"))],
            )


@rule("SOL013", "empty-weights-name", ERROR, effect=Effect.SETUP_FAILURE)
def empty_weights_name(solver: Solver) -> Iterator[Problem]:
    """`weights` holds an empty file name.

    **In Caffe** `weights` is split at its commas and blanks around each name are dropped (solver.cpp,
    LoadNetWeights); an empty name is opened like any other, and fails.

    **Instead** remove the comma that is too many.
    """
    for index, names in enumerate(solver.param.weights):
        if any(not name.strip() for name in names.split(",")):
            yield finding(
                solver.at(f"weights[{index}]"),
                f'`weights: "{names}"` holds an empty file name, which Caffe cannot open; remove the comma '
                "too many",
            )


def _saves(solver: Solver) -> bool:
    """Whether `caffe train` writes a snapshot (Solver::Step and Solve)."""
    param = solver.param
    every, last = abs(param.snapshot), iterations(param)
    on_the_way = 0 < every <= last
    return on_the_way or (param.snapshot_after_train and (not every or last % every != 0))


def _bases(solver: Solver) -> tuple[Path, ...]:
    """Where a relative path may start: the working directory, or the solver's folder."""
    return Path(), Path(solver.path).parent


def _file_on_the_way(solver: Solver, prefix: str) -> str | None:
    """The part of a prefix's folder that is a file wherever the prefix starts."""
    for base in _bases(solver):
        for folder in Path(prefix).parents:
            if base.joinpath(folder).is_file():
                return str(folder)
    return None

"""Snapshots: their prefix, their format, and whether any is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nanlint.caffe.solver import iterations, net_sources
from nanlint.findings import Applicability, Edit, Effect, Fix, Problem, Related
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.safety.reading import MOST_PATH, is_folder, is_regular

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
    at_start = param.snapshot != 0
    if not 0 < len(prefix) < MOST_PATH or "\0" in prefix or not (at_start or _saves(solver)):
        return
    folder = Path(prefix + "_iter").parent
    blocked = _file_on_the_way(solver, folder)
    if blocked:
        yield finding(
            solver.at("snapshot_prefix"),
            f'`snapshot_prefix: "{prefix}"` leads through `{blocked}`, which is a file, so no snapshot can '
            f"be written and Caffe aborts {'at the start' if at_start else 'after the whole training'}; "
            "write a folder's name",
            severity=ERROR,
            effect=Effect.SETUP_FAILURE if at_start else Effect.RUN_FAILURE,
        )
    elif _run_from_here(solver) and not is_folder(folder):
        yield finding(
            solver.at("snapshot_prefix"),
            f"the folder `{folder}` of `snapshot_prefix` does not exist here; where it is missing, Caffe "
            f"aborts {'at the start' if at_start else 'after the whole training'}: make it before you train",
            effect=Effect.SETUP_FAILURE if at_start else Effect.RUN_FAILURE,
        )


@rule("SOL011", "nothing-is-saved", INFO, effect=Effect.NONE)
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


def _saves(solver: Solver) -> bool:
    """Whether `caffe train` writes a snapshot (Solver::Step and Solve)."""
    param = solver.param
    every, last = abs(param.snapshot), iterations(param)
    on_the_way = 0 < every <= last
    return on_the_way or (param.snapshot_after_train and (not every or last % every != 0))


def _bases(solver: Solver) -> tuple[Path, ...]:
    """Where a relative path may start: the working directory, or the solver's folder."""
    return Path(), Path(solver.path).parent


def _run_from_here(solver: Solver) -> bool:
    """Whether the solver's nets are found from the working directory, as Caffe looks for them."""
    paths = [source.path for source in net_sources(solver.param) if source.path]
    return bool(paths) and all(map(is_regular, paths))


def _file_on_the_way(solver: Solver, folder: Path) -> str | None:
    """The part of a folder's path that is a file, from the working directory or beside the solver."""
    ways = (folder, *folder.parents)
    return next((str(way) for base in _bases(solver) for way in ways if is_regular(base.joinpath(way))), None)

"""Everything else in a solver: its nets and their counts, tests, snapshots, display, the end of the run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.solver import (
    TRAIN_NET_FIELDS,
    closes_with_forward,
    first_test,
    iterations,
    named_test_nets,
    number_of_test_nets,
    train_net_fields,
)
from nanlint.findings import Applicability, Edit, Effect, Fix, Problem, Related
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import counted, setting

if TYPE_CHECKING:
    from nanlint.caffe.model import Solver


@rule("SOL001", "no-train-net", ERROR, effect=Effect.SETUP_FAILURE)
def no_train_net(solver: Solver) -> Iterator[Problem]:
    """The solver names no net to train.

    **In Caffe** one of `net`, `train_net`, `net_param`, `train_net_param` must be given (solver.cpp,
    InitTrainNet); a `test_net` does not count.

    **Instead** write `net: "train_val.prototxt"`.
    """
    if not train_net_fields(solver.param):
        yield finding(
            solver.at(),
            "the solver names no net to train, and Caffe aborts; write one of "
            + ", ".join(f"`{name}`" for name in TRAIN_NET_FIELDS),
        )


@rule("SOL002", "several-train-nets", ERROR, effect=Effect.SETUP_FAILURE)
def several_train_nets(solver: Solver) -> Iterator[Problem]:
    """More than one field names the net to train.

    **In Caffe** exactly one of `net`, `train_net`, `net_param`, `train_net_param` may be given (solver.cpp,
    InitTrainNet).

    **Instead** keep one. A net of its own for testing goes into `test_net`, beside `train_net`.
    """
    fields = train_net_fields(solver.param)
    if len(fields) > 1:
        yield finding(
            solver.at(fields[1]),
            f"{' and '.join(f'`{name}`' for name in fields)} all name the net to train, and Caffe aborts; "
            "keep one",
            related=[Related("the first is here", solver.at(fields[0]))],
        )


@rule("SOL003", "test-iter-count", ERROR, effect=Effect.SETUP_FAILURE)
def test_iter_count(solver: Solver) -> Iterator[Problem]:
    """There are not as many `test_iter` as test nets.

    **In Caffe** each `test_net` and `test_net_param` needs a `test_iter`; with `train_net` or
    `train_net_param` the numbers must be equal, with `net` or `net_param` each further `test_iter` makes one
    more test net of it (solver.cpp, InitTestNets).

    **Instead** write one `test_iter` a test net: the number of batches that make up the test set.
    """
    param = solver.param
    named = len(named_test_nets(param))
    generic = param.HasField("net") or param.HasField("net_param")
    given = len(param.test_iter)
    if len(train_net_fields(param)) != 1 or given == named or (generic and given > named):
        return
    if given > named and not named:
        advice = "write `net` instead of `train_net`, or name a `test_net`"
    else:
        advice = f"write {counted(named, '`test_iter`', '`test_iter`s')}"
    yield finding(
        solver.at(f"test_iter[{named}]" if given > named else (named_test_nets(param)[given][0])),
        f"{counted(given, '`test_iter`', '`test_iter`s')} for {counted(named, 'test net')}, and Caffe "
        f"aborts; {advice}",
    )


@rule("SOL004", "test-state-count", ERROR, effect=Effect.SETUP_FAILURE)
def test_state_count(solver: Solver) -> Iterator[Problem]:
    """There are not as many `test_state` as test nets.

    **In Caffe** `test_state` is given once for each test net or not at all (solver.cpp, InitTestNets). How
    many test nets there are is the number of `test_iter`.

    **Instead** write one `test_state` for each `test_iter`, `test_state { }` where it has nothing to say.
    """
    param = solver.param
    nets = number_of_test_nets(param)
    if param.test_state and len(param.test_state) != nets and len(train_net_fields(param)) == 1:
        yield finding(
            solver.at("test_state[0]"),
            f"{counted(len(param.test_state), '`test_state`', '`test_state`s')} for "
            f"{counted(nets, 'test net')}, and Caffe aborts; write one for each, or none",
        )


@rule("SOL005", "test-interval-not-positive", ERROR, effect=Effect.SETUP_FAILURE)
def test_interval_not_positive(solver: Solver) -> Iterator[Problem]:
    """There are test nets, but no positive `test_interval`.

    **In Caffe** `CHECK_GT(test_interval, 0)` fails as soon as there is a test net (solver.cpp, InitTestNets);
    the default is 0.

    **Instead** write every how many iterations to test: `test_interval: 1000`.
    """
    param = solver.param
    nets = number_of_test_nets(param)
    if nets and param.test_interval <= 0 and train_net_fields(param):
        yield finding(
            solver.at("test_interval" if param.HasField("test_interval") else "test_iter[0]"),
            f"{setting(param, 'test_interval')} with {counted(nets, 'test net')}, and Caffe aborts; write "
            "`test_interval: 1000`, or remove `test_iter`",
        )


@rule("SOL006", "test-interval-without-test", INFO, effect=Effect.NONE)
def test_interval_without_test(solver: Solver) -> Iterator[Problem]:
    """`test_interval` is set, but there is no test net, so nothing is tested.

    **In Caffe** a test net comes from `test_iter` (with `net`) or from `test_net` (solver.cpp, InitTestNets);
    without one, `test_interval` has no effect.

    **Instead** write `test_iter`: the number of batches that make up the test set.
    """
    param = solver.param
    if param.test_interval and not number_of_test_nets(param):
        yield finding(
            solver.at("test_interval"),
            f"{setting(param, 'test_interval')} tests nothing, since there is no test net; write "
            "`test_iter`, or remove it",
        )


@rule("SOL007", "test-never-runs", INFO, effect=Effect.NONE)
def test_never_runs(solver: Solver) -> Iterator[Problem]:
    """The test nets are built and never run, or run for no batch.

    **In Caffe** a test comes at iteration 0 (unless `test_initialization: false`), then every `test_interval`
    iterations (solver.cpp, Step); it runs `test_iter` batches (solver.cpp, Test), none where that is 0 or
    negative.

    **Instead** write a `test_interval` below `max_iter` and a positive `test_iter`.
    """
    param = solver.param
    if not number_of_test_nets(param):
        return
    if first_test(param) is None and iterations(param) > 0 and param.test_interval > 0:
        yield finding(
            solver.at("test_interval"),
            f"{setting(param, 'test_interval')} lies beyond {setting(param, 'max_iter')}, so no test ever "
            "runs; write a smaller one",
        )
    for index, batches in enumerate(param.test_iter):
        if batches <= 0:
            divides = " and divides the loss by 0" if param.test_compute_loss and batches == 0 else ""
            yield finding(
                solver.at(f"test_iter[{index}]"),
                f"`test_iter: {batches}` tests no batch{divides}; write how many batches make up the test "
                "set",
                severity=WARNING,
            )


@rule("SOL008", "no-iteration", INFO, effect=Effect.NO_LEARNING)
def no_iteration(solver: Solver) -> Iterator[Problem]:
    """`max_iter` is missing, 0 or negative, so `caffe train` trains nothing.

    **In Caffe** `caffe train` runs `max_iter` iterations (solver.cpp, Solve), and the default is 0: it builds
    the nets, saves the untrained weights and reports success. A program that calls `solver.step(n)` does
    iterate.

    **Instead** write `max_iter`, if `caffe train` is to run this solver.
    """
    param = solver.param
    if iterations(param) == 0:
        yield finding(
            solver.at("max_iter"),
            f"{setting(param, 'max_iter')}: `caffe train` runs no iteration and reports success (`step()` "
            "from Python does iterate); write `max_iter`",
            severity=WARNING if param.HasField("max_iter") else None,
        )


@rule("SOL009", "average-loss-not-positive", ERROR, effect=Effect.SETUP_FAILURE)
def average_loss_not_positive(solver: Solver) -> Iterator[Problem]:
    """`average_loss` is below 1.

    **In Caffe** `CHECK_GE(average_loss, 1)` fails before any net is read (solver.cpp, Init). It is the number
    of iterations over which the displayed loss is averaged, and changes nothing else.

    **Instead** write `average_loss: 1`, or leave it out.
    """
    param = solver.param
    if param.average_loss < 1:
        place = solver.at("average_loss")
        yield finding(
            place,
            f"{setting(param, 'average_loss')} is below 1, and Caffe aborts; remove it",
            fix=Fix("remove `average_loss`", (Edit(place, ""),), Applicability.SAFE),
        )


@rule("SOL014", "empty-net", ERROR, effect=Effect.RUN_FAILURE)
def empty_net(solver: Solver) -> Iterator[Problem]:
    """A net has no layer in the phase in which it runs.

    **In Caffe** a net without layers is built and dies at its first forward pass (net.cpp, Forward). Layers
    are dropped by `include` and `exclude`; a net written inside the solver is not upgraded, so old `layers`
    there are no layers at all (solver.cpp, InitTrainNet).

    **Instead** mend the `include` rules, or write the net in the format of today.
    """
    param = solver.param
    for index, net in enumerate(solver.nets):
        if net.layers or net.refused:
            continue
        runs = _train_net_runs(solver) if index == 0 else _test_net_runs(solver, index - 1)
        if runs and net is not None:
            old = (
                " (a net inside the solver is not upgraded, so its `layers` are ignored)"
                if net.param.layers
                else ""
            )
            yield finding(
                net.at(),
                f"the {net.phase} net has no layer{old}, and Caffe aborts when it first runs it",
                phase=net.phase,
                severity=None if len(solver.nets) == 1 + number_of_test_nets(param) else WARNING,
            )


@rule("SOL015", "no-display", INFO, effect=Effect.NONE)
def no_display(solver: Solver) -> Iterator[Problem]:
    """`display` is 0, so neither loss nor learning rate is ever printed.

    **In Caffe** both are printed every `display` iterations (solver.cpp, Step); the default is 0. A run that
    turns to NaN then shows it only in its tests.

    **Instead** write `display: 20`.
    """
    param = solver.param
    if param.display == 0 and iterations(param) > 0:
        yield finding(
            solver.at("display"),
            f"{setting(param, 'display')} prints neither loss nor learning rate in the whole run; write "
            "`display: 20`",
        )


@rule("SOL016", "ignored-train-level", WARNING, effect=Effect.NONE)
def ignored_train_level(solver: Solver) -> Iterator[Problem]:
    """`train_state.level` has no effect under `caffe train`.

    **In Caffe** the command line sets the level of the training net to its own `-level`, 0 unless given
    (tools/caffe.cpp, train); the level of test nets is read from `test_state`.

    **Instead** pass `-level` to `caffe train`, or tell the layers apart by `stage`.
    """
    state = solver.param.train_state
    if state.level:
        yield finding(
            solver.at("train_state.level"),
            f"`level: {state.level}` of `train_state` is overwritten by `caffe train` (0, or its `-level`); "
            "use `stage`",
        )


@rule("SOL017", "trains-as-test", WARNING, effect=Effect.NONE)
def trains_as_test(solver: Solver) -> Iterator[Problem]:
    """The training net is built with the phase TEST.

    **In Caffe** the `state` of the net and `train_state` of the solver win over the default phase
    (solver.cpp, InitTrainNet): layers with `include { phase: TRAIN }` are missing, Dropout does nothing,
    BatchNorm uses its stored statistics, and the net is trained all the same.

    **Instead** remove the `phase` there.
    """
    if solver.param.train_state.HasField("phase") and solver.param.train_state.phase == 1:
        yield finding(
            solver.at("train_state.phase"),
            "`train_state` sets the phase TEST, and the net is trained so; remove `phase`",
        )


def _train_net_runs(solver: Solver) -> bool:
    """Whether the training net is run forward: in an iteration, or for the closing display."""
    param = solver.param
    return (iterations(param) > 0 and param.iter_size > 0) or closes_with_forward(param)


def _test_net_runs(solver: Solver, index: int) -> bool:
    param = solver.param
    return first_test(param) is not None and index < len(param.test_iter) and param.test_iter[index] > 0

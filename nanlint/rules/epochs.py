"""The solver against the data: how many images an update, a run and a test see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.solver import first_test, iterations
from nanlint.data.asked import batch_size
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.registry import INFO, WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net, Solver
    from nanlint.data.beside import Beside, Source


@rule("SOL022", "effective-batch", INFO, effect=Effect.NONE)
def effective_batch(solver: Solver) -> Iterator[Problem]:
    """With `iter_size`, an update sees several batches.

    **In Caffe** gradients of `iter_size` batches are added up and divided by it before each update
    (solver.cpp, Step; sgd_solver.cpp, Normalize), so the learning rate belongs to `batch_size` times
    `iter_size` images. BatchNorm still takes its statistics from one batch.

    **Instead** nothing, where that is meant; otherwise scale `base_lr` with the product.
    """
    param, net = solver.param, solver.train_net
    if param.iter_size < 2 or net is None:
        return
    for layer, batch in _fed_by(net):
        yield finding(
            solver.at("iter_size"),
            f"`iter_size: {param.iter_size}` times `batch_size: {batch}` of `{layer.name}` is "
            f"{param.iter_size * batch} items an update; `base_lr` belongs to that number",
            related=[Related("the batch", layer.at())],
        )


@rule("SOL023", "run-before-epoch", WARNING, effect=Effect.NONE)
def run_before_epoch(beside: Beside) -> Iterator[Problem]:
    """The run ends before it has seen all its training data once.

    **In Caffe** a data layer reads on where it stopped, `batch_size` items a time, in the order of the
    database (data_layer.cpp): the run sees `max_iter * iter_size * batch_size` of them. The number of items
    is read from the source, where it is on this machine.

    **Instead** write a larger `max_iter`, or a larger batch.
    """
    solver = beside.solver
    if solver is None or not iterations(solver.param):
        return
    for source, layer in _sources(beside, solver.train_net):
        total = source.account.records
        seen = iterations(solver.param) * max(solver.param.iter_size, 0) * source.batch
        if total is not None and seen < total:
            yield finding(
                solver.at("max_iter"),
                f"the run sees {seen} of the {total} items of `{layer.name}`, {seen / total:.0%} of an "
                "epoch; write a larger `max_iter`",
                related=[Related("the training data", layer.at())],
            )


@rule("SOL024", "test-set-coverage", INFO, effect=Effect.NONE)
def test_set_coverage(beside: Beside) -> Iterator[Problem]:
    """A test does not run over its data exactly once.

    **In Caffe** a test averages `test_iter` batches (solver.cpp, Test), and the data layer reads on where the
    last test stopped: with fewer batches than the set holds, each test sees other images; with more, some
    count twice. The number of items is read from the source, where it is on this machine.

    **Instead** write `test_iter` times `batch_size` equal to the size of the test set.
    """
    solver = beside.solver
    if solver is None or first_test(solver.param) is None:
        return
    tests = [net for net in solver.nets if not net.trained]
    for index, (net, batches) in enumerate(zip(tests, solver.param.test_iter, strict=False)):
        for source, layer in _sources(beside, net):
            total = source.account.records
            seen = batches * source.batch
            if not total or not 0 < seen != total:
                continue
            needed = -(-total // source.batch)
            yield finding(
                solver.at(f"test_iter[{index}]"),
                f"`test_iter: {batches}` times `batch_size: {source.batch}` is {counted(seen, 'item')}, and the "
                f"test set of `{layer.name}` holds {total}; `test_iter: {needed}` covers it",
                related=[Related("the test data", layer.at())],
            )


def _sources(beside: Beside, net: Net | None) -> Iterator[tuple[Source, Layer]]:
    """The sources of a net's data layers that state a batch size; windows are drawn at random and have no epoch."""
    for source in beside.data:
        if source.net is net and source.layer is not None and source.batch and source.kind != "windows":
            yield source, source.layer


def _fed_by(net: Net) -> Iterator[tuple[Layer, int]]:
    """The data layers of a net that state a batch size."""
    for layer in net.layers:
        batch = batch_size(layer.param)
        if batch:
            yield layer, batch

"""Rows that are chosen while the net runs: Filter drops some, BatchReindex names some that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.ranges import ranges
from nanlint.analysis.rows import Failure, first_failure
from nanlint.caffe.model import TRAIN
from nanlint.findings import Effect, Problem, Related
from nanlint.numbers.values import is_zero
from nanlint.rules.registry import ERROR, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net

MOST_ROWS = 256


@rule("ROW001", "filtered-rows", ERROR, effect=Effect.RUN_FAILURE)
def filtered_rows(net: Net) -> Iterator[Problem]:
    """A layer above a Filter cannot do with the rows that are left.

    **In Caffe** Filter sets its tops up with the whole batch and cuts them to the rows whose selector is not
    0 in each forward pass (filter_layer.cpp, Reshape); every layer above is then shaped anew. One that has
    also an unfiltered bottom, a written-out batch size, or weights whose size comes from the rows aborts;
    without any row Softmax, MVN, BatchNorm and Filter's own backward pass divide by 0 (SIGFPE), and Exp, Log,
    Power, AbsVal and LRN abort.

    **Instead** filter everything that meets again above, labels too, and write 0 or -1 for the batch in
    `Reshape`.
    """
    for layer in net.layers:
        if layer.type == "Filter" and not layer.refused and len(layer.bottoms) > 1:
            yield from _filter(net, layer)


def _filter(net: Net, layer: Layer) -> Iterator[Problem]:
    selector = layer.bottoms[-1]
    batch = selector.shape[0] if selector.shape else None
    value = ranges(net).values[selector]
    if batch is None or batch == 0 or value.constant not in (None, 0):
        return
    if value.constant == 0:
        failure = first_failure(net, {layer: 0}) or _backward(layer)
        if failure is not None:
            yield _problem(layer, failure, f"the selector `{selector.name}` is 0 everywhere, so no row is left", True)
        return
    certain = batch <= MOST_ROWS and value.surely(is_zero)
    failures = [first_failure(net, {layer: rows}) for rows in (range(batch) if certain else [batch - 1])]
    failure = failures[-1]
    if failure is not None:
        sure = certain and all(failures)
        when = "surely drops rows" if sure else "drops a row"
        yield _problem(layer, failure, f"`{layer.name}` {when}", sure)


def _backward(layer: Layer) -> Failure | None:
    """Filter's own backward pass, which divides by the number of rows."""
    if layer.net.phase == TRAIN and layer.runs_backward and any(layer.propagates[:-1]):
        return Failure(layer, f"the backward pass of `{layer.name}` divides by the number of rows (SIGFPE)")
    return None


def _problem(layer: Layer, failure: Failure, when: str, sure: bool) -> Problem:
    return finding(
        failure.layer.at(),
        f"{when if sure else 'as soon as ' + when}: Caffe dies in that pass, because {failure.reason}; "
        "filter what it is joined with too, or leave rows over",
        related=[Related(f"`{layer.name}` filters here", layer.at()), *failure.related],
        layer=failure.layer.name,
        phase=layer.net.phase,
        severity=None if sure else WARNING,
    )


@rule("ROW002", "no-such-row", ERROR, effect=Effect.RUN_FAILURE)
def no_such_row(net: Net) -> Iterator[Problem]:
    """A BatchReindex names a row that the batch does not have.

    **In Caffe** each index is compared with 0 and the batch size in the forward pass, before it is cut to a
    whole number (batch_reindex_layer.cpp, check_batch_reindex): -0.5 and NaN abort as well.

    **Instead** write indices from 0 to the batch size - 1.
    """
    for layer in net.layers:
        if layer.type != "BatchReindex" or layer.refused or len(layer.bottoms) != 2:
            continue
        shape = layer.bottoms[0].shape
        batch = shape[0] if shape else None
        indices = ranges(net).values[layer.bottoms[1]]
        if batch is None or not indices.surely(lambda low, high, rows=batch: _outside(low, high, rows)):  # type: ignore[misc]
            continue
        said = "an index" if indices.constant is None else f"the index {indices.constant:g}"
        yield finding(
            layer.at("bottom[1]"),
            f"`{layer.bottoms[1].name}` holds {said} outside the {batch} rows of `{layer.bottoms[0].name}`, "
            f"and Caffe aborts in the first forward pass of `{layer.name}`; write indices from 0 to "
            f"{batch - 1}",
            evidence=f"{indices.low:g} to {indices.high:g}",
            layer=layer.name,
            phase=net.phase,
        )


def _outside(low: float, high: float, rows: int) -> bool:
    return low != low or high < 0 or low >= rows

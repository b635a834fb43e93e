"""Blobs that hold no element, at setup or later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.ranges import ranges
from nanlint.analysis.rows import Failure, first_failure
from nanlint.caffe.layers.base import shown
from nanlint.caffe.model import TRAIN, Net, Solver, count
from nanlint.findings import Effect, Problem, Related
from nanlint.numbers.values import is_zero
from nanlint.rules.proof import sure_of
from nanlint.rules.registry import ERROR, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer
    from nanlint.text.source import Place

MOST_ROWS = 256


@rule("LAYER001", "empty-at-forward", ERROR, effect=Effect.RUN_FAILURE)
def empty_at_forward(net: Net) -> Iterator[Problem]:
    """A layer reads or writes a blob that holds no element.

    **In Caffe** a blob gets memory when it first has an element. The net is built with a blob of size 0, or
    with an `Input` that names no shape; the first layer that touches its data dies at `Check failed: data_`
    (blob.cpp) in the first forward pass.

    **Instead** give every axis at least 1: a smaller kernel, a slice that leaves something over, a shape.
    """
    known: set[Blob] = set()
    for layer in net.layers:
        bottoms = [blob for blob in layer.bottoms if _is_empty(blob)]
        tops = [blob for blob in layer.tops if _is_empty(blob)]
        if layer.spec is None or not layer.spec.touches_data or layer.refused:
            continue
        culprit = next(iter(tops), None) or next(iter(bottoms), None)
        if culprit is not None and known.isdisjoint(bottoms):
            yield _empty(layer, culprit)
        known.update(tops, bottoms)


def _is_empty(blob: Blob) -> bool:
    """Whether a blob holds no element when training starts."""
    if blob.producer.type == "Input" and blob.shape == ():
        return not blob.producer.param.input_param.shape
    return count(blob.shape) == 0


def _empty(layer: Layer, blob: Blob) -> Problem:
    maker = blob.producer
    if blob in layer.tops:
        said = f"`{layer.name}` makes `{blob.name}` {shown(blob.shape)}, which holds no element"
        related = [
            Related(f"`{bottom.name}` is made here: {shown(bottom.shape)}", _made_at(bottom))
            for bottom in layer.bottoms
        ]
    else:
        what = "without a shape" if maker.type == "Input" and blob.shape == () else f"{shown(blob.shape)}"
        said = (
            f"`{layer.name}` reads `{blob.name}`, which `{maker.name}` makes {what} and so holds no element"
        )
        related = [Related(f"`{blob.name}` is made here", _made_at(blob))]
    return finding(
        layer.at(),
        f"{said}: the net is built, and Caffe aborts in the first forward pass (Check failed: data_); "
        "write sizes that leave at least 1 along every axis",
        evidence=f"{blob.name}: {shown(blob.shape)}",
        related=related,
        layer=layer.name,
        phase=layer.net.phase,
        effect=Effect.SETUP_FAILURE if _weighted(layer, blob) else None,
    )


def _weighted(layer: Layer, blob: Blob) -> bool:
    """Whether a loss weight is written into the empty top, which aborts at setup (SetLossWeights)."""
    return any(weight and top is blob for weight, top in zip(layer.loss_weights, layer.tops, strict=False))


def _made_at(blob: Blob) -> Place:
    return blob.producer.at(f"top[{blob.top_index}]")


@rule("LAYER005", "empty-output", ERROR, effect=Effect.RUN_FAILURE)
def empty_output(solver: Solver) -> Iterator[Problem]:
    """An output of the training net holds no element, and the solver prints its outputs.

    **In Caffe** a blob that no layer reads is an output of the net. With `display`, the solver prints every
    number of every output (solver.cpp, Step); a blob that never held an element has no memory, and reading it
    dies at `Check failed: data_` (blob.cpp) in the first iteration.

    **Instead** give the blob a shape, or leave it out.
    """
    net = solver.train_net
    if net is None or solver.param.display == 0:
        return
    for blob in net.blobs:
        maker = blob.producer
        silent = maker.spec is not None and not maker.spec.touches_data
        if not blob.consumers and silent and not maker.refused and _is_empty(blob):
            yield finding(
                _made_at(blob),
                f"`{maker.name}` makes `{blob.name}` without any element and no layer reads it, so it is an "
                f"output that `display: {solver.param.display}` prints, and Caffe aborts in the first "
                "iteration (Check failed: data_); give it a shape, or leave it out",
                related=[Related("the solver prints outputs", solver.at("display"))],
                layer=maker.name,
                phase=net.phase,
            )


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


@rule("NUM010", "filter-drops-every-row", ERROR, effect=Effect.NON_FINITE, layers=("Filter",))
def filter_drops_every_row(layer: Layer) -> Iterator[Problem]:
    """The selector of a Filter is 0 throughout, so that no row is left.

    **In Caffe** a row passes where its selector is not 0 (filter_layer.cpp). With none left the tops are
    empty: their mean in the debug log is 0/0, NaN, backward divides by 0, and many layers abort on an empty
    blob.

    **Instead** make the selector 1 for the rows to keep.
    """
    if layer.refused or len(layer.bottoms) < 2 or ranges(layer.net).step(layer).bottoms[-1].constant != 0:
        return
    yield finding(
        layer.at(f"bottom[{len(layer.bottoms) - 1}]"),
        f"the selector `{layer.bottoms[-1].name}` is 0 throughout, so `{layer.name}` keeps no row: "
        "what it makes is "
        "empty, and its mean 0 / 0, NaN; write 1 for the rows to keep",
        layer=layer.name,
        phase=layer.net.phase,
        severity=sure_of(layer.net),
    )

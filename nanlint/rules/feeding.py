"""What the data of a source is to the net that reads it: who takes a top as labels, words or targets, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from nanlint.caffe.model import TEST
from nanlint.data.spread import Values
from nanlint.findings import Severity

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer
    from nanlint.data.beside import Source
    from nanlint.data.records import Account, Top

CLASS, WORD, PROBABILITY, SIMILAR, TARGET = "class", "word", "probability", "similar", "target"

_TARGETS = ("EuclideanLoss", "SmoothL1Loss", "L1Loss", "HuberLoss", "AbsLoss")
_MOST_HOPS = 8

PREFETCHED = 4
"""Batches that a data layer reads ahead."""


class Use(NamedTuple):
    """A layer that takes a source's top as something else than plain numbers.

    `classes`: how many there are, None where that is not known. `ignored`: the label that it passes over.
    """

    layer: Layer
    bottom: int
    role: str
    classes: int | None = None
    ignored: int | None = None


def uses(blob: Blob, hops: int = _MOST_HOPS) -> Iterator[Use]:
    """Who takes a blob, handed on as it is, as labels, words or targets."""
    for layer, bottom in blob.consumers:
        use = _use(layer, bottom)
        if use is not None:
            yield use
        elif (layer.facts.shares_memory(layer) or layer.type == "Silence") and hops:
            for top in layer.tops:
                yield from uses(top, hops - 1)


def _use(layer: Layer, bottom: int) -> Use | None:
    if layer.facts.takes_labels and bottom == 1:
        return Use(layer, bottom, CLASS, layer.facts.classes(layer) if layer.bottoms else None, _ignored(layer))
    if layer.type == "Embed" and bottom == 0:
        return Use(layer, bottom, WORD, layer.param.embed_param.input_dim or None)
    if layer.type == "SigmoidCrossEntropyLoss" and bottom == 1:
        return Use(layer, bottom, PROBABILITY, None, _ignored(layer))
    if layer.type == "ContrastiveLoss" and bottom == 2:
        return Use(layer, bottom, SIMILAR)
    if layer.type in _TARGETS and bottom < 2:
        return Use(layer, bottom, TARGET)
    return None


def _ignored(layer: Layer) -> int | None:
    param = layer.param.accuracy_param if layer.type == "Accuracy" else layer.param.loss_param
    return param.ignore_label if param.HasField("ignore_label") else None


class Labels(NamedTuple):
    """A top of a source with one of its uses, and its values after the transformation, each with its number."""

    source: Source
    layer: Layer
    top: Top
    blob: Blob
    use: Use
    values: dict[float, int]

    @property
    def total(self) -> int:
        return sum(self.values.values())

    @property
    def scalar(self) -> bool:
        """One label a record."""
        return self.top.falls is not None

    @property
    def word(self) -> str:
        """`labels of all 64 records`, `labels of 256 of 60000 records`: what was looked at."""
        return seen(self.source.account)


def labels_of(source: Source, *roles: str) -> Iterator[Labels]:
    """The tops of a source that layers take in some roles, each layer once; losses come before the rest."""
    layer = source.layer
    if layer is None:
        return
    for index, (top, blob) in enumerate(zip(source.tops, layer.tops, strict=False)):
        if not top.values:
            continue
        values = _transformed(layer, index, top)
        found = [use for use in uses(blob) if use.role in roles]
        for use in sorted(found, key=lambda one: (one.layer.type == "Accuracy", one.layer.index)):
            yield Labels(source, layer, top, blob, use, values)


def first_labels(source: Source, *roles: str) -> Labels | None:
    """The first of these."""
    return next(labels_of(source, *roles), None)


def _transformed(layer: Layer, index: int, top: Top) -> dict[float, int]:
    transform = layer.param.transform_param
    plain = index > 0 or layer.type == "HDF5Data" or (transform.scale == 1 and not transform.mean_value)
    if plain or top.values is None or len(transform.mean_value) > 1 or transform.HasField("mean_file"):
        return top.values or {}
    mean = transform.mean_value[0] if transform.mean_value else 0.0
    moved = Values()
    for value, number in top.values.items():
        moved.tally({(value - mean) * transform.scale: number})
    return dict(moved.counts)


def seen(account: Account) -> str:
    """How much of a source was read, in words."""
    if account.whole:
        return f"all {account.read} records"
    of = f" of {account.records}" if account.records is not None else ""
    return f"{account.read}{of} records that were read"


def sure(source: Source, index: int = -1) -> Severity:
    """How sure a failure is that a record brings: an error where the run surely reads that record."""
    return Severity.ERROR if reached(source, index) else Severity.WARNING


def reached(source: Source, index: int = -1) -> bool:
    """Whether the run reads a record, by its number in the source (-1: not known)."""
    net, layer = source.net, source.layer
    if net is None or layer is None or not net.runs:
        return net is None
    read = _records_read(source)
    if read is None:
        return True
    records = source.account.records
    if index < 0 or _shuffles(layer):
        return records is not None and records <= read
    return index < read


def _records_read(source: Source) -> int | None:
    """How many records the run reads of a source; None where no solver says so."""
    net, solver = source.net, source.solver
    if net is None or solver is None:
        return None
    if net.role == TEST or net.phase == TEST:
        tests = [one for one in solver.nets if not one.trained]
        number = tests.index(net) if net in tests else 0
        batches = solver.param.test_iter[number] if number < len(solver.param.test_iter) else 0
    else:
        batches = (net.iterations or 0) * max(1, solver.param.iter_size)
    return batches * source.batch


def _shuffles(layer: Layer) -> bool:
    return bool(layer.param.image_data_param.shuffle or layer.param.hdf5_data_param.shuffle)


def shuffled(layer: Layer) -> bool:
    """Whether a data layer mixes the order of its source."""
    return layer.type == "WindowData" or _shuffles(layer)


def feeds_max_pooling(blob: Blob) -> bool:
    """Whether numbers of a blob come to a MAX pooling, whose gradient is written outside where they are NaN."""
    seen_blobs, waiting = set(), [blob]
    while waiting:
        one = waiting.pop()
        if id(one) in seen_blobs:
            continue
        seen_blobs.add(id(one))
        for layer, _ in one.consumers:
            if layer.type == "Pooling" and layer.param.pooling_param.pool == 0 and layer.runs_backward:
                return True
            waiting.extend(layer.tops)
    return False


def listed(values: list[float], most: int = 4) -> str:
    """`-1, 255 and 3 more`."""
    shown = [f"{value:g}" for value in values[:most]]
    more = len(values) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")

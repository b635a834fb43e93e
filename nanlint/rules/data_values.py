"""Numbers as the data holds them, after the transformation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from nanlint.caffe.model import TEST
from nanlint.findings import Effect, Problem, Related
from nanlint.numbers.float32 import show
from nanlint.rules.feeding import (
    PROBABILITY,
    TARGET,
    feeds_max_pooling,
    first_labels,
    listed,
    seen,
    sure,
    uses,
)
from nanlint.rules.registry import ERROR, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob
    from nanlint.data.beside import Source
    from nanlint.data.records import Channel, Top

_HUGE = 1e6
_UNSCALED_RMS = 10.0
"""Above this the numbers of a top are of another scale than fillers are made for."""
_LARGE_STEP = 0.05
"""The rate times the targets: how far the output moves at first for an input of 1."""
_ALREADY_SCALED = 2.0
_VANISHING_STD = 0.02


class Numbers(NamedTuple):
    """A top that holds plain numbers, no labels and no words: its data before and after the transformation."""

    top: Top
    blob: Blob
    channels: tuple[Channel, ...]

    @property
    def low(self) -> float:
        return min(one.low for one in self.channels)

    @property
    def high(self) -> float:
        return max(one.high for one in self.channels)

    @property
    def largest(self) -> float:
        return max(abs(self.low), abs(self.high))

    @property
    def rms(self) -> float:
        return math.sqrt(sum(one.mean**2 + one.std**2 for one in self.channels) / len(self.channels))

    @property
    def std(self) -> float:
        return math.sqrt(sum(one.std**2 for one in self.channels) / len(self.channels))


def numbers_of(source: Source) -> Iterator[Numbers]:
    """The tops of a source that hold plain numbers."""
    if source.layer is None:
        return
    for index, (top, blob) in enumerate(zip(source.tops, source.layer.tops, strict=False)):
        channels = top.after or (top.channels if source.layer.type == "HDF5Data" else None)
        kept = tuple(one for one in channels or () if one.number)
        if kept and (index == 0 or source.layer.type == "HDF5Data") and not any(True for _ in uses(blob)):
            yield Numbers(top, blob, kept)


@rule("DAT201", "non-finite-values", ERROR, effect=Effect.NON_FINITE)
def non_finite_values(source: Source) -> Iterator[Problem]:
    """The data holds NaN or infinity.

    **In Caffe** nothing checks it: the loss is NaN from the batch that holds it on, and so are all weights. Where a
    MAX pooling reads NaN, no comparison holds, and its gradient is written before the blob (pooling_layer.cpp).
    Doubles beyond 3.4e38 become infinite in a float blob.

    **Instead** mend the records; missing values need a number of their own.
    """
    layer = source.layer
    if layer is None:
        return
    for top, blob in zip(source.tops, layer.tops, strict=False):
        if not top.nonfinite:
            continue
        fault = next((one for one in source.account.faults if one.kind == "non-finite" and _of(top, one.words)), None)
        cropped = bool(layer.param.transform_param.crop_size)
        yield finding(
            source.at(),
            f"the data of `{layer.name}` holds {top.nonfinite} NaN or infinite "
            f"{'number' if top.nonfinite == 1 else 'numbers'} "
            f"in `{top.name}`, and the loss is NaN from there on; mend the records",
            evidence=f"{fault.record}: {fault.words.rpartition('|')[2]}" if fault else None,
            layer=layer.name,
            phase=source.phase,
            severity=WARNING if cropped else sure(source, fault.at if fault else -1),
            effect=Effect.MEMORY_ERROR if feeds_max_pooling(blob) else None,
        )


def _of(top: Top, words: str) -> bool:
    """Whether a fault is about a top: of HDF5 files its words begin with the top's name."""
    return "|" not in words or words.startswith(f"{top.name}|")


@rule("DAT202", "huge-values", WARNING, effect=Effect.NON_FINITE)
def huge_values(source: Source) -> Iterator[Problem]:
    """The data holds values of a million and more.

    **In Caffe** products of inputs and weights, and their squares in gradients, grow with them: the first update
    throws the weights away, and values above about 1e19 overflow when they are squared. Missing values are often
    written as such a number (9.96921e36 in NetCDF, 1e20).

    **Instead** replace the numbers that stand for missing values, and scale the rest to about -1..1.
    """
    for numbers in numbers_of(source):
        if numbers.largest < _HUGE:
            continue
        value = numbers.high if numbers.high >= -numbers.low else numbers.low
        yield finding(
            source.at(),
            f"`{numbers.top.name}` of `{source.name}` holds {value:.6g}, and products with it throw the weights away; "
            "replace what stands for missing values, and scale the rest to about -1..1",
            evidence=f"{numbers.low:.6g} to {numbers.high:.6g} in {seen(source.account)}",
            layer=source.layer.name if source.layer else None,
            phase=source.phase,
        )


@rule("DAT204", "constant-data", WARNING, effect=Effect.NO_LEARNING)
def constant_data(source: Source) -> Iterator[Problem]:
    """Every number of the data is the same.

    **In Caffe** all records look alike, and the net learns how often each label comes, no more.

    **Instead** look at how the data was written: images that could not be read are often stored as zeros.
    """
    for numbers in numbers_of(source):
        if numbers.low == numbers.high and source.account.read > 1 and not numbers.top.nonfinite:
            yield finding(
                source.at(),
                f"every number of `{numbers.top.name}` in `{source.name}` is {numbers.low:g} after the transformation, "
                "so "
                "all records look alike and nothing can be learnt of them; write the data anew",
                evidence=f"{seen(source.account)}",
                layer=source.layer.name if source.layer else None,
                phase=source.phase,
            )


@rule("DAT205", "unscaled-data", WARNING, effect=Effect.DIVERGENCE)
def unscaled_data(source: Source) -> Iterator[Problem]:
    """The data is of a scale at which this net does not bear its rate, and at a scale of 1 it would.

    **In Caffe** the gradient of the first layer grows with its input, and what the net bears as a rate falls with the
    square of it. Fillers such as `xavier` are made for inputs near 1.

    **Instead** write `transform_param { scale: 0.00390625 }` for bytes, scale the numbers of an HDF5 file when it is
    written, or take a smaller `base_lr`.
    """
    solver, net, layer = source.solver, source.net, source.layer
    if solver is None or net is None or layer is None or not net.trained:
        return
    from nanlint.analysis.data_scale import too_high_by_scale

    for numbers in numbers_of(source):
        if numbers.rms < _UNSCALED_RMS or numbers.largest >= _HUGE:
            continue
        if too_high_by_scale(solver, net, numbers.blob):
            yield finding(
                source.at("transform_param" if layer.param.HasField("transform_param") else None),
                f"`{numbers.top.name}` of `{layer.name}` holds {numbers.low:.4g} to {numbers.high:.4g}, too much for "
                f"`base_lr: {show(solver.param.base_lr)}`, which the net bears at a scale of 1; "
                f"{_remedy(layer.type, numbers.largest)}, or write a smaller rate",
                evidence=f"root mean square {numbers.rms:.4g} in {seen(source.account)}",
                related=[Related("the rate", solver.at("base_lr"))],
                layer=layer.name,
                phase=source.phase,
            )


def _remedy(layer_type: str, largest: float) -> str:
    if layer_type == "HDF5Data":
        return "scale the numbers when you write the file"
    return f"write `scale: {0.00390625 if largest > 100 else float(f'{1 / largest:.1g}'):g}`"


@rule("DAT206", "scaled-twice", WARNING, effect=Effect.NO_LEARNING)
def scaled_twice(source: Source) -> Iterator[Problem]:
    """`scale` is made for bytes, and the data lies within -1..1 already.

    **In Caffe** numbers are multiplied by `scale` whatever they are (data_transformer.cpp): data from 0 to 1 becomes
    0 to 0.004, and the first layer sees next to nothing. As targets such numbers teach the net to say no.

    **Instead** leave out `scale`.
    """
    layer = source.layer
    if layer is None or not source.tops or layer.type == "HDF5Data":
        return
    top, transform = source.tops[0], layer.param.transform_param
    stored = tuple(one for one in top.channels or () if one.number)
    if not stored or not 0 < abs(transform.scale) <= 0.05:
        return
    largest = max(max(abs(one.low), abs(one.high)) for one in stored)
    if not 0 < largest <= _ALREADY_SCALED or max(one.std for one in stored) * abs(transform.scale) > _VANISHING_STD:
        return
    labels = first_labels(source, PROBABILITY, TARGET)
    if top.dtype == "uint8" and labels is None:
        return
    what = f"the targets of `{labels.use.layer.name}`" if labels is not None else f"the data of `{layer.name}`"
    yield finding(
        layer.at("transform_param.scale"),
        f"{what} lies between {min(one.low for one in stored):.4g} and {max(one.high for one in stored):.4g} as it is "
        f"stored, and `scale: {show(transform.scale)}` leaves no more than {largest * abs(transform.scale):.2g} of it; "
        "leave out `scale`",
        evidence=seen(source.account),
        layer=layer.name,
        phase=source.phase,
    )


@rule("DAT953", "targets-outside-0-1", WARNING, effect=Effect.DIVERGENCE)
def targets_outside_0_1(source: Source) -> Iterator[Problem]:
    """SigmoidCrossEntropyLoss is given targets below 0 or above 1.

    **In Caffe** they are used as they are (sigmoid_cross_entropy_loss_layer.cpp): outside 0..1 the loss has no
    minimum, the logits run away, and the loss goes below 0 without end.

    **Instead** write 0 and 1 in place of -1 and 1, divide targets from 0 to 255 by 255; or take EuclideanLoss.
    """
    labels = first_labels(source, PROBABILITY)
    if labels is not None:
        values = [value for value in labels.values if math.isfinite(value) and value != labels.use.ignored]
    else:
        values = _ends(source, PROBABILITY)
    odd = [value for value in values if not 0 <= value <= 1]
    if odd and source.layer is not None:
        low_high = min(values), max(values)
        yield finding(
            source.at(),
            f"targets of `{source.layer.name}` go from {low_high[0]:g} to {low_high[1]:g}, and SigmoidCrossEntropyLoss "
            "has "
            f"no minimum for {listed(odd, 2)}: its logits run away; {_target_remedy(*low_high)}",
            evidence=f"targets of {seen(source.account)}",
            layer=source.layer.name,
            phase=source.phase,
        )


def _target_remedy(low: float, high: float) -> str:
    if low == -1 and high == 1:
        return "write 0 and 1 in place of -1 and 1"
    return "divide them by 255" if 1 < high <= 255 and low >= 0 else "scale them to 0..1"


@rule("DAT955", "target-scale", WARNING, effect=Effect.DIVERGENCE)
def target_scale(source: Source) -> Iterator[Problem]:
    """Regression targets are in raw units, such as pixels, at a rate for targets near 1.

    **In Caffe** the gradient of EuclideanLoss is (prediction - target) / batch (euclidean_loss_layer.cpp): targets of
    hundreds begin with gradients of hundreds, and the first updates overshoot.

    **Instead** scale the targets to about -1..1 when you write them, or write a much smaller `base_lr`.
    """
    solver, net, layer = source.solver, source.net, source.layer
    if solver is None or net is None or layer is None or net.phase == TEST or not net.trained:
        return
    from nanlint.analysis.data_scale import rms_of, too_high_by_scale

    for top, blob in zip(source.tops, layer.tops, strict=False):
        fed = net.fed.get(blob.name)
        losses = [use.layer for use in uses(blob) if use.role == TARGET]
        rms = rms_of(fed) if fed is not None else None
        if not losses or rms is None or rms < _UNSCALED_RMS:
            continue
        if abs(solver.param.base_lr) * rms >= _LARGE_STEP or too_high_by_scale(solver, net, blob):
            yield finding(
                source.at(),
                f"the targets `{top.name}` of `{layer.name}` go from {top.low:.4g} to {top.high:.4g}, so "
                f"`{losses[0].name}` begins with gradients of that size at `base_lr: {show(solver.param.base_lr)}`; "
                "scale "
                "them to about -1..1, or write a smaller rate",
                evidence=f"root mean square {rms:.4g} in {seen(source.account)}",
                related=[Related("the loss", losses[0].at()), Related("the rate", solver.at("base_lr"))],
                layer=layer.name,
                phase=source.phase,
            )


def _ends(source: Source, role: str) -> list[float]:
    """The least and the greatest value of a top that a loss takes in a role, whose values are too many to be "
    "counted."""
    for top, blob in zip(source.tops, source.layer.tops if source.layer else (), strict=False):
        ends = top.low, top.high
        if top.values is None and ends[0] is not None and any(use.role == role for use in uses(blob)):
            return [end for end in ends if end is not None]
    return []



"""Fillers: weights that begin far too large, all alike, or all zero."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.reach import has_loss
from nanlint.caffe.edits import write
from nanlint.caffe.model import TRAIN, count
from nanlint.findings import Effect, Problem, Related
from nanlint.numbers.float32 import show
from nanlint.rules.registry import INFO, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, LearnedParam, Net
    from nanlint.schema.caffe_pb2 import FillerParameter

USUAL = math.sqrt(2)
"""std * sqrt(fan_in) of `msra`: the second moment of a ReLU layer stays as it is."""
WIDE = 7.0
"""How many times as large a std may be before it is called too wide."""

FORGOTTEN = 3.5
"""The same where nobody wrote the std."""


@rule("FIL001", "wide-gaussian-filler", WARNING, effect=Effect.DIVERGENCE)
def wide_gaussian_filler(layer: Layer) -> Iterator[Problem]:
    """A gaussian filler is so wide that the layer multiplies its input many times over.

    **In Caffe** `std` is 1 unless given (caffe.proto, FillerParameter). One output sums `fan_in` products,
    so its standard deviation is `std * sqrt(fan_in)` times the root mean square of the input: 1.4 keeps the
    scale through a ReLU, 1 without one. A BatchNorm right after the layer takes the scale away again.

    **Instead** write `type: "msra"` or `"xavier"`, or a `std` near sqrt(2 / fan_in).
    """
    filler, route = _weight_filler(layer)
    if filler is None or filler.type != "gaussian" or filler.sparse >= 0 or layer.phase != TRAIN:
        return
    fan = _fan_in(layer)
    if fan is None or _normalised(layer) or not _trains(layer):
        return
    gain = filler.std * math.sqrt(fan)
    bound = WIDE if filler.HasField("std") else FORGOTTEN
    if not bound * USUAL < gain < math.inf:
        return
    written = f"`std: {show(filler.std)}`" if filler.HasField("std") else "`std` (1 unless given)"
    yield finding(
        layer.at(f"{route}.std" if filler.HasField("std") else route),
        f"`gaussian` with {written} makes `{layer.name}` multiply its input by std * sqrt(fan_in) = "
        f"{gain:.3g}, where "
        f'1.4 keeps the scale; write `std: {USUAL / math.sqrt(fan):.2g}` or `type: "msra"`',
        evidence=f"fan_in {fan:g}",
        fix=write(layer, f"{route}.std", f"{USUAL / math.sqrt(fan):.2g}"),
        layer=layer.name,
        phase=layer.phase,
        because=[layer.at(f"{route}.value")] if filler.HasField("value") else (),
    )


@rule("FIL002", "all-positive-filler", WARNING, effect=Effect.DIVERGENCE)
def all_positive_filler(layer: Layer) -> Iterator[Problem]:
    """A uniform filler makes all weights positive, so the outputs of a layer are large and alike.

    **In Caffe** `uniform` runs from 0 to 1 unless `min` and `max` are given (caffe.proto, FillerParameter).
    With positive inputs, as after a ReLU, the products do not cancel: an output is near fan_in / 2 times
    the mean input, the same for every unit.

    **Instead** write a `min` of `-max`, or `type: "xavier"`, which is uniform and symmetric.
    """
    filler, route = _weight_filler(layer)
    if filler is None or filler.type != "uniform" or layer.phase != TRAIN or not _trains(layer):
        return
    fan = _fan_in(layer)
    if fan is None or not 0 <= filler.min <= filler.max < math.inf or _normalised(layer):
        return
    gain = fan * (filler.min + filler.max) / 2
    if gain <= WIDE * USUAL:
        return
    yield finding(
        layer.at(route),
        f"`uniform` from {show(filler.min)} to {show(filler.max)} makes every weight of `{layer.name}` "
        "positive, and an "
        f'output {gain:.3g} times the mean input; write `min: -{show(filler.max)}`, or `type: "xavier"`',
        evidence=f"fan_in {fan:g} * mean weight {show((filler.min + filler.max) / 2)}",
        layer=layer.name,
        phase=layer.phase,
    )


@rule("FIL003", "missing-weight-filler", WARNING, effect=Effect.NO_LEARNING)
def missing_weight_filler(net: Net) -> Iterator[Problem]:
    """A trained layer has no `weight_filler`, so all its weights begin at zero.

    **In Caffe** the default filler is `constant` with value 0 (caffe.proto, FillerParameter), so the layer
    puts out nothing but its bias, and sends no gradient down at the first update. Under a ReLU, whose
    gradient at 0 is 0 (relu_layer.cpp), it never gets a gradient itself, nor does a layer below or above
    another such layer: they stay at 0 and the loss at ln(classes). A last layer alone does learn, from the
    first update. Weights that are loaded (`weights` in the solver, `-weights` on the command line) replace
    the zeros: of a layer that such a file fills nothing is said, and a net whose first layer has no filler is made
    for them.

    **Instead** write `weight_filler { type: "msra" }` or `"xavier"`.
    """
    if net.phase != TRAIN or net.refused or not net.trained:
        return
    trained = [
        layer
        for layer in net.layers
        if layer.facts.multiplies and layer.params and _trains(layer) and layer.name not in net.loaded
    ]
    empty = [layer for layer in trained if _begins_at_zero(layer)]
    dead = [layer for layer in empty if _stays_at_zero(layer)]
    if not empty:
        return
    filled_below = _above_filled(net, {layer for layer in trained if layer not in empty})
    odd = [layer for layer in dead if layer in filled_below and trained[0] not in empty]
    shown = odd or dead or empty
    first, others = shown[0], len(shown) - 1
    more = f" (and those of {others} more)" if others else ""
    yield finding(
        first.at(_param_block(first)),
        f"`{first.name}` has {_nothing(first)}, so its weights begin at 0{more}, "
        + ("and get no gradient, ever" if dead else "and nothing below gets a gradient at the first update")
        + '; write `weight_filler { type: "msra" }`'
        + ("" if odd else ", unless trained weights are loaded with `-weights`"),
        related=[Related("begins at 0 too", layer.at(_param_block(layer))) for layer in shown[1:4]],
        layer=first.name,
        phase=net.phase,
        severity=None if odd else INFO,
        effect=None if dead else Effect.NONE,
    )


@rule("FIL004", "constant-weights", WARNING, effect=Effect.NO_LEARNING)
def constant_weights(net: Net) -> Iterator[Problem]:
    """All weights of a layer and of the next are alike, so its units stay copies of each other.

    **In Caffe** units with equal weights give equal outputs; if the layer above also weighs them alike, their
    gradients are equal too, and every update keeps them so. The layer then has one unit, however many
    `num_output` says. Random weights in either layer break the tie.

    **Instead** write `type: "xavier"` or `"msra"`; `constant` is for biases.
    """
    if net.phase != TRAIN or net.refused:
        return
    for layer in net.layers:
        filler, route = _weight_filler(layer)
        if filler is None or not _alike(layer) or _begins_at_zero(layer) or not _trains(layer):
            continue
        if count(layer.params[0].param.shape, 0, 1) == 1:  # one unit has no copy
            continue
        readers = _learned_readers(layer)
        if not readers or not all(_alike(reader) for reader in readers) or _has_one_unit(layer):
            continue
        yield finding(
            layer.at(f"{route}.type"),
            f"all weights of `{layer.name}` are {show(filler.value)}, and those of `{readers[0].name}` are "
            "alike too, so "
            'its units get equal gradients and stay copies; write `type: "msra"`',
            related=[Related("weighs all units alike", readers[0].at(_param_block(readers[0])))],
            layer=layer.name,
            phase=net.phase,
        )


@rule("FIL005", "bilinear-mismatch", WARNING, effect=Effect.NONE, layers=("Deconvolution",))
def bilinear_mismatch(layer: Layer) -> Iterator[Problem]:
    """A Deconvolution with a `bilinear` filler does not interpolate.

    **In Caffe** the filler writes the same bilinear kernel for each pair of an input and an output channel
    (filler.hpp, BilinearFiller). Without `group: C` each output is the sum of all channels enlarged. The kernel is made
    from its own size alone: it interpolates by `stride` s if it is 2 s - s mod 2 wide; others leave a pattern of
    stripes.

    **Instead** write `num_output`, and `group` of the same number, and `kernel_size: 2 s - s mod 2`.
    """
    filler, _ = _weight_filler(layer)
    if filler is None or filler.type != "bilinear" or layer.refused or not has_loss(layer.net):
        return
    param, shape = layer.param.convolution_param, layer.bottoms[0].shape
    channels = shape[1] if shape and len(shape) > 1 else param.num_output
    if channels is not None and channels > 1 and param.group == 1 and param.num_output > 1:
        yield finding(
            layer.at("convolution_param.group" if param.HasField("group") else "convolution_param"),
            f"the `bilinear` filler of {layer.called} connects all {channels} channels with each other, so each output "
            f"is their sum; write `group: {param.num_output}`",
            fix=write(layer, "convolution_param.group", param.num_output),
            layer=layer.name,
            phase=layer.net.phase,
        )
    kernel = next(iter(param.kernel_size), 0) or param.kernel_h
    stride = next(iter(param.stride), 0) or param.stride_h or 1
    fitting = {2 * stride - stride % 2, 2 * stride - 1, 2 * stride}
    if kernel and kernel not in fitting:
        route = "convolution_param.kernel_size[0]" if param.kernel_size else "convolution_param.kernel_h"
        right = 2 * stride - stride % 2
        yield finding(
            layer.at(route),
            f"`kernel_size: {kernel}` of {layer.called} makes no bilinear interpolation by its stride of {stride}; "
            f"write `kernel_size: {right}`",
            fix=write(layer, route, right),
            layer=layer.name,
            phase=layer.net.phase,
        )


def _has_one_unit(layer: Layer) -> bool:
    block = layer.param.inner_product_param if layer.type == "InnerProduct" else layer.param.convolution_param
    return bool(block.num_output == 1)


def _param_block(layer: Layer) -> str:
    return "inner_product_param" if layer.type == "InnerProduct" else "convolution_param"


def _weight_filler(layer: Layer) -> tuple[FillerParameter | None, str]:
    """The filler of the weights, if one is written, and its route."""
    if not layer.facts.multiplies or not layer.params:
        return None, ""
    block = layer.param.inner_product_param if layer.type == "InnerProduct" else layer.param.convolution_param
    route = f"{_param_block(layer)}.weight_filler"
    return (block.weight_filler if block.HasField("weight_filler") else None), route


def _nothing(layer: Layer) -> str:
    written, _ = _weight_filler(layer)
    return "no `weight_filler`" if written is None else "a `constant` weight filler of 0"


def _fan_in(layer: Layer) -> float | None:
    return layer.facts.fan_in(layer)


def _trains(layer: Layer) -> bool:
    weights: LearnedParam = layer.params[0]
    return weights.lr_mult != 0 and layer.runs_backward and not layer.param.blobs


def _normalised(layer: Layer) -> bool:
    return any(reader.facts.normalises for reader, _ in layer.tops[0].consumers)


def _begins_at_zero(layer: Layer) -> bool:
    return _is_zero(layer.params[0])


def _is_zero(learned: LearnedParam) -> bool:
    filler = (learned.owner or learned).param.filler
    return filler is not None and filler.type == "constant" and filler.value == 0


def _is_constant(learned: LearnedParam) -> bool:
    """Whether a learned blob begins with one number throughout."""
    filler = (learned.owner or learned).param.filler
    return not learned.layer.param.blobs and (filler is None or filler.type == "constant")


def _stays_at_zero(layer: Layer) -> bool:
    """Whether a layer of zeros never gets a gradient: a ReLU at 0 lets none through, nor do zeros above."""
    if len(layer.params) > 1 and not _is_zero(layer.params[1]):
        return False
    readers = [reader for reader, _ in layer.tops[0].consumers]
    if not readers:
        return False
    if all(reader.type == "ReLU" and not reader.param.relu_param.negative_slope for reader in readers):
        return True
    above = _learned_readers(layer)
    return bool(above) and all(_begins_at_zero(reader) for reader in above)


def _alike(layer: Layer) -> bool:
    """Whether all weights of a layer with several units are the same number."""
    filler = layer.params[0].param.filler if layer.params else None
    return filler is not None and filler.type == "constant" and not layer.param.blobs


def _above_filled(net: Net, filled: set[Layer]) -> set[Layer]:
    """The layers that have a layer with filled weights somewhere below them."""
    reached: set[int] = set()
    above: set[Layer] = set()
    for layer in net.layers:
        if any(id(blob) in reached for blob in layer.bottoms):
            above.add(layer)
        if layer in above or layer in filled:
            reached.update(id(blob) for blob in layer.tops)
    return above


def _learned_readers(layer: Layer) -> list[Layer]:
    """The linear layers that read a layer's top, through others or not; none if a way ends elsewhere
    first."""
    found: list[Layer] = []
    blobs = list(layer.tops)
    for blob in blobs:
        for reader, _ in blob.consumers:
            if reader.facts.multiplies and reader.params:
                found.append(reader)
            elif reader.facts.keeps_symmetry and all(map(_is_constant, reader.params)):
                blobs.extend(top for top in reader.tops if top not in blobs)
            else:
                return []
    return found

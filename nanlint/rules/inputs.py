"""Inputs: data of a scale that the net is not made for, and transforms that differ in the test."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.edits import write, written
from nanlint.caffe.model import TEST, TRAIN
from nanlint.caffe.solver import solver_type
from nanlint.findings import Applicability, Effect, Fix, Problem, Related
from nanlint.numbers.float32 import show
from nanlint.rules.registry import INFO, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer, Net, Solver
    from nanlint.schema.caffe_pb2 import TransformationParameter

ENLARGING = 8
LEAST_WEIGHT = 1e-10
FAST = 0.0099
"""The rate from which unscaled bytes in front of unit-scale fillers are likely to blow up."""


@rule("INP001", "unscaled-pixels", WARNING, effect=Effect.DIVERGENCE)
def unscaled_pixels(solver: Solver) -> Iterator[Problem]:
    """Bytes from 0 to 255 go without mean and scale into a layer whose filler expects inputs near 1.

    **In Caffe** a Data layer gives bytes as they are, unless `transform_param` subtracts a mean and
    multiplies by `scale` (data_transformer.cpp, Transform). `xavier` and `msra` keep the scale of their
    input, so 255 at the bottom is hundreds at the logits; the gradient of the first layer grows with the
    input too.

    **Instead** write `transform_param { scale: 0.00390625 }`, or subtract the mean and choose a small rate.
    """
    net = solver.train_net
    if net is None or solver.param.weights or abs(solver.param.base_lr) < FAST:
        return
    if solver_type(solver.param) not in ("SGD", "Nesterov") or solver.param.clip_gradients >= 0:
        return
    for layer in net.layers:
        if not layer.facts.holds_pixels or not _raw(layer):
            continue
        reader = _first_linear(layer.tops[0]) if layer.tops else None
        if reader is None or _filler_type(reader) not in ("xavier", "msra") or _normalised(reader):
            continue
        yield finding(
            layer.at("transform_param" if layer.param.HasField("transform_param") else "type"),
            f"`{layer.name}` gives bytes from 0 to 255 without `scale` or mean to `{reader.name}`, whose "
            f"`{_filler_type(reader)}` filler keeps their scale, at `base_lr: {show(solver.param.base_lr)}`; "
            "write `transform_param { scale: 0.00390625 }` or subtract the mean",
            fix=_scaled_everywhere(layer),
            related=[Related("the first layer with weights", reader.at("type"))],
            layer=layer.name,
            phase=net.phase,
        )


def _scaled_everywhere(layer: Layer) -> Fix:
    """The scale in all layers of the solver's nets that read raw images: they see data of one kind."""
    edits = [
        written(other, "transform_param.scale", "0.00390625")
        for net in (layer.net, *layer.net.companions)
        for other in net.layers
        if other.facts.holds_pixels and _raw(other)
    ]
    return Fix("write `scale: 0.00390625`", tuple(dict.fromkeys(edits)), Applicability.UNSAFE)


@rule("INP002", "mean-below-scale", WARNING, effect=Effect.NO_LEARNING)
def mean_below_scale(layer: Layer) -> Iterator[Problem]:
    """The mean is given for data from 0 to 1, but it is subtracted before the scale.

    **In Caffe** the transformer computes `(byte - mean) * scale` (data_transformer.cpp, Transform), so with
    `scale: 0.0039` a `mean_value` of 0.5 takes half a grey level of 255 away, not half the range.

    **Instead** write the mean in bytes: 0.5 of the range is `mean_value: 127.5`.
    """
    if not layer.facts.holds_pixels:
        return
    transform = layer.param.transform_param
    means = list(transform.mean_value)
    if not means or not 0 < transform.scale < 0.05 or not all(0 < mean <= 1 for mean in means):
        return
    shown = show(means[0])
    yield finding(
        layer.at("transform_param.mean_value[0]"),
        f"`mean_value: {shown}` is subtracted from bytes before `scale: {show(transform.scale)}`, so it is "
        f"hardly anything; write the mean in bytes: {shown} of the range is "
        f"{show(round(means[0] / transform.scale, 3))}",
        layer=layer.name,
        phase=layer.phase,
    )


@rule("INP003", "test-transform-differs", WARNING, effect=Effect.NONE)
def test_transform_differs(solver: Solver) -> Iterator[Problem]:
    """Training and test see data of a different scale or mean.

    **In Caffe** each data layer has its own `transform_param`, and nothing compares them. A net that learnt
    on scaled data and is tested on bytes is tested on something that it has never seen.

    **Instead** give both the same `scale`, `mean_value` and `mean_file`; `crop_size` and `mirror` may differ.
    """
    train = solver.train_net
    if train is None:
        return
    sources = {layer.tops[0].name: layer for layer in train.layers if layer.facts.holds_pixels and layer.tops}
    for net in solver.nets:
        if net is train or net.phase != TEST:
            continue
        for layer in net.layers:
            other = sources.get(layer.tops[0].name) if layer.type == "Data" and layer.tops else None
            if other is None or other.type != layer.type:
                continue
            yield from _differences(other, layer)


def _differences(train: Layer, test: Layer) -> Iterator[Problem]:
    ours, theirs = test.param.transform_param, train.param.transform_param
    for field, mine, other in (
        ("scale", show(ours.scale), show(theirs.scale)),
        ("mean", _mean(ours), _mean(theirs)),
    ):
        if mine != other:
            route = "transform_param.scale" if field == "scale" else "transform_param"
            yield finding(
                test.at(route),
                f"the {field} of `{test.name}` is {mine} in the test and {other} in training, so the net is "
                "tested on data of another scale; give both the same",
                related=[Related("in training", train.at(route))],
                layer=test.name,
                phase=TEST,
            )


def _mean(transform: TransformationParameter) -> str:
    if transform.mean_file:
        return "a mean file"
    values = {show(value) for value in transform.mean_value}
    return (
        ", ".join(show(value) for value in transform.mean_value)
        if len(values) > 1
        else next(iter(values), "0")
    )


@rule("INP004", "large-regression-targets", WARNING, effect=Effect.DIVERGENCE, layers=("EuclideanLoss",))
def large_regression_targets(layer: Layer) -> Iterator[Problem]:
    """EuclideanLoss begins with an error in the thousands: its targets are not scaled.

    **In Caffe** the loss is the sum of squared differences over twice the batch size, not divided by the
    number of elements, and its gradient is the difference itself (euclidean_loss_layer.cpp): targets of 100
    give gradients a hundred times those of targets of 1.

    **Instead** scale the targets to about 1, or give the loss a small `loss_weight`.
    """
    from nanlint.analysis.class_numbers import class_numbers
    from nanlint.analysis.scale import scale_of

    if layer.phase != TRAIN or layer.net.refused or len(layer.bottoms) < 2 or not layer.runs_backward:
        return
    target = scale_of(layer.net).moment(layer.bottoms[1]) or class_numbers(layer.bottoms[1])
    weight = abs(layer.loss_weights[0]) if layer.loss_weights else 0.0
    if (
        target is None
        or layer.bottoms[1].name in layer.net.fed  # target-scale knows more
        or not 10 <= target.rms < 1e30
        or layer.bottoms[1].producer is layer.bottoms[0].producer
    ):
        return
    loss = next((loss for loss in scale_of(layer.net).losses if loss.layer is layer), None)
    if loss is None or weight * target.rms < 10:
        return
    begins = f"begins at {loss.value:.3g} and " if loss.value is not None else ""
    yield finding(
        layer.at("bottom[1]"),
        f"the targets of `{layer.name}` are about {target.rms:.3g}, so it {begins}"
        f"pulls with the difference itself; scale `{layer.bottoms[1].name}` to about 1, or write "
        f"`loss_weight: {1 / target.rms**2:.1g}`",
        fix=_weighted(layer, 1 / target.rms**2),
        layer=layer.name,
        phase=layer.phase,
    )


def _weighted(layer: Layer, weight: float) -> Fix | None:
    """The loss weight that makes the gradient one of targets near 1, where it is one that people use."""
    route = "loss_weight[0]" if layer.param.loss_weight else "loss_weight"
    return write(layer, route, f"{weight:.1g}") if weight > LEAST_WEIGHT else None


@rule("INP007", "scale-enlarges-bytes", WARNING, effect=Effect.DIVERGENCE)
def scale_enlarges_bytes(layer: Layer) -> Iterator[Problem]:
    """The `scale` of a layer that reads images is far above 1: bytes become thousands.

    **In Caffe** the transformer computes `(byte - mean) * scale` (data_transformer.cpp, Transform): `scale: 256`
    makes numbers up to 65,280 of bytes, where 1/256 brings them below 1.

    **Instead** write the inverse: `scale: 0.00390625`.
    """
    scale = layer.param.transform_param.scale
    if not ENLARGING <= scale < math.inf or layer.refused or not layer.facts.holds_pixels:
        return
    yield finding(
        layer.at("transform_param.scale"),
        f"`scale: {show(scale)}` of `{layer.name}` multiplies bytes, so that they reach {255 * scale:.6g}; to divide "
        f"by {show(scale)} write `scale: {1 / scale:.9g}`",
        fix=_everywhere(layer, scale),
        layer=layer.name,
        phase=layer.net.phase,
    )


def _everywhere(layer: Layer, scale: float) -> Fix:
    """The inverse scale in all layers of the solver's nets that write this one: they see the same data."""
    inverse = f"{1 / scale:.9g}"
    edits = [
        written(other, "transform_param.scale", inverse)
        for net in (layer.net, *layer.net.companions)
        for other in net.layers
        if other.type == layer.type and other.param.transform_param.scale == scale
    ]
    return Fix(f"write `scale: {inverse}`", tuple(dict.fromkeys(edits)), Applicability.UNSAFE)


@rule("INP005", "class-labels-as-targets", INFO, effect=Effect.DIVERGENCE, layers=("EuclideanLoss",))
def class_labels_as_targets(layer: Layer) -> Iterator[Problem]:
    """EuclideanLoss takes the labels of a Data layer, which are class numbers, as its targets.

    **In Caffe** a Data layer's second top is the integer `label` of each datum (data_layer.cpp, load_batch).
    As targets of a squared loss class 9 is nine times as far from 0 as class 1, and the gradient grows with
    the number of classes.

    **Instead** use SoftmaxWithLoss for classes; for regression scale the labels to about 1.
    """
    if layer.phase != TRAIN or len(layer.bottoms) < 2:
        return
    target = layer.bottoms[1]
    if target.producer.facts.holds_pixels and target.top_index == 1:
        yield finding(
            layer.at("bottom[1]"),
            f"`{layer.name}` takes the integer labels of `{target.producer.name}` as targets; use "
            "SoftmaxWithLoss if they are classes, and scale them to about 1 if they are quantities",
            related=[Related("the labels come from here", target.producer.at("top[1]"))],
            layer=layer.name,
            phase=layer.phase,
        )


@rule("INP006", "vanishing-input", WARNING, effect=Effect.NO_LEARNING)
def vanishing_input(net: Net) -> Iterator[Problem]:
    """Scaled data meets tiny fillers: the logits are all but zero, and little comes back.

    **In Caffe** a linear layer multiplies the root mean square by std * sqrt(fan_in); with `scale: 0.0039`
    and `std: 0.0001` or so in front of several layers the first gradients are below what an update can
    show.

    **Instead** use `xavier` or `msra`, which keep the scale, or leave the data in bytes less the mean.
    """
    from nanlint.analysis.scale import scale_of

    if net.phase != TRAIN or net.refused:
        return
    scale = scale_of(net)
    for loss in scale.losses:
        blob = loss.layer.bottoms[0]
        moment = scale.moment(blob)
        if moment is None or not 0 < moment.rms < VANISHED:
            continue
        first = next((one for one in scale.learned if one.pressures), None)
        if first is None or first.log_gradient is None or first.log_gradient > 2 * math.log(VANISHED):
            continue
        yield finding(
            loss.layer.at("bottom[0]"),
            f"`{blob.name}` is about {moment.rms:.1g} before any training and the gradient of "
            f"`{first.param.layer.name}` {math.exp(first.log_gradient / 2):.1g}, too small to learn from; "
            "use `xavier` or `msra` fillers",
            layer=loss.layer.name,
            phase=net.phase,
        )


VANISHED = 1e-8
"""A size, and a gradient, that 32-bit weights of usual size do not feel."""


def _raw(layer: Layer) -> bool:
    """Whether a layer hands on bytes as they are, as far as its settings say and its data was not read."""
    transform = layer.param.transform_param
    scale = layer.param.window_data_param.scale if layer.type == "WindowData" else transform.scale
    read = layer.tops and layer.tops[0].name in layer.net.fed
    return not read and scale == 1 and not transform.mean_file and not transform.mean_value


def _first_linear(blob: Blob) -> Layer | None:
    """The first layer with weights that reads a blob, through layers that keep its scale."""
    for reader, _ in blob.consumers:
        if reader.facts.multiplies:
            return reader
        if (reader.facts.rearranges or reader.type == "Pooling") and reader.tops:
            return _first_linear(reader.tops[0])
    return None


def _filler_type(layer: Layer) -> str:
    if layer.type == "InnerProduct":
        return layer.param.inner_product_param.weight_filler.type
    return layer.param.convolution_param.weight_filler.type


def _normalised(layer: Layer) -> bool:
    return any(reader.facts.normalises or reader.type == "LRN" for reader, _ in layer.tops[0].consumers)

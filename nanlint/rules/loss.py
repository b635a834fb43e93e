"""Losses: labels, probabilities and sums that a loss layer cannot take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.ranges import ranges
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.causes import of_kind
from nanlint.rules.proof import spelled, sure_of, trail
from nanlint.rules.registry import ERROR, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net


@rule("LOS001", "label-out-of-range", ERROR, effect=Effect.MEMORY_ERROR)
def label_out_of_range(net: Net) -> Iterator[Problem]:
    """A label or an index lies outside the classes, and Caffe reads and writes beyond the blob.

    **In Caffe** labels are cut to whole numbers and used as they are: the checks are for debug builds alone
    (softmax_loss_layer.cpp, hinge_loss_layer.cpp, multinomial_logistic_loss_layer.cpp, embed_layer.cpp). The
    score of another row or of other memory is read, and the gradient is written there.

    **Instead** label from 0 to the number of classes - 1, and write as many outputs as there are classes.
    """
    for layer in net.layers:
        if layer.refused:
            continue
        if layer.facts.takes_labels and len(layer.bottoms) > 1:
            yield from _label(layer)
        elif layer.type == "Embed" and layer.bottoms:
            yield from _index(layer)


def _label(layer: Layer) -> Iterator[Problem]:
    label = ranges(layer.net).step(layer).bottoms[1].constant
    classes = layer.facts.classes(layer)
    if label is None or classes is None or _ignored(layer, label) or not _outside(label, classes):
        return
    yield finding(
        layer.at("bottom[1]"),
        f"`{layer.bottoms[1].name}` holds the label {spelled(label)}, and `{layer.name}` has {classes} "
        "classes, 0 to "
        f"{classes - 1}: Caffe does not check it and {_does(layer)} outside `{layer.bottoms[0].name}`; "
        "write a label of an existing class, or more outputs",
        related=[Related(f"the {classes} classes come from here", layer.bottoms[0].producer.at())],
        layer=layer.name,
        phase=layer.net.phase,
    )


def _does(layer: Layer) -> str:
    writes = layer.type == "HingeLoss" or (layer.runs_backward and any(layer.propagates[:1]))
    return "reads and writes" if writes else "reads"


def _ignored(layer: Layer, label: float) -> bool:
    param = layer.param.accuracy_param if layer.type == "Accuracy" else layer.param.loss_param
    return label == label and param.HasField("ignore_label") and abs(label) < 2**31 and int(label) == param.ignore_label


def _outside(label: float, classes: int) -> bool:
    return label != label or not -1 < label < classes


def _index(layer: Layer) -> Iterator[Problem]:
    index, rows = ranges(layer.net).step(layer).bottoms[0].constant, layer.param.embed_param.input_dim
    if index is None or not _outside(index, rows):
        return
    yield finding(
        layer.at("bottom[0]"),
        f"`{layer.bottoms[0].name}` holds the index {spelled(index)}, and `{layer.name}` has "
        f"`input_dim: {rows}`: Caffe "
        "does not check it and reads outside the weights; write an index from 0 to "
        f"{rows - 1}, or a larger `input_dim`",
        layer=layer.name,
        phase=layer.net.phase,
    )


@rule("LOS002", "infinite-loss", ERROR, effect=Effect.NON_FINITE)
def infinite_loss(net: Net) -> Iterator[Problem]:
    """A loss surely exceeds the largest 32-bit float in the first iteration.

    **In Caffe** losses that square (EuclideanLoss, HingeLoss with L2, ContrastiveLoss) overflow at
    differences of about 1.8e19; sums of several losses, and loss_weight times a loss, are 32-bit floats as
    well. SoftmaxWithLoss cannot overflow: it gives a label at most 87.34.

    **Instead** scale the targets, or write a smaller `loss_weight`.
    """
    yield from of_kind(net, "infinite-loss")
    got = ranges(net)
    if got.loss.surely_bad and not any(value.surely_bad for step in got.steps for value in step.tops):
        layers = [s.layer for s in got.steps if any(s.layer.loss_weights)]
        weights = ", ".join(f"`{layer.name}` with {spelled(max(layer.loss_weights, key=abs))}" for layer in layers)
        yield finding(
            layers[-1].at("loss_weight[0]" if layers[-1].param.loss_weight else "type"),
            f"the reported loss, summed over {weights}, is not finite in the first iteration; write "
            "smaller loss weights",
            evidence="; ".join(trail(got, got.step(layer)) for layer in layers[:3]),
            layer=layers[-1].name,
            phase=net.phase,
            severity=sure_of(net),
        )


@rule("LOS003", "not-probabilities", WARNING, effect=Effect.NON_FINITE, layers=("MultinomialLogisticLoss",))
def not_probabilities(layer: Layer) -> Iterator[Problem]:
    """MultinomialLogisticLoss reads something that is no probability.

    **In Caffe** it takes -ln(max(p, 1e-20)) of its bottom as it is (multinomial_logistic_loss_layer.cpp):
    scores below 0 all cost 46.05 with a gradient of up to 1e20 / N.

    **Instead** put a Softmax before it, or write SoftmaxWithLoss, which takes scores.
    """
    if layer.refused or not layer.bottoms:
        return
    scores = ranges(layer.net).step(layer).bottoms[0]
    if scores.low >= 0 and scores.high <= 1.0001 and not scores.nan:
        return
    maker = layer.bottoms[0].producer
    if maker.spec is None or not maker.bottoms:
        return
    yield finding(
        layer.at("bottom[0]"),
        f"`{layer.name}` takes the logarithm of `{layer.bottoms[0].name}`, which the {maker.type} "
        f"`{maker.name}` does not "
        "keep within 0 and 1: where it is 0 or below the gradient is up to 1e20; put a Softmax before "
        "it, or write "
        '`type: "SoftmaxWithLoss"`',
        related=[Related("it is made here", maker.at())],
        layer=layer.name,
        phase=layer.net.phase,
    )


@rule("LOS004", "softmax-of-one-class", ERROR, effect=Effect.NO_LEARNING)
def softmax_of_one_class(layer: Layer) -> Iterator[Problem]:
    """SoftmaxWithLoss over one class: the probability is always 1, the loss 0, and nothing learns.

    **In Caffe** Softmax divides by the sum over `axis` (softmax_layer.cpp); label 1 is outside the blob.

    **Instead** write `num_output: 2` for two classes, or SigmoidCrossEntropyLoss.
    """
    if not layer.facts.over_softmax or layer.refused or len(layer.bottoms) < 2 or layer.facts.classes(layer) != 1:
        return
    yield finding(
        layer.at("bottom[0]"),
        f"`{layer.bottoms[0].name}` gives `{layer.name}` one class, whose probability is always 1: the "
        "loss is 0 and "
        "nothing learns, and a label of 1 lies outside; write `num_output: 2`, or SigmoidCrossEntropyLoss",
        related=[Related("it is made here", layer.bottoms[0].producer.at())],
        layer=layer.name,
        phase=layer.net.phase,
    )

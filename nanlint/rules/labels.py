"""Labels and probabilities that a loss layer cannot take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.ranges import ranges
from nanlint.caffe.model import TRAIN, Net
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.explanations import explains, of_kind
from nanlint.rules.proof import Cause, spelled, spread, sure_of, trail
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import setting

if TYPE_CHECKING:
    from nanlint.analysis.ranges import Birth
    from nanlint.caffe.model import Layer
    from nanlint.schema.bind import Bound

# SoftmaxWithLoss there divides by the number of labels that count, even where that is 0
UNGUARDED = frozenset(
    """ segnet enet parsenet lrcn 3d-ff ctensmeyer hli2020 lstm py-faster-rcnn fast-rcnn hed ctpn crf-rnn tsn
    pose-action """.split()
)


@rule("FORK009", "center-loss-classes", WARNING, effect=Effect.MEMORY_ERROR, layers=("CenterLoss",))
def center_loss_classes(layer: Layer) -> Iterator[Problem]:
    """CenterLoss has fewer centres than the classifier of the same labels has classes.

    **In Caffe** the label picks the centre and is not checked (center_loss_layer.cpp of caffe-face): a label
    of `num_output` or more reads what lies behind the centres, and the loss is any number, or NaN.

    **Instead** write the number of classes as `num_output`.
    """
    if layer.spec is None or layer.refused or len(layer.bottoms) < 2:
        return
    centers = layer.param.center_loss_param.num_output
    for other, index in layer.bottoms[1].consumers:
        if other.type != "SoftmaxWithLoss" or index != 1:
            continue
        classes = other.facts.classes(other)
        if classes is not None and classes > centers:
            yield finding(
                layer.at("center_loss_param.num_output"),
                f"{setting(layer.param.center_loss_param, 'num_output')} of `{layer.name}` has no centre for the "
                f"labels {centers} to {classes - 1} of `{other.name}`'s {classes} classes, and Caffe reads memory "
                f"behind the centres; write `num_output: {classes}`",
                related=[Related(f"the {classes} classes come from here", other.bottoms[0].producer.at())],
                layer=layer.name,
                phase=layer.net.phase,
            )
            return


@rule("FORK011", "all-labels-ignored", INFO, effect=Effect.NON_FINITE, layers=("SoftmaxWithLoss",))
def all_labels_ignored(layer: Layer) -> Iterator[Problem]:
    """In the forks that can read this file a batch whose labels are all ignored makes the loss 0 / 0.

    **In Caffe** SoftmaxWithLoss divides by the number of labels that are not `ignore_label`. BVLC Caffe takes
    at least 1 since November 2015; SegNet's, Faster R-CNN's and other older forks take 0
    (softmax_loss_layer.cpp), and the gradient is NaN as well.

    **Instead** leave out examples without a single label, or write `normalize: false`, which divides by the
    batch size.
    """
    loss = layer.param.loss_param
    whole = loss.normalize if loss.HasField("normalize") else loss.normalization == loss.VALID
    if layer.phase != TRAIN or not loss.HasField("ignore_label") or not whole or not layer.net.foreign:
        return
    names = _forks_of(layer.net.bound)
    if not names or not names <= UNGUARDED:
        return
    from nanlint.schema.forks import in_words

    yield finding(
        layer.at("loss_param.ignore_label"),
        f"`{layer.name}` divides by the number of labels that are not {loss.ignore_label}, which {in_words(names)} let "
        "be 0: a batch with none is NaN; leave such examples out, or write `normalize: false`",
        layer=layer.name,
        phase=layer.net.phase,
    )


def _forks_of(bound: Bound) -> frozenset[str]:
    """The forks that can run a file: the pinned one, or those that have all it uses."""
    from nanlint.caffe.forks import able, fork_needs, needs

    if bound.dialect.pinned:
        return frozenset({bound.dialect.name})
    return able(needs(bound)) if fork_needs(bound) else frozenset()


@rule("DET002", "fewer-scores-than-classes", WARNING, effect=Effect.MEMORY_ERROR, layers=("SoftmaxWithLoss",))
def fewer_scores_than_classes(layer: Layer) -> Iterator[Problem]:
    """A Python layer makes labels of more classes than the classifier has scores.

    **In Caffe** the labels of Faster R-CNN's data and proposal layers run from 0 to the `num_classes` of their
    `param_str` - 1, and SoftmaxWithLoss does not check them: it reads and writes outside the scores
    (softmax_loss_layer.cpp), which ends in NaN.

    **Instead** give the scores as many outputs as `num_classes`, background included, and 4 times as many to
    the boxes.
    """
    if layer.refused or len(layer.bottoms) < 2 or layer.bottoms[1].producer.type != "Python":
        return
    maker = layer.bottoms[1].producer
    written = re.search(r"num_classes\W+(\d+)", maker.param.python_param.param_str)
    classes = layer.facts.classes(layer)
    if written is None or classes is None or int(written[1]) <= classes:
        return
    yield finding(
        maker.at("python_param.param_str"),
        f"`num_classes` of `{maker.name}` is {written[1]}, so `{layer.bottoms[1].name}` has labels up to "
        f"{int(written[1]) - 1}, but `{layer.bottoms[0].name}` has scores for {classes} classes: `{layer.name}` reads "
        f"and writes outside them; write `num_output: {written[1]}`, or the right `num_classes`",
        related=[Related(f"the {classes} scores come from here", layer.bottoms[0].producer.at())],
        layer=maker.name,
        phase=layer.net.phase,
    )


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


@explains(of=lambda layer: layer.facts.is_loss)
def _loss(birth: Birth) -> Cause:
    step, layer = birth.step, birth.step.layer
    inputs = " and ".join(
        f"`{b.name}` ({spread((v.low, v.high))})"
        for b, v in zip(layer.bottoms[:2], step.bottoms, strict=False)
    )
    return Cause(
        "infinite-loss",
        "type",
        f"the {layer.type} `{layer.name}` of {inputs} exceeds the 3.4e38 of a 32-bit float: {birth.what}; "
        "scale its inputs down",
    )

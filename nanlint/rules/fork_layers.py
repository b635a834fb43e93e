"""Layers of forks: settings of normalisations and losses that bring NaN, a blow-up or no learning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.model import TEST, TRAIN
from nanlint.findings import Effect, Problem, Related
from nanlint.numbers.float32 import f32
from nanlint.rules.proof import spelled
from nanlint.rules.registry import INFO, WARNING, finding, rule
from nanlint.rules.wording import setting

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Solver
    from nanlint.schema.bind import Bound

# SoftmaxWithLoss there divides by the number of labels that count, even where that is 0
UNGUARDED = frozenset(
    """ segnet enet parsenet lrcn 3d-ff ctensmeyer hli2020 lstm py-faster-rcnn fast-rcnn hed ctpn crf-rnn tsn
    pose-action """.split()
)
CENTER_WEIGHT = 1


@rule("FORK003", "norm-without-eps", WARNING, effect=Effect.NON_FINITE)
def norm_without_eps(layer: Layer) -> Iterator[Problem]:
    """An `eps` of 0 or below lets Normalize or BN divide 0 by 0.

    **In Caffe** ParseNet's and SSD's Normalize divides by sqrt(sum of squares + eps) (normalize_layer.cpp),
    PSPNet's BN by sqrt(variance + eps) (bn_layer.cpp), and nothing checks it. A place where all channels are
    0, as after ReLU, or a channel that is constant over the batch, is then NaN, and so is all that follows.

    **Instead** leave `eps` out: 1e-10 in Normalize, 1e-5 in BN.
    """
    if layer.spec is None or layer.refused or not layer.bottoms:
        return
    if layer.type == "BN":
        message, zero = "bn_param", "a channel that is constant"
    elif layer.type == "Normalize":
        message = "normalize_param" if layer.param.HasField("normalize_param") else "norm_param"
        zero = "a place where all channels are 0"
    else:
        return
    for name in ("eps", "var_eps") if layer.type == "BN" else ("eps",):
        eps = f32(getattr(getattr(layer.param, message), name))
        if eps <= 0:
            yield finding(
                layer.at(f"{message}.{name}"),
                f"`{name}: {spelled(eps)}` of `{layer.name}` does not keep its divisor above 0: {zero} in "
                f"`{layer.bottoms[0].name}` gives 0 / 0, NaN; leave `{name}` out",
                layer=layer.name,
                phase=layer.net.phase,
            )


@rule("FORK004", "zero-sigma", WARNING, effect=Effect.NO_LEARNING, layers=("SmoothL1Loss",))
def zero_sigma(layer: Layer) -> Iterator[Problem]:
    """`sigma: 0` makes SmoothL1Loss and its gradient 0 whatever the predictions are.

    **In Caffe** the forks of Faster R-CNN take 0.5 (sigma x)^2 where |x| is below 1 / sigma^2 and |x| beyond
    (smooth_L1_loss_layer.cu). With 0 the bound is infinite and the square 0: no box is ever learned. Any
    other sigma is safe: the gradient stays within -1 to 1, and a large sigma makes it the plain L1 loss.

    **Instead** leave `sigma` out (1), or write 3 as in Faster R-CNN's region proposals.
    """
    sigma = f32(layer.param.smooth_l1_loss_param.sigma)
    if layer.spec is None or f32(sigma * sigma) != 0:
        return
    yield finding(
        layer.at("smooth_l1_loss_param.sigma"),
        f"`sigma: {spelled(sigma)}` of `{layer.name}` makes the loss 0.5 x (0 x difference)^2 = 0 with gradient 0, "
        "so nothing is learned from it; leave `sigma` out, or write 3 as Faster R-CNN's region proposals have it",
        layer=layer.name,
        phase=layer.net.phase,
    )


@rule("FORK005", "multi-box-without-examples", WARNING, effect=Effect.NO_LEARNING, layers=("MultiBoxLoss",))
def multi_box_without_examples(layer: Layer) -> Iterator[Problem]:
    """MultiBoxLoss never sees a background box, or hardly an object.

    **In Caffe** SSD's mining takes `neg_pos_ratio` background boxes for each matched one, of those that
    overlap an object by less than `neg_overlap` (bbox_util.cpp, MineHardExamples); with 0 there are none,
    and the net calls everything an object. A box matches from `overlap_threshold` on; above 1 only the best
    box of each object does. An image without a matched box is no cause of NaN: the divisor is at least 1.

    **Instead** keep SSD's `neg_pos_ratio: 3`, `neg_overlap: 0.5` and `overlap_threshold: 0.5`.
    """
    if layer.spec is None:
        return
    param = layer.param.multibox_loss_param
    mines = param.mining_type == param.MAX_NEGATIVE and (param.do_neg_mining or not param.HasField("do_neg_mining"))
    for name, usual in (("neg_pos_ratio", "3"), ("neg_overlap", "0.5")):
        if mines and getattr(param, name) <= 0:
            yield finding(
                layer.at(f"multibox_loss_param.{name}"),
                f"{setting(param, name)} of `{layer.name}` leaves no background box to learn from, and the net "
                f"calls everything an object; write `{name}: {usual}`",
                layer=layer.name,
                phase=layer.net.phase,
            )
    if param.match_type == param.PER_PREDICTION and param.overlap_threshold > 1:
        yield finding(
            layer.at("multibox_loss_param.overlap_threshold"),
            f"{setting(param, 'overlap_threshold')} of `{layer.name}` is an overlap that no box reaches (1 is all), so "
            "of each object only the best box is learned; write `overlap_threshold: 0.5`",
            layer=layer.name,
            phase=layer.net.phase,
        )


@rule("FORK006", "multi-box-sum", WARNING, effect=Effect.DIVERGENCE, layers=("MultiBoxLoss",))
def multi_box_sum(layer: Layer) -> Iterator[Problem]:
    """MultiBoxLoss adds thousands of boxes without dividing by as many, which the usual rates do not survive.

    **In Caffe** `normalization: NONE` divides the sum over the boxes of the whole batch by 1; VALID, the
    default, by the number of matched boxes (multibox_loss_layer.cpp, loss_layer.cpp). With
    `mining_type: NONE` the softmax loss sums over all boxes, thousands for each matched one.

    **Instead** write `normalization: VALID` and `mining_type: MAX_NEGATIVE`, as SSD does.
    """
    if layer.spec is None or layer.phase == TEST:
        return
    param, loss = layer.param.multibox_loss_param, layer.param.loss_param
    if loss.normalization == loss.NONE:
        yield finding(
            layer.at("loss_param.normalization"),
            f"`normalization: NONE` of `{layer.name}` adds the losses of all boxes of the batch and divides by 1, so "
            "the gradient is hundreds of times that of SSD, whose rate is 0.001; write `normalization: VALID`",
            layer=layer.name,
            phase=layer.net.phase,
        )
    elif (
        param.mining_type == param.NONE
        and param.conf_loss_type == param.SOFTMAX
        and loss.normalization == loss.VALID
        and (not loss.HasField("normalize") or loss.normalize or loss.HasField("normalization"))
    ):
        yield finding(
            layer.at("multibox_loss_param.mining_type"),
            f"`mining_type: NONE` of `{layer.name}` adds the softmax losses of all prior boxes and divides by the few "
            "that match an object, so the gradient is hundreds of times that of SSD; write "
            "`mining_type: MAX_NEGATIVE`",
            layer=layer.name,
            phase=layer.net.phase,
        )


@rule("FORK007", "center-loss-weight", WARNING, effect=Effect.DIVERGENCE, layers=("CenterLoss",))
def center_loss_weight(layer: Layer) -> Iterator[Problem]:
    """The weight of CenterLoss is far above what its authors use, or missing.

    **In Caffe** the loss is half the squared distance to the centre of the class, which nothing bounds
    (center_loss_layer.cpp of caffe-face), and a loss without `loss_weight` has weight 1. The authors train
    with 0.008, and their paper goes up to 0.1; from 1 on the features collapse or blow up.

    **Instead** write `loss_weight: 0.008`.
    """
    weight = layer.loss_weights[0] if layer.loss_weights else 0.0
    if layer.spec is None or layer.phase == TEST or not weight >= CENTER_WEIGHT:
        return
    written = f"`loss_weight: {spelled(weight)}`" if layer.param.loss_weight else "missing `loss_weight` (1)"
    yield finding(
        layer.at("loss_weight[0]" if layer.param.loss_weight else "type"),
        f"{written} of `{layer.name}` is {weight / 0.008:.3g} times the 0.008 of its authors, and the squared distance "
        "that it weighs has no bound: features collapse or the loss becomes NaN; write `loss_weight: 0.008`",
        layer=layer.name,
        phase=layer.net.phase,
    )


@rule("FORK008", "center-rate", WARNING, effect=Effect.DIVERGENCE)
def center_rate(solver: Solver) -> Iterator[Problem]:
    """The centres of CenterLoss overshoot at this rate and run away.

    **In Caffe** each step moves a centre by base_lr * lr_mult * n / (n + 1) of its distance to the n examples
    of its class; the loss weight does not enter (center_loss_layer.cpp of caffe-face, Backward_cpu). With
    momentum m every rate of 2 (1 + m) or more times (n + 1) / n makes the distance grow.

    **Instead** write a smaller `lr_mult` in the `param` of the layer. caffe-face has `base_lr: 0.1` and
    `lr_mult: 1`.
    """
    net = solver.train_net
    for layer in net.layers if net else ():
        if layer.type != "CenterLoss" or layer.spec is None or not layer.params:
            continue
        rate = solver.param.base_lr * layer.params[0].lr_mult
        limit = 2 * (1 + solver.param.momentum)
        if rate < limit or (solver.param.type or "SGD") != "SGD":
            continue
        route = "param[0].lr_mult" if layer.param.param else "type"
        yield finding(
            layer.at(route),
            f"the centres of `{layer.name}` move by `base_lr` x `lr_mult` = {spelled(rate)} times their distance to "
            f"the features in each step, and from {spelled(limit)} on (momentum {spelled(solver.param.momentum)}) they "
            "overshoot further each time; write a smaller `lr_mult`",
            related=[Related("the rate is written here", solver.at("base_lr"))],
            layer=layer.name,
            phase=layer.net.phase,
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


@rule("FORK010", "class-weights", WARNING, effect=Effect.DIVERGENCE, layers=("SoftmaxWithLoss",))
def class_weights(layer: Layer) -> Iterator[Problem]:
    """The weights of classes are not one for each class, negative, or all 0.

    **In Caffe** SegNet's SoftmaxWithLoss multiplies the loss of a label by the `class_weighting` of its class
    if `weight_by_label_freqs` is set, and aborts unless there is one for each class (softmax_loss_layer.cpp).
    A negative weight rewards mistakes without bound.

    **Instead** write one positive `class_weighting` for each class, such as median frequency balancing gives.
    """
    loss = layer.param.loss_param
    if layer.refused or not layer.net.foreign or not loss.weight_by_label_freqs:
        return
    weights = list(loss.class_weighting)
    classes = _scores(layer) if len(layer.bottoms) > 1 else None
    route, effect = "loss_param.class_weighting[0]", Effect.DIVERGENCE
    negative = next((i for i, weight in enumerate(weights) if weight < 0), None)
    if classes is not None and len(weights) != classes:
        words = (
            f"`{layer.name}` has {len(weights)} `class_weighting` for the {classes} classes of "
            f"`{layer.bottoms[0].name}`, and Caffe aborts; write one for each class"
        )
        route = route if weights else "loss_param.weight_by_label_freqs"
        effect = Effect.SETUP_FAILURE
    elif negative is not None:
        route = f"loss_param.class_weighting[{negative}]"
        words = (
            f"`class_weighting: {spelled(weights[negative])}` of `{layer.name}` rewards mistakes in class {negative}, "
            "and the loss falls without bound; write a positive weight"
        )
    elif weights and not any(weights):
        effect = Effect.NO_LEARNING
        words = f"every `class_weighting` of `{layer.name}` is 0, so loss and gradient are 0; write positive weights"
    else:
        return
    yield finding(layer.at(route), words, effect=effect, layer=layer.name, phase=layer.net.phase)


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


def _scores(layer: Layer) -> int | None:
    """How many classes a classifier scores, by what makes the scores where their shape is unknown."""
    maker = layer.bottoms[0].producer
    if layer.bottoms[0].shape is None and maker.type == "Convolution" and maker.param.convolution_param.axis == 1:
        return int(maker.param.convolution_param.num_output)
    return layer.facts.classes(layer)


def _forks_of(bound: Bound) -> frozenset[str]:
    """The forks that can run a file: the pinned one, or those that have all it uses."""
    from nanlint.caffe.forks import able, fork_needs, needs

    if bound.dialect.pinned:
        return frozenset({bound.dialect.name})
    return able(needs(bound)) if fork_needs(bound) else frozenset()

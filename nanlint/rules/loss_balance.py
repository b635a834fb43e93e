"""Losses out of balance: with each other, with the rate, between examples or classes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.edits import write
from nanlint.caffe.model import TEST, TRAIN, Net, Solver, count
from nanlint.caffe.solver import solver_type
from nanlint.findings import Effect, Problem, Related
from nanlint.numbers.float32 import f32, show
from nanlint.rules.proof import spelled
from nanlint.rules.registry import WARNING, finding, rule
from nanlint.rules.wording import setting, times

if TYPE_CHECKING:
    from nanlint.analysis.scale import Learned
    from nanlint.caffe.model import Layer
    from nanlint.text.source import Place

CENTER_WEIGHT = 1
IMBALANCE = 1e4
"""How many times as hard one loss may pull on shared weights as another."""
LASTING = 4
"""With momentum, how many steps of a gradient add up before they count like one too many."""
SUMMED = 64
"""Elements from which a sum is no longer near a mean."""


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


def _scores(layer: Layer) -> int | None:
    """How many classes a classifier scores, by what makes the scores where their shape is unknown."""
    maker = layer.bottoms[0].producer
    if layer.bottoms[0].shape is None and maker.type == "Convolution" and maker.param.convolution_param.axis == 1:
        return int(maker.param.convolution_param.num_output)
    return layer.facts.classes(layer)


@rule("DET003", "unweighted-box-loss", WARNING, effect=Effect.DIVERGENCE, layers=("SmoothL1Loss",))
def unweighted_box_loss(layer: Layer) -> Iterator[Problem]:
    """The box targets of Faster R-CNN are compared without the weights that go with them.

    **In Caffe** SmoothL1Loss adds up all numbers and divides by the batch size alone
    (smooth_L1_loss_layer.cu). The weights that the Python layer makes beside the targets leave out background
    boxes and other classes, and divide by the number of examples: without them a map of thousands of anchors
    is one sum, over targets that mean nothing.

    **Instead** give the loss the inside and the outside weights as bottoms 2 and 3.
    """
    if layer.spec is None or layer.refused or len(layer.bottoms) != 2:
        return
    targets = layer.bottoms[1]
    maker = targets.producer
    weights = [f"`{blob.name}`" for blob in maker.tops[targets.top_index + 1 :] if "weights" in blob.name]
    if maker.type != "Python" or not weights:
        return
    yield finding(
        layer.at("bottom[1]"),
        f"`{layer.name}` compares `{targets.name}` without {' and '.join(weights)}, which `{maker.name}` makes "
        "beside it, so background boxes and other classes count, and nothing divides the sum by their number; "
        "add them as bottoms",
        related=[Related(f"`{targets.name}` is made here", targets.made_at)],
        layer=layer.name,
        phase=layer.net.phase,
    )


@rule("BLW003", "unbalanced-losses", WARNING, effect=Effect.NO_LEARNING)
def unbalanced_losses(net: Net) -> Iterator[Problem]:
    """Of several losses, one pulls thousands of times as hard on the weights that they share.

    **In Caffe** the gradients of all losses add up, each times its `loss_weight` (net.cpp, Backward): beside
    one that is ten thousand times as large, the other loss has no part in an update, while a rate that
    suits the small one blows up on the large one. EuclideanLoss and `normalization: NONE` sum over elements,
    SoftmaxWithLoss averages, so their sizes differ by the number of elements.

    **Instead** choose `loss_weight` so that the gradients are of one size.
    """
    from nanlint.analysis.scale import scale_of

    if net.phase != TRAIN or sum(1 for layer in net.layers if any(layer.loss_weights)) < 2:
        return
    scale = scale_of(net)
    if len(scale.losses) < 2 or not scale.complete:
        return
    widest: tuple[float, Learned, int, int] | None = None
    for learned in scale.learned:
        pulls = [pressure.log_gradient for pressure in learned.pressures]
        known = [pull for pull in pulls if pull is not None and pull > -math.inf]
        if len(known) < 2 or len(known) < len(pulls):
            continue
        strong, weak = max(known), min(known)
        ratio = (strong - weak) / 2
        if widest is None or ratio > widest[0]:
            widest = (ratio, learned, pulls.index(strong), pulls.index(weak))
    if widest is None or widest[0] < math.log(IMBALANCE):
        return
    ratio, learned, high, low = widest
    strong_loss, weak_loss = learned.pressures[high].loss, learned.pressures[low].loss
    yield finding(
        _weight_place(strong_loss.layer),
        f"`{strong_loss.layer.name}` (`loss_weight: {show(strong_loss.weight)}`) pulls {times(ratio)} as "
        f"hard on the weights of `{learned.param.layer.name}` as `{weak_loss.layer.name}` (`loss_weight: "
        f"{show(weak_loss.weight)}`), which has no part in an update; choose weights that bring the "
        "gradients to one size",
        related=[Related("the loss that is drowned", _weight_place(weak_loss.layer))],
        layer=strong_loss.layer.name,
        phase=net.phase,
    )


def _weight_place(layer: Layer) -> Place:
    return layer.at("loss_weight[0]" if layer.param.loss_weight else "type")


@rule(
    "BLW004",
    "summed-loss",
    WARNING,
    effect=Effect.DIVERGENCE,
)
def summed_loss(solver: Solver) -> Iterator[Problem]:
    """A loss is summed over a map, with a rate that suits a mean.

    **In Caffe** `normalization: BATCH_SIZE`, `normalize: false` and the default of SigmoidCrossEntropyLoss
    divide by the batch size alone, `NONE` by 1 (softmax_loss_layer.cpp, GetNormalizer); EuclideanLoss always
    divides by the batch size alone (euclidean_loss_layer.cpp). Over a map of H x W the gradient of shared
    weights is H*W times that of a mean. Nets that train so use rates like 1e-10.

    **Instead** write `loss_param { normalization: VALID }`, or divide `base_lr` (or `loss_weight`) by the
    number of elements.
    """
    net = solver.train_net
    param = solver.param
    if net is None or net.refused or solver_type(param) not in ("SGD", "Nesterov") or param.clip_gradients >= 0:
        return
    for layer in net.layers:
        summed, how = _summed(layer)
        pull = summed * max(map(abs, layer.loss_weights), default=0.0) * abs(param.base_lr)
        euclidean = layer.type == "EuclideanLoss"
        lasting = pull / max(0.01, 1 - param.momentum) if 0 <= param.momentum < 1 else pull
        if summed < SUMMED or max(pull, lasting / LASTING) < (10 if euclidean else 1) or not layer.runs_backward:
            continue
        remedy = "write `normalization: VALID`, or divide the rate by"
        route = "loss_param.normalization" if layer.param.loss_param.HasField("normalization") else "loss_param"
        yield finding(
            layer.at("type" if euclidean else route),
            f"`{layer.name}` sums its loss over {summed} elements{how}, so `base_lr: {show(param.base_lr)}` "
            f"acts like {pull:.3g} on a mean; {'divide `loss_weight` by' if euclidean else remedy} {summed}",
            related=[Related("the rate", solver.at("base_lr"))],
            fix=None if euclidean else write(layer, "loss_param.normalization", "VALID"),
            layer=layer.name,
            phase=net.phase,
        )


def _summed(layer: Layer) -> tuple[int, str]:
    """Over how many elements a loss is summed before it is divided, and by which setting."""
    from nanlint.caffe.layers.pull import normalization

    shape = layer.bottoms[0].shape if layer.bottoms else None
    positions = (count(shape, 2) or 1) if shape and len(shape) > 2 else 1
    if layer.type == "EuclideanLoss":
        return positions, ""
    how = normalization(layer) if layer.facts.normalization else ""
    if how not in ("BATCH_SIZE", "NONE") or not shape:
        return 1, ""
    return positions * ((shape[0] or 1) if how == "NONE" else 1), f" ({how})"


@rule("BLW005", "negative-loss-weight", WARNING, effect=Effect.DIVERGENCE)
def negative_loss_weight(net: Net) -> Iterator[Problem]:
    """A negative `loss_weight` makes training climb the loss.

    **In Caffe** the weight is put into the gradient of the loss as it stands (layer.hpp, SetLossWeights), and
    nothing checks its sign; a loss without an upper bound then goes to infinity.

    **Instead** remove the sign. Where the gradient is to be reversed on purpose, as between adversaries,
    ignore this finding.
    """
    for layer in net.layers:
        for top, weight in enumerate(layer.loss_weights):
            if weight < 0 and layer.runs_backward:
                yield finding(
                    layer.at(f"loss_weight[{top}]"),
                    f"`loss_weight: {show(weight)}` of `{layer.name}` makes training climb this loss "
                    "instead of descending it; remove the sign",
                    layer=layer.name,
                    phase=net.phase,
                )

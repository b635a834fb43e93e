"""Loss weights: losses out of balance, summed where a mean is meant, or climbed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.edits import write
from nanlint.caffe.model import TRAIN, count
from nanlint.caffe.solver import solver_type
from nanlint.findings import Effect, Problem, Related
from nanlint.numbers.float32 import show
from nanlint.rules.registry import WARNING, finding, rule
from nanlint.rules.wording import times

if TYPE_CHECKING:
    from nanlint.analysis.scale import Learned
    from nanlint.caffe.model import Layer, Net, Solver
    from nanlint.text.source import Place

IMBALANCE = 1e4
"""How many times as hard one loss may pull on shared weights as another."""
LASTING = 4
"""With momentum, how many steps of a gradient add up before they count like one too many."""
SUMMED = 64
"""Elements from which a sum is no longer near a mean."""


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

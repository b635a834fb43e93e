"""BatchNorm, LRN, MVN and Softmax: settings that divide by 0 or take the root of a negative number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.fine_tuning import partly_frozen
from nanlint.analysis.ranges import ranges
from nanlint.caffe.layers import batch_norm, mvn
from nanlint.caffe.layers.batch_norm import global_statistics
from nanlint.caffe.layers.lrn import WITHIN_CHANNEL, lrn_scale
from nanlint.caffe.model import TRAIN
from nanlint.findings import Effect, Problem
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.intervals import is_finite
from nanlint.numbers.values import TINY
from nanlint.rules.explanations import explains, of_kind
from nanlint.rules.proof import Cause, spelled, spread
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.analysis.ranges import Birth
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer, Net, Solver



@rule("NRM001", "batch-norm-without-variance", ERROR, effect=Effect.NON_FINITE)
def batch_norm_without_variance(net: Net) -> Iterator[Problem]:
    """BatchNorm surely divides by 0 or takes the root of a negative number.

    **In Caffe** BatchNorm divides by sqrt(variance + eps), and nothing checks `eps` (batch_norm_layer.cpp).
    The variance is 0 for a constant channel (dead ReLU below) and for one element a channel, and in phase
    TEST or with `use_global_stats` until statistics are stored.

    **Instead** leave `eps` out: 1e-5.
    """
    yield from of_kind(net, "batch-norm-without-variance")


@rule("NRM002", "lrn-base", ERROR, effect=Effect.NON_FINITE)
def lrn_base(net: Net) -> Iterator[Problem]:
    """LRN surely raises 0 or a negative number to a negative power.

    **In Caffe** y = x (k + alpha/size * sum of squares)^-beta (lrn_layer.cpp). `k: 0` meets windows of
    zeros, as after ReLU; a negative `alpha` or `k` makes the sum negative. WITHIN_CHANNEL ignores `k` and
    uses 1. The sum runs along the channels: a channel about 4100 sqrt(k size / alpha) or more in size
    swallows k, and 0 or rounding noise is left when it leaves the window.

    **Instead** keep `k: 1` and a small positive `alpha`.
    """
    yield from of_kind(net, "lrn-base")


@rule("NRM003", "mvn-without-variance", ERROR, effect=Effect.NON_FINITE)
def mvn_without_variance(net: Net) -> Iterator[Problem]:
    """MVN surely divides 0 by 0.

    **In Caffe** MVN divides by sqrt(variance) + eps (mvn_layer.cpp): with `eps: 0` that is 0 for a constant
    region and for one element a region.

    **Instead** leave `eps` out, or write `normalize_variance: false`.
    """
    yield from of_kind(net, "mvn-without-variance")


@rule("NRM004", "running-statistics", ERROR, effect=Effect.NON_FINITE, layers=("BatchNorm",))
def running_statistics(layer: Layer) -> Iterator[Problem]:
    """A `moving_average_fraction` that is not finite spoils the running statistics in the first iteration.

    **In Caffe** the sums of means and variances are multiplied by it and start at 0 (batch_norm_layer.cpp):
    0 times infinity is NaN. Training goes on with the statistics of the batch; every test is NaN.

    **Instead** write a fraction below 1, such as 0.999.
    """
    fraction = f32(layer.param.batch_norm_param.moving_average_fraction)
    if is_finite(fraction) or layer.refused or layer.phase != TRAIN or global_statistics(layer):
        return
    yield finding(
        layer.at("batch_norm_param.moving_average_fraction"),
        f"`moving_average_fraction: {spelled(fraction)}` of `{layer.name}` makes the running mean and "
        "variance NaN in "
        "the first iteration, and every test with them; write a fraction below 1",
        layer=layer.name,
        phase=layer.net.phase,
        severity=None if layer.net.iterations != 0 else WARNING,
    )


@rule("NRM005", "unsafe-eps", WARNING, effect=Effect.NON_FINITE)
def unsafe_eps(layer: Layer) -> Iterator[Problem]:
    """An `eps` of 0 or below does not protect from a variance of 0.

    **In Caffe** BatchNorm divides by sqrt(variance + eps), MVN by sqrt(variance) + eps, unchecked. A channel
    that is constant over the batch (dead units, borders, a batch of equal inputs) then gives 0/0.

    **Instead** leave `eps` out.
    """
    message = layer.facts.eps_block
    if not message or layer.param.batch_norm_param.scale_bias:  # NVIDIA's Caffe, which takes at least 1e-5
        return
    eps = f32(getattr(layer.param, message).eps)
    divides = layer.type == "BatchNorm" or layer.param.mvn_param.normalize_variance
    if eps > 0 or eps != eps or not divides or layer.refused or not layer.tops:
        return
    step = ranges(layer.net).step(layer)
    if any(value.surely_bad for value in (*step.bottoms, *step.tops)) or not step.tops[0].nan:
        return
    yield finding(
        layer.at(f"{message}.eps"),
        f"`eps: {spelled(eps)}` of `{layer.name}` does not keep its divisor above 0: a channel of "
        f"`{layer.bottoms[0].name}` that is constant gives 0 / 0, NaN; leave `eps` out",
        layer=layer.name,
        phase=layer.net.phase,
    )


@rule("NRM006", "lrn-base-may-be-zero", WARNING, effect=Effect.NON_FINITE, layers=("LRN",))
def lrn_base_may_be_zero(layer: Layer) -> Iterator[Problem]:
    """LRN settings let its base reach 0 or below.

    **In Caffe** y = x (k + alpha/size * sum of squares)^-beta (lrn_layer.cpp): with `k: 0` a window of zeros
    gives 0 * infinity, with a negative `alpha` large inputs give NaN.

    **Instead** keep `k: 1` and a positive `alpha`.
    """
    param = layer.param.lrn_param
    within = param.norm_region == WITHIN_CHANNEL
    positive = f32(param.alpha) >= 0 and (within or f32(param.k) > 0)
    if positive or f32(param.beta) == 0 or layer.refused or not layer.tops:
        return
    step = ranges(layer.net).step(layer)
    if any(value.surely_bad for value in (*step.bottoms, *step.tops)):
        return
    name = "alpha" if f32(param.alpha) < 0 else "k"
    yield finding(
        layer.at(f"lrn_param.{name}"),
        f"`{name}: {spelled(f32(getattr(param, name)))}` lets the base of `{layer.name}` reach 0 or "
        "below, depending on "
        f"`{layer.bottoms[0].name}`: NaN or infinity; write " + ("a positive `alpha`" if name == "alpha" else "`k: 1`"),
        layer=layer.name,
        phase=layer.net.phase,
    )


@rule("NRM007", "growing-statistics", WARNING, effect=Effect.NON_FINITE, layers=("BatchNorm",))
def growing_statistics(layer: Layer) -> Iterator[Problem]:
    """A `moving_average_fraction` above 1 lets the running statistics grow without end.

    **In Caffe** the sums and their counter are multiplied by it in every iteration (batch_norm_layer.cpp):
    1.01 is infinite after about 8,900 iterations, and every test is NaN from then on.

    **Instead** write a fraction below 1, such as 0.999.
    """
    fraction = f32(layer.param.batch_norm_param.moving_average_fraction)
    if not 1 < fraction <= FLOAT_MAX or layer.refused or layer.phase != TRAIN or global_statistics(layer):
        return
    yield finding(
        layer.at("batch_norm_param.moving_average_fraction"),
        f"`moving_average_fraction: {spelled(fraction)}` of `{layer.name}` multiplies the running "
        "statistics in every "
        f"iteration, so that they are infinite after about {int(88.72 / math.log(fraction))} and tests "
        "are NaN; write a "
        "fraction below 1",
        layer=layer.name,
        phase=layer.net.phase,
    )


@rule("NRM008", "global-statistics-in-training", WARNING, effect=Effect.DIVERGENCE)
def global_statistics_in_training(solver: Solver) -> Iterator[Problem]:
    """BatchNorm trains on stored statistics although the solver loads none.

    **In Caffe** `use_global_stats: true` normalises by blobs 0 to 2 of the layer, which are 0 in a fresh
    net: the layer then multiplies by 1 / sqrt(eps), 316 at 1e-5, forward and backward
    (batch_norm_layer.cpp); 16 in series overflow. With trained weights (`weights` in the solver, `-weights`
    on the command line) it is how one fine-tunes.

    **Instead** leave `use_global_stats` out: TRAIN then uses the batch, TEST the stored statistics. Or name
    the weights in the solver.
    """
    net = solver.train_net
    if net is None or solver.param.weights:
        return
    norms = [layer for layer in net.layers if layer.type == "BatchNorm" and not layer.refused]
    fresh = [layer for layer in norms if global_statistics(layer) and not layer.param.blobs]
    if not fresh or len(fresh) < len(norms):
        return
    first = fresh[0]
    gain = 1 / math.sqrt(max(f32(first.param.batch_norm_param.eps), TINY))
    others = f" and {len(fresh) - 1} more" if len(fresh) > 1 else ""
    tuned = partly_frozen(net)
    yield finding(
        first.at("batch_norm_param.use_global_stats"),
        f"`use_global_stats: true` makes `{first.name}`{others} train on stored statistics, and the "
        "solver names no "
        f"`weights` that hold some: a fresh net multiplies by {spelled(gain)} there; leave it out, or "
        "write `weights`" + (", unless trained weights are loaded with `-weights`" if tuned else ""),
        layer=first.name,
        phase=net.phase,
        severity=INFO if tuned else None,
    )


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


@explains("BatchNorm")
def _batch_norm(birth: Birth) -> Cause:
    step, layer = birth.step, birth.step.layer
    eps = f32(layer.param.batch_norm_param.eps)
    bottom = layer.bottoms[0].name
    if batch_norm.global_statistics(layer):
        why = "the net is in phase TEST" if layer.phase == "TEST" else "`use_global_stats: true`"
        words = (
            f"`{layer.name}` normalises by stored statistics ({why}), whose variance is "
            f"{_stored_variance(step)}: with `eps: {spelled(eps)}` the root or the division gives "
            f"{birth.what}; "
            "leave `eps` out (1e-5), and load trained statistics"
        )
    else:
        elements = batch_norm.region(step)
        flat = "there is one element a channel" if elements == 1 else "the variance of a channel"
        flat = (
            flat
            if elements == 1
            else f"{flat} of `{bottom}` is {'0' if eps == 0 else 'below ' + spelled(-eps)}"
        )
        words = (
            f"`eps: {spelled(eps)}` of `{layer.name}` does not keep variance + eps above 0, and "
            f"{flat}: {birth.what}; "
            "leave `eps` out (1e-5)"
        )
    return Cause("batch-norm-without-variance", "batch_norm_param.eps", words)


def _stored_variance(step: Step) -> str:
    if len(step.weights) > 2 and step.weights[2].constant == 0:
        return "0 until something is stored"
    return spread((step.weights[1].low, step.weights[1].high)) if len(step.weights) > 1 else "unknown"


@explains("MVN")
def _mvn(birth: Birth) -> Cause:
    layer, eps = birth.step.layer, f32(birth.step.layer.param.mvn_param.eps)
    elements = mvn.region(birth.step)
    why = (
        "each region has one element, so its deviation is 0"
        if elements == 1
        else f"`{layer.bottoms[0].name}` is constant, so its deviation is 0"
    )
    return Cause(
        "mvn-without-variance",
        "mvn_param.eps",
        f"`eps: {spelled(eps)}` of `{layer.name}` leaves 0 / 0: {why}; leave `eps` out (1e-9), or write "
        "`normalize_variance: false`",
    )


@explains("LRN")
def _lrn(birth: Birth) -> Cause:
    step, layer, param = birth.step, birth.step.layer, birth.step.layer.param.lrn_param
    within = param.norm_region == 1
    low, high = lrn_scale(step)
    base = "1" if within else f"`k: {spelled(f32(param.k))}`"
    route = "lrn_param.alpha" if f32(param.alpha) < 0 else "lrn_param.k"
    if low > 0:
        words = (
            f"the running sum of `{layer.name}` along the channels loses {base} and the small squares "
            "beside a "
            f"large channel of `{layer.bottoms[0].name}`, and what is left when it leaves the window "
            "is 0 or below: "
            f"{birth.what}; scale the input down, or write a smaller `alpha`"
        )
        route = "lrn_param.alpha"
    else:
        words = (
            f"`{layer.name}` raises {base} + `alpha: {spelled(f32(param.alpha))}` times squares, which "
            "is between "
            f"{spelled(low)} and {spelled(high)}, to -`beta`: {birth.what} where it is 0 or below; write "
            + ("`alpha` above 0" if f32(param.alpha) < 0 else "`k: 1`")
        )
    return Cause("lrn-base", route, words)

"""BatchNorm, LRN, MVN and Softmax: settings that divide by 0 or take the root of a negative number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.float32 import f32
from nanlint.caffe.intervals import is_finite
from nanlint.caffe.model import TRAIN
from nanlint.caffe.transfer.normalization import global_statistics
from nanlint.findings import Effect, Problem
from nanlint.rules.causes import of_kind
from nanlint.rules.proof import spelled
from nanlint.rules.registry import ERROR, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net


@rule("NRM001", "batch-norm-without-variance", ERROR, effect=Effect.NON_FINITE)
def batch_norm_without_variance(net: Net) -> Iterator[Problem]:
    """BatchNorm surely divides by 0 or takes the root of a negative number.

    **In Caffe** BatchNorm divides by sqrt(variance + eps), and nothing checks `eps` (batch_norm_layer.cpp). The
    variance is 0 for a constant channel (dead ReLU below) and for one element a channel, and in phase TEST or with
    `use_global_stats` until statistics are stored.

    **Instead** leave `eps` out: 1e-5.
    """
    yield from of_kind(net, "batch-norm-without-variance")


@rule("NRM002", "lrn-base", ERROR, effect=Effect.NON_FINITE)
def lrn_base(net: Net) -> Iterator[Problem]:
    """LRN surely raises 0 or a negative number to a negative power.

    **In Caffe** y = x (k + alpha/size * sum of squares)^-beta (lrn_layer.cpp). `k: 0` meets windows of zeros, as
    after ReLU; a negative `alpha` or `k` makes the sum negative. WITHIN_CHANNEL ignores `k` and uses 1. The sum runs
    along the channels: a channel about 4100 sqrt(k size / alpha) or more in size swallows k, and 0 or rounding noise is
    left when it leaves the window.

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


@rule("NRM004", "softmax-of-infinity", ERROR, effect=Effect.NON_FINITE)
def softmax_of_infinity(net: Net) -> Iterator[Problem]:
    """A Softmax surely meets +infinity, or -infinity in all classes.

    **In Caffe** the maximum is subtracted first (softmax_layer.cpp), so that finite scores of any size are safe;
    infinity minus infinity is NaN.

    **Instead** keep the scores finite.
    """
    yield from of_kind(net, "softmax-of-infinity")


@rule("NRM005", "running-statistics", ERROR, effect=Effect.NON_FINITE, layers=("BatchNorm",))
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
        f"`moving_average_fraction: {spelled(fraction)}` of `{layer.name}` makes the running mean and variance NaN in "
        "the first iteration, and every test with them; write a fraction below 1",
        layer=layer.name,
        phase=layer.net.phase,
    )

"""Second moments in log space: how large the elements of a blob are, and how much of that they share.

Everything here is an estimate under the usual assumptions of initialisation theory (random weights,
many units); where an input is unknown the answer is None, and no function raises on overflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import acos, erf, exp, inf, log, log1p, pi, sin, sqrt
from typing import NamedTuple, TypeAlias


class Moment(NamedTuple):
    """The elements of a blob: `log` is ln E[x^2] (-inf: all zero).

    `common` is the share of E[x^2] that different samples of the batch have in common, E[x x'] / E[x^2];
    `mean` the share that is the square of the mean over all elements. Both between 0 and 1.
    """

    log: float
    common: float = 0.0
    mean: float = 0.0

    @property
    def rms(self) -> float:
        """The root mean square; inf where a double does not hold it."""
        return exponential(self.log / 2)

    def scaled(self, log_gain: float) -> Moment:
        """The moment of a blob whose E[x^2] is e^log_gain times as large."""
        return Moment(self.log + log_gain, self.common, self.mean)


Moments: TypeAlias = "Sequence[Moment | None]"
"""Of some blobs; None where it is unknown."""


class Weights(NamedTuple):
    """What a filler makes: ln E[w^2], and the share of it that is the squared mean."""

    log: float
    mean: float = 0.0


ZERO = Moment(-inf)


def logarithm(value: float) -> float:
    """ln of a number that can be 0."""
    return log(value) if value > 0 else -inf


def exponential(value: float) -> float:
    """e^value, inf where a double does not hold it."""
    return exp(value) if value < 709 else inf


def log_sum(*logs: float) -> float:
    """ln of the sum of e^x."""
    largest = max(logs, default=-inf)
    if largest in (-inf, inf):
        return largest
    return largest + log(sum(exp(x - largest) for x in logs))


def from_mean(mean: float, variance: float) -> Moment:
    """Independent elements with this mean and variance."""
    square = mean * mean + variance
    share = mean * mean / square if 0 < square < inf else 0.0
    return Moment(logarithm(square), share, share)


def share(part: float, whole: float) -> float:
    """e^(part - whole), kept between 0 and 1."""
    return min(1.0, exp(min(0.0, part - whole))) if whole > -inf else 0.0


def linear(moment: Moment, weights: Weights, fan_in: float) -> Moment:
    """The sum of `fan_in` products with independent weights."""
    if moment.log == -inf or weights.log == -inf or fan_in <= 0:
        return ZERO
    aligned = weights.mean * moment.mean * max(0.0, fan_in - 1)
    square = log(fan_in) + weights.log + moment.log + log1p(aligned)
    return Moment(square, moment.common, min(1.0, aligned / (1 + aligned)))


def add(*moments: Moment) -> Moment:
    """The sum of blobs that are independent but for their means."""
    logs = [moment.log for moment in moments]
    base = max(logs, default=-inf)
    if base in (-inf, inf):
        return Moment(base)
    relative = [exp(x - base) for x in logs]
    means = [sqrt(r * moment.mean) for r, moment in zip(relative, moments, strict=True)]
    cross = sum(means) ** 2 - sum(m * m for m in means)
    square = sum(relative) + cross
    common = sum(r * moment.common for r, moment in zip(relative, moments, strict=True)) + cross
    return Moment(base + log(square), min(1.0, common / square), min(1.0, sum(means) ** 2 / square))


def rectified(moment: Moment, slope: float = 0.0) -> Moment:
    """max(x, 0) + slope * min(x, 0) of a normal variable (Cho and Saul's arc-cosine kernel of degree 1)."""
    if moment.log in (-inf, inf):
        return moment
    m, s = sqrt(moment.mean), sqrt(1 - moment.mean)
    tail = _tail(m, s)
    density = exp(-((m / s) ** 2) / 2) / sqrt(2 * pi) if s > 0 else 0.0
    positive = tail + m * s * density
    above = m * tail + s * density
    square = positive + slope * slope * (1 - positive)
    average = above + slope * (m - above)
    mean = min(1.0, average * average / square) if square > 0 else 0.0
    kernel = arc_cosine(moment.common) * (1 - slope) ** 2 / 2 + slope * moment.common
    common = min(1.0, max(mean, kernel / square)) if square > 0 else 0.0
    return Moment(moment.log + logarithm(square), common, mean)


def active_share(moment: Moment) -> float:
    """The share of positive elements of a normal variable."""
    return _tail(sqrt(moment.mean), sqrt(1 - moment.mean))


def arc_cosine(correlation: float) -> float:
    """The correlation of two rectified normal variables, relative to their second moment."""
    angle = acos(max(-1.0, min(1.0, correlation)))
    return (sin(angle) + (pi - angle) * correlation) / pi


def same_sign(correlation: float) -> float:
    """How probable it is that a second sample is active where a first one is."""
    return 1 - acos(max(-1.0, min(1.0, correlation))) / pi


def saturating(moment: Moment, ceiling: float, gain: float) -> Moment:
    """An odd squashing function: slope sqrt(gain) at 0, E[y^2] at most `ceiling`."""
    if moment.log == -inf:
        return ZERO
    ratio = moment.log + log(gain / ceiling)
    return Moment(log(ceiling) + _logistic(ratio), moment.common, moment.mean)


def _logistic(x: float) -> float:
    return x - log1p(exp(x)) if x < 30 else 0.0


def _tail(m: float, s: float) -> float:
    return (1 + erf(m / s / sqrt(2))) / 2 if s > 0 else 1.0


def spread(moment: Moment) -> float:
    """ln of the part of E[x^2] that differs between samples."""
    return moment.log + logarithm(1 - moment.common)


def over_eps(log_variance: float, eps: float) -> float:
    """ln of v / (v + eps)."""
    if eps <= 0:
        return 0.0 if log_variance > -inf else -inf
    return -log_sum(0.0, log(eps) - log_variance) if log_variance > -inf else -inf


class Gradient(NamedTuple):
    """The gradient of one loss at a blob, for a unit gradient at the prediction of each sample.

    `log`: ln of its squared norm over the elements of one sample. `common`: the share that samples
    have in common, `flat` the share that the positions of a map have in common.
    """

    log: float
    common: float = 0.0
    flat: float = 0.0


def total(gradients: Sequence[Gradient]) -> Gradient:
    """The sum of gradients that have nothing to do with each other."""
    square = log_sum(*(gradient.log for gradient in gradients))
    if square == -inf or len(gradients) == 1:
        return gradients[0]
    parts = [exponential(gradient.log - square) for gradient in gradients]
    return Gradient(
        square,
        sum(part * gradient.common for part, gradient in zip(parts, gradients, strict=True)),
        sum(part * gradient.flat for part, gradient in zip(parts, gradients, strict=True)),
    )


def product(blobs: Sequence[Moment]) -> Moment:
    """The product of blobs, element by element."""
    common = mean = 1.0
    for moment in blobs:
        common, mean = common * moment.common, mean * moment.mean
    return Moment(sum(moment.log for moment in blobs), common, mean)


def times(top: Gradient, other: Moment | None) -> Gradient | None:
    """A gradient that is multiplied by another blob on its way."""
    if other is None:
        return None
    return Gradient(top.log + other.log, top.common * other.common, top.flat * other.mean)

"""The scale of everything in a net at initialisation: activations, losses, gradients, curvature.

Forward, E[x^2] goes from the data to the losses; backward, a unit gradient at each loss's prediction goes
to the weights. What cannot be known from the files stays unknown, and so does all that rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, log, sqrt
from typing import NamedTuple

from nanlint.analysis.scale_losses import Loss, losses, weighs
from nanlint.analysis.sources import known_moment
from nanlint.caffe.initial import initial_moment, known_shape
from nanlint.caffe.model import Blob, Layer, LearnedParam, Net, count, forgotten, kept
from nanlint.numbers.moments import Gradient, Moment, exponential, log_sum, total


class Pressure(NamedTuple):
    """What one loss does to one learned blob at the first iteration.

    `log_gradient`: ln of the squared norm of dL/dw, None where the loss's own gradient is unknown.
    `log_curvature`: ln of the largest second derivative of the loss along this blob, estimated.
    `log_reach`: ln of how far (squared norm, over a sample's prediction) a unit gradient at the
    prediction moves the prediction through this blob. `log_arrived`: ln of the squared norm of that
    unit gradient where it arrives, at the layer's top.
    """

    loss: Loss
    log_gradient: float | None
    log_curvature: float
    log_reach: float
    log_arrived: float


class Learned(NamedTuple):
    """One learned blob: how many weights, ln of their E[w^2] (None: unknown), and who presses on it.

    `log_input`, `log_output`: ln E[x^2] of what it multiplies and of what its layer makes.
    `fan_in`: how many inputs one output sums up.
    """

    param: LearnedParam
    elements: int
    log_weight: float | None
    fan_in: float
    outputs: int | None
    log_input: float
    log_output: float | None
    pressures: tuple[Pressure, ...]
    normalised: bool

    @property
    def log_gradient(self) -> float | None:
        """ln of the squared norm of the gradient of all losses together."""
        known = [pressure.log_gradient for pressure in self.pressures if pressure.log_gradient is not None]
        return log_sum(*known) if known and len(known) == len(self.pressures) else None


class Scale(NamedTuple):
    """The scale of a net. `gradients` has one mapping a loss; blobs that are missing are unknown."""

    net: Net
    moments: Mapping[Blob, Moment]
    losses: Sequence[Loss]
    gradients: Sequence[Mapping[Blob, Gradient]]
    learned: Sequence[Learned]
    complete: bool

    def moment(self, blob: Blob) -> Moment | None:
        return self.moments.get(blob)


def forget(net: Net) -> None:
    """Compute the scale of a net anew when it is asked for: its data has changed."""
    forgotten(net, scale_of)


@kept
def scale_of(net: Net) -> Scale:
    """The scale of a net, computed once."""
    moments: dict[Blob, Moment] = {}
    for layer in net.layers:
        known = [moments.get(blob) for blob in layer.bottoms]
        tops = zip(layer.tops, layer.facts.moments(layer, known), strict=True)
        moments.update({blob: moment for blob, moment in tops if moment is not None})
        if not layer.bottoms:
            moments.update({blob: read for blob in layer.tops if (read := known_moment(net, blob)) is not None})
    found = losses(net.layers, lambda layer, bottom: moments.get(layer.bottoms[bottom]))
    counted = sum(len(weighs(layer)) for layer in net.layers)
    gradients = [_descend(net, loss, moments) for loss in found]
    learned = [
        scaled
        for param in net.params
        if param.owner is None and (scaled := _learned(param, moments, found, gradients)) is not None
    ]
    return Scale(net, moments, found, gradients, learned, counted == len(found))


def _descend(net: Net, loss: Loss, moments: Mapping[Blob, Moment]) -> dict[Blob, Gradient]:
    """The gradient of one loss at every blob below it whose gradient is known."""
    arrived: dict[Blob, list[Gradient]] = {loss.layer.bottoms[0]: [Gradient(0.0, 1.0, 1.0)]}
    unknown: set[Blob] = set()
    done: dict[Blob, Gradient] = {}
    for layer in reversed(net.layers[: loss.layer.index]):
        reached = [blob for blob in layer.tops if blob in arrived or blob in unknown]
        if not reached:
            continue
        lost = any(blob in unknown for blob in reached)
        bottoms = [moments.get(blob) for blob in layer.bottoms]
        for blob in reached:
            if blob not in unknown:
                done[blob] = total(arrived[blob])
        parts = [] if lost else [layer.facts.carried_to(layer, bottoms, done[blob]) for blob in reached]
        for index, blob in enumerate(layer.bottoms):
            if index < len(layer.propagates) and not layer.propagates[index]:
                continue
            for carried in [part[index] for part in parts] if parts else [None]:
                if carried is None:
                    unknown.add(blob)
                elif carried.log > -inf:
                    arrived.setdefault(blob, []).append(carried)
    return done


def _learned(
    param: LearnedParam,
    moments: Mapping[Blob, Moment],
    found: Sequence[Loss],
    gradients: Sequence[Mapping[Blob, Gradient]],
) -> Learned | None:
    """What presses on one learned blob; None for blobs that no known gradient reaches."""
    layer = param.layer
    shape = known_shape(param)
    elements = count(shape)
    if not (layer.facts.multiplies or layer.facts.per_channel) or not elements or not layer.tops or shape is None:
        return None
    bottom, top = moments.get(layer.bottoms[0]), layer.tops[0]
    is_weight = param.index == 0 and layer.type != "Bias"
    if is_weight and bottom is None:
        return None
    source = bottom if is_weight and bottom is not None else Moment(0.0, 1.0, 1.0)
    fan = elements / shape[0] if is_weight and layer.type != "Scale" and shape[0] else 1.0
    pressures = [
        pressure
        for loss, reached in zip(found, gradients, strict=True)
        if top in reached and (pressure := _pressure(layer, loss, reached[top], source, fan)) is not None
    ]
    made = moments.get(top)
    weights = initial_moment(layer, param.index)
    return Learned(
        param,
        elements,
        weights.log if weights else None,
        fan,
        count(top.shape, 1) if top.shape else None,
        source.log,
        made.log if made else None,
        tuple(pressures),
        _normalised(layer),
    )


def _pressure(layer: Layer, loss: Loss, arrived: Gradient, source: Moment, fan: float) -> Pressure | None:
    shape = layer.tops[0].shape
    batch = shape[0] if shape else None
    positions = count(shape, 2) if shape and len(shape) > 2 else 1
    if positions is None:
        if arrived.flat > 0 and source.common > 0:
            return None
        positions = 1
    samples = batch or 1
    aligned = 1 + (positions - 1) * arrived.flat
    scattered = (1 + sqrt(fan / (samples * positions))) ** 2
    per_unit = source.common * fan * aligned + (1 - source.common) * scattered
    reach = arrived.log + source.log + log(per_unit)
    return Pressure(
        loss,
        _log_gradient(loss, arrived, source, fan, samples, positions),
        loss.log_curvature + reach,
        reach,
        arrived.log,
    )


def _log_gradient(
    loss: Loss, arrived: Gradient, source: Moment, fan: float, samples: int, positions: int
) -> float | None:
    """ln of the squared norm of dL/dw: samples and positions add up squared, and in full where they agree."""
    if loss.log_gradient is None:
        return None
    alike = arrived.common * loss.pull.common * source.common
    flat = arrived.flat * source.common
    together = (samples - 1) * alike + (positions - 1) * flat + (samples - 1) * (positions - 1) * alike * flat
    return loss.log_gradient + arrived.log + source.log + log(samples * fan) + log(1 + together)


def _normalised(layer: Layer) -> bool:
    """Whether a BatchNorm takes the scale of this layer's top away."""
    blob = layer.tops[0]
    while len(blob.consumers) == 1:
        reader = blob.consumers[0][0]
        if reader.facts.normalises:
            return not reader.param.batch_norm_param.use_global_stats
        if not reader.facts.per_channel or reader is layer:
            return False
        blob = reader.tops[0]
    return False


def first_loss(scale: Scale) -> float | None:
    """The expected loss of the first iteration; None where one of the losses is unknown."""
    values = [loss.value for loss in scale.losses]
    if not scale.complete or not values or None in values:
        return None
    return sum(value for value in values if value is not None)


def shared_gradient(scale: Scale) -> tuple[Learned, list[tuple[Loss, float]]] | None:
    """The lowest weights that several losses press on, and each loss's share of their squared gradient."""
    for learned in scale.learned:
        pulls = [(pressure.loss, pressure.log_gradient) for pressure in learned.pressures]
        whole = learned.log_gradient
        if len(pulls) > 1 and whole is not None and whole > -inf:
            return learned, [(loss, exponential(pull - whole)) for loss, pull in pulls if pull is not None]
    return None

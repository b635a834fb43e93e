"""How large the values of data layers are: as they were read, or as the caller says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.caffe.layers.source_layers import pixels
from nanlint.numbers.moments import Moment, from_mean, logarithm

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Net
    from nanlint.data.records import Channel

ALIKE = 0.15
"""The share of a channel's variance that all samples have in common: a mean image is no flat grey."""


def known_moment(net: Net, blob: Blob) -> Moment | None:
    """The moment of a source's top where its data was read, its range was given, or a fork transforms images to it."""
    fed = net.fed.get(blob.name)
    if fed is not None and fed.channels:
        return _of_channels(fed.channels)
    if fed is not None and fed.labels is not None:
        return _of_labels(fed.labels)
    given = net.given_ranges.get(blob.name)
    if given is None:
        layer = blob.producer
        transformed = blob.top_index == 0 and layer.param.HasField("transform_param")
        return pixels(layer) if transformed and not layer.facts.holds_pixels else None
    low, high = given
    mean, variance = (low + high) / 2, (high - low) ** 2 / 12
    return _moment(mean * mean + variance, mean * mean, mean)


def _of_channels(channels: tuple[Channel, ...]) -> Moment | None:
    held = [one for one in channels if one.number]
    if not held:
        return None
    square = sum(one.mean**2 + one.std**2 for one in held) / len(held)
    flat = sum(one.mean**2 for one in held) / len(held)
    return _moment(square, flat, sum(one.mean for one in held) / len(held))


def _of_labels(labels: Channel) -> Moment:
    """Labels have nothing in common but their mean."""
    return from_mean(labels.mean, labels.std**2)


def _moment(square: float, flat: float, mean: float) -> Moment:
    if not square > 0:
        return Moment(logarithm(square), 1.0, 1.0)
    common = flat / square
    return Moment(logarithm(square), common + ALIKE * (1 - common), mean * mean / square)

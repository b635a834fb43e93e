"""How large targets are that a net makes of the class numbers of its images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.numbers.moments import Moment, from_mean

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Net

_FEWEST = 2


def class_numbers(blob: Blob) -> Moment | None:
    """The moment of a label, or of what Power layers make of one; None for any other blob.

    Class numbers are taken to be spread evenly over as many classes as the net's classifiers of that label
    have: of a label as it stands nothing is said where there is no classifier, and two where a Power is.
    """
    factor, offset, made = 1.0, 0.0, blob
    while made.producer.type == "Power" and made.producer.bottoms and made.producer.param.power_param.power == 1:
        param = made.producer.param.power_param
        factor, offset = factor * param.scale, offset + factor * param.shift
        made = made.producer.bottoms[0]
    if not made.producer.facts.labels_on_top or made.top_index != 1:
        return None
    classes = _classes(made.producer.net, made)
    if classes is None and made is blob:
        return None
    last = (classes or _FEWEST) - 1
    return from_mean(factor * last / 2 + offset, factor**2 * last * (last + 2) / 12)


def _classes(net: Net, label: Blob) -> int | None:
    """How many scores the classifier has whose loss reads the label."""
    for layer in net.layers:
        reads = layer.type == "SoftmaxWithLoss" and len(layer.bottoms) > 1 and layer.bottoms[1] is label
        scores = layer.bottoms[0].shape if reads else None
        if scores is not None and len(scores) > 1 and scores[1]:
            return scores[1]
    return None

"""A net whose images are of unknown size, tried with sizes that images have."""

from __future__ import annotations

from typing import NamedTuple

from nanlint.analysis.trial import Trial
from nanlint.caffe.model import Blob, Layer, Net, Shape
from nanlint.findings import Problem

SIZES = ((256, 256), (320, 480), (384, 384), (375, 500), (512, 512), (513, 513), (600, 800))
"""Height and width; some divide by 32, some do not."""
_RESIZING = frozenset({"Crop", "Deconvolution", "Interp", "Upsample", "Resize"})
_IMAGES = 4
_KINDS = ("shape-mismatch", "negative-size")


class Misfit(NamedTuple):
    """A layer that is refused at every size; the problem at the last one, and the shapes of the sources there."""

    layer: Layer
    problem: Problem
    size: tuple[int, int]
    given: dict[Blob, Shape]


def misfit(net: Net) -> Misfit | None:
    """The first layer that fits no size of image; None where one is fitting, or the files tell the size."""
    if net.refused or not any(layer.type in _RESIZING for layer in net.layers):
        return None
    open_ones = [blob for layer in net.layers if not layer.bottoms for blob in layer.tops[:1] if _is_open(blob)]
    found: Misfit | None = None
    for size in SIZES if open_ones else ():
        given: dict[Blob, Shape] = {blob: (*(blob.shape or ())[:2], *size) for blob in open_ones}
        trial = Trial(net, {}, shapes=dict(given)).run()
        if not trial.refused or trial.problems[0].kind not in _KINDS:
            return None
        if found is not None and trial.refused[0] is not found.layer:
            return None
        found = Misfit(trial.refused[0], trial.problems[0], size, given)
    return found


def _is_open(blob: Blob) -> bool:
    shape = blob.shape
    return shape is not None and len(shape) == _IMAGES and shape[2:] == (None, None)

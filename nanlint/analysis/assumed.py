"""What a training net reads where its files do not say: assumed, and said to be assumed.

The net is built once more with the shapes that its data most likely has. Nothing that rests on it is certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from nanlint.caffe.layers.source_layers import BYTE_MEAN, BYTE_STD, transformation
from nanlint.caffe.model import Layer, Net, Shape, Solver
from nanlint.caffe.net import build
from nanlint.caffe.options import Options
from nanlint.caffe.upgrade import upgrade_net

DATASETS: tuple[tuple[str, int, int], ...] = (
    ("mnist", 1, 28),
    ("cifar|svhn", 3, 32),
    ("imagenet|ilsvrc|alexnet|caffenet|googlenet|vgg|resnet|squeezenet|inception|mobilenet", 3, 224),
)
"""Words in names and paths, and the channels and the side of the images that go with them."""
SIDES = (32, 224)
"""Sides of images that nothing speaks of: the smallest for which the net can be built."""
COLOURS = 3
BATCH = 32


class Assumed(NamedTuple):
    """The net with assumed shapes (the net itself where none is missing), and what was assumed."""

    net: Net
    assumptions: tuple[str, ...]


def assume(solver: Solver, net: Net) -> Assumed:
    """The net with the data that it most likely has."""
    pixels = tuple(
        f"`{layer.tops[0].name}` holds the pixels of natural images, mean {BYTE_MEAN:g} and deviation {BYTE_STD:g}"
        for layer in net.layers
        if _brings_images(layer) and not _measured(net, layer.tops[0].name)
    )
    missing = [layer for layer in net.layers if _is_open(layer)]
    if not missing or net.origin is not None:
        return Assumed(net, pixels)
    for channels, side in _images(solver, net, missing):
        shapes = {layer.tops[0].name: _filled(layer, channels, side) for layer in missing}
        made = build(net.bound, upgrade_net(net.bound), net.state, Options(inputs=shapes))
        if not made.refused:
            made.trained, made.role, made.fresh, made.iterations = net.trained, net.role, net.fresh, net.iterations
            made.fed, made.given_ranges = net.fed, net.given_ranges
            sizes = (f"`{name}` is {' x '.join(map(str, shape or ()))}" for name, shape in shapes.items())
            return Assumed(made, (*sizes, *pixels))
    return Assumed(net, pixels)


def _measured(net: Net, name: str) -> bool:
    fed = net.fed.get(name)
    return name in net.given_ranges or (fed is not None and fed.channels is not None)


def _is_open(layer: Layer) -> bool:
    """Whether a layer brings images of unknown size."""
    return _brings_images(layer) and (layer.tops[0].shape is None or None in layer.tops[0].shape)


def _brings_images(layer: Layer) -> bool:
    """Whether a layer reads images: Caffe's own do, and those of forks that transform them."""
    if layer.bottoms or not layer.tops:
        return False
    return layer.facts.holds_pixels or layer.param.HasField("transform_param")


def _images(solver: Solver, net: Net, missing: list[Layer]) -> Iterator[tuple[int, int]]:
    """Channels and sides to try: as names and paths speak of them, else the smallest that the net can read."""
    sources = [layer.param.data_param.source for layer in missing]
    words = " ".join((net.param.name, net.path, solver.path, *sources))
    for names, channels, side in DATASETS:
        if re.search(names, words.lower()):
            yield channels, side
    yield from ((COLOURS, side) for side in SIDES)


def _filled(layer: Layer, channels: int, side: int) -> Shape:
    """The shape of a layer's images, with what is known of it."""
    known = layer.tops[0].shape or ()
    crop = transformation(layer).crop_size or side
    blocks = (layer.param.data_param, layer.param.image_data_param, layer.param.window_data_param)
    batch = next((block.batch_size for block in blocks if block.HasField("batch_size") and block.batch_size), BATCH)
    likely = (batch, channels, crop, crop)
    given = (*known, *(None,) * (len(likely) - len(known)))
    return tuple(size or guess for size, guess in zip(given, likely, strict=False))

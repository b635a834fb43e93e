"""How large a training net's pictures are, where its files leave it open and yet tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from nanlint.caffe.model import Layer

COLOUR, GREY = 3, 1

_SEPARATE = re.compile(r"[^a-z]+")
# public data sets by the words of their paths
_IN_COLOUR = frozenset(
    """
    imagenet ilsvrc cifar coco mscoco voc pascal places flickr celeba svhn cityscapes ucf hmdb kitti camvid lsun
    vgg wider widerface lfw ade oxford bgr rgb color colour
    """.split()
)
_SIZES = {"mnist": 28, "emnist": 28, "cifar": 32, "svhn": 32, "usps": 16}
_IN_GREY = frozenset("mnist usps emnist grey gray grayscale greyscale".split())


def likely_channels(source: Layer) -> tuple[int, str] | None:
    """The channels that a data layer most likely gives, and the words for why; None where nothing tells."""
    transform = source.param.transform_param
    if transform.force_gray or transform.force_color:
        return (GREY, "`force_gray: true`") if transform.force_gray else (COLOUR, "`force_color: true`")
    if len(transform.mean_value) > 1:
        return len(transform.mean_value), f"{len(transform.mean_value)} `mean_value`"
    for block in _blocks(source):
        if any(field.name == "is_color" for field, _ in block.ListFields()):
            colour: bool = block.is_color  # type: ignore[attr-defined]
            return COLOUR if colour else GREY, f"`is_color: {str(colour).lower()}`"
    for path in _paths(source):
        words = set(_SEPARATE.split(path.lower()))
        grey, colour_words = words & _IN_GREY, words & _IN_COLOUR
        if bool(grey) != bool(colour_words):
            return (GREY if grey else COLOUR), f'pictures as in "{path}"'
    return None


def likely_size(source: Layer) -> int | None:
    """The height and width of the pictures of a public data set that comes in one size, by the words of its path."""
    words = {word for path in _paths(source) for word in _SEPARATE.split(path.lower())}
    sizes = {size for word, size in _SIZES.items() if word in words}
    return sizes.pop() if len(sizes) == 1 else None


def _blocks(layer: Layer) -> list[Message]:
    return [value for field, value in layer.param.ListFields() if field.message_type and not field.is_repeated]


def _paths(layer: Layer) -> list[str]:
    """The files that a data layer names."""
    found = []
    for block in _blocks(layer):
        for field, value in block.ListFields():
            if field.name in ("source", "mean_file", "root_folder", "root_dir") and isinstance(value, str):
                found.append(value)
    return found

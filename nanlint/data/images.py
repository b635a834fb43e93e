"""Images as OpenCV would hand them to Caffe: bytes by channel, blue first."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

    from nanlint.data.arrays import Array

MOST_BYTES = 1 << 30
"""A declared size beyond this is a fault, not an allocation."""

AS_STORED, COLOUR, GREY = "as stored", "colour", "grey"


class UndecodableError(Exception):
    """OpenCV would not give an image of 8-bit numbers; says why."""


def decode(data: bytes, wanted: str = AS_STORED) -> tuple[Array, bool]:
    """channels x height x width of bytes; and whether the file is cut, so that its rest is made up (JPEG).

    Raises UndecodableError.
    """
    from PIL import Image, ImageFile

    if not data:
        raise UndecodableError("it is empty")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data))
            width, height = image.size
            if width * height * 4 > MOST_BYTES:
                raise UndecodableError(f"it claims {width} x {height} pixels")
            cut = False
            try:
                image.load()
            except OSError as wrong:
                if image.format != "JPEG":
                    raise UndecodableError(_reason(wrong)) from wrong
                cut = True
                image = Image.open(io.BytesIO(data))
                ImageFile.LOAD_TRUNCATED_IMAGES = True
                try:
                    image.load()
                finally:
                    ImageFile.LOAD_TRUNCATED_IMAGES = False
            return _channels(image, wanted), cut
        except UndecodableError:
            raise
        except Exception as wrong:  # decoders raise whatever they like on foreign bytes
            raise UndecodableError(_reason(wrong)) from wrong


def size_of(data: bytes) -> tuple[int, int]:
    """Height and width from the header of an image. Raises UndecodableError."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            width, height = Image.open(io.BytesIO(data)).size
        except Exception as wrong:
            raise UndecodableError(_reason(wrong)) from wrong
    return height, width


def _channels(image: Image.Image, wanted: str) -> Array:
    mode = image.mode
    if mode.startswith(("I", "F")):
        if wanted == AS_STORED:
            raise UndecodableError(f"its numbers are no bytes (mode {mode})")
        scaled = np.asarray(image) >> 8 if mode.startswith("I") else np.asarray(image)
        grey = scaled.clip(0, 255).astype(np.uint8)
        return np.repeat(grey[None], 3 if wanted == COLOUR else 1, axis=0)
    if wanted == GREY or (wanted == AS_STORED and mode in ("1", "L")):
        return np.asarray(image.convert("L"))[None]
    alpha = wanted == AS_STORED and (mode in ("LA", "RGBA", "PA", "La", "RGBa") or "transparency" in image.info)
    pixels = np.asarray(image.convert("RGBA" if alpha else "RGB"))
    blue_first = pixels[:, :, [2, 1, 0, 3]] if alpha else pixels[:, :, ::-1]
    return blue_first.transpose(2, 0, 1)


def _reason(wrong: Exception) -> str:
    """Words without what changes from run to run."""
    words = str(wrong).split("<_io", 1)[0].strip() or type(wrong).__name__
    return words[:1].lower() + words[1:]


def as_web_page(data: bytes) -> bool:
    """Whether bytes begin like an HTML page, as a failed download leaves it."""
    start = data[:256].lstrip().lower()
    return start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head"))

"""Log files: read whole, or followed while a run goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nanlint.logs.decode import Decoder
from nanlint.logs.model import Log
from nanlint.logs.reader import Reader

_PIECE = 1 << 20


def read(path: str, progress: Callable[[int], object] | None = None) -> Log:
    """A log file. `progress` is told the bytes of each piece that has been read. Raises OSError."""
    decoder, reader = Decoder(), Reader(path)
    with Path(path).open("rb") as file:
        while data := file.read(_PIECE):
            for line in decoder.feed(data):
                reader.feed(line)
            if progress is not None:
                progress(len(data))
    for line in decoder.end():
        reader.feed(line)
    log = reader.close()
    log.encoding = decoder.encoding
    return log

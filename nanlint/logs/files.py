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


class Tail:
    """A log file that grows. `log` holds what its whole lines say so far."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._begin()

    def _begin(self) -> None:
        self._position = 0
        self._decoder, self._reader = Decoder(), Reader(self.path)

    @property
    def log(self) -> Log:
        return self._reader.log

    def more(self) -> bool:
        """Read what has been added: whether the file began anew, cut short or replaced. Raises OSError."""
        with Path(self.path).open("rb") as file:
            anew = file.seek(0, 2) < self._position
            if anew:
                self._begin()
            file.seek(self._position)
            while data := file.read(_PIECE):
                self._position += len(data)
                for line in self._decoder.feed(data):
                    self._reader.feed(line)
        for line in self._decoder.settle():
            self._reader.feed(line)
        return anew

    def close(self) -> Log:
        """The log as it stands, its last half line included."""
        for line in self._decoder.end():
            self._reader.feed(line)
        log = self._reader.close()
        log.encoding = self._decoder.encoding
        return log

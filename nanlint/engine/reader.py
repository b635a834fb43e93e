"""Files read and parsed once in a run, under the path by which the user knows them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from nanlint.engine.files import STDIN
from nanlint.text.parser import parse
from nanlint.text.source import Source
from nanlint.text.tree import Document


class Reader:
    """Gives the document of a path. A file that two paths lead to is one document.

    `given` are the paths of the call: a file among them is shown under the path given, any other
    relative to the working directory. `stdin` is what `-` holds, shown as `stdin_name`.
    """

    def __init__(self, given: Iterable[str] = (), stdin: bytes = b"", stdin_name: str | None = None) -> None:
        self._stdin_name = stdin_name or "<stdin>"
        self._documents: dict[str, Document] = {}
        self._shown: dict[str, str] = {}
        for path in given:
            self._shown.setdefault(self.identity(path), self._stdin_name if path == STDIN else path)
        if STDIN in given:
            self._documents[self.identity(STDIN)] = parse(Source.decode(self._stdin_name, stdin))

    def __call__(self, path: str | Path) -> Document:
        """The document of a file. Raises OSError where it cannot be read, ValueError for a path with a NUL."""
        identity = self.identity(str(path))
        if identity not in self._documents:
            self._documents[identity] = parse(Source.decode(self.shown(path), Path(path).read_bytes()))
        return self._documents[identity]

    def __iter__(self) -> Iterator[Document]:
        """What has been read so far."""
        return iter(self._documents.values())

    def identity(self, path: str) -> str:
        """What two paths to one file have in common."""
        return os.path.realpath(self._stdin_name if path == STDIN else path)

    def shown(self, path: str | Path) -> str:
        """How the user knows a file."""
        given = self._shown.get(self.identity(str(path)))
        if given is not None:
            return given
        relative = os.path.relpath(path)
        return str(path) if relative.startswith(os.pardir) else relative

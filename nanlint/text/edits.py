"""Edits to a file: several at once, none upon another, and the file whole at every moment."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from nanlint.text.lexer import encoded
from nanlint.text.source import Place, Source


class Replacement(Protocol):
    """Text to put where `place` stands now."""

    @property
    def place(self) -> Place: ...

    @property
    def text(self) -> str: ...


AnyReplacement = TypeVar("AnyReplacement", bound=Replacement)


class Edited(NamedTuple):
    """The text after the edits, and how many groups of them went in."""

    text: str
    applied: int


def apply_edits(source: Source, groups: Iterable[Sequence[Replacement]]) -> Edited:
    """Apply groups of edits to a source's text, each group wholly or not at all.

    A group that touches what an earlier one changed is left out (run again to have it), one equal to an
    earlier one counts as applied. Every edit must be in `source`; ValueError otherwise.
    """
    chosen: dict[tuple[int, int], str] = {}
    applied = 0
    for group in groups:
        wanted = {}
        for edit in group:
            if edit.place.source.path != source.path:
                raise ValueError(f"{edit.place} is not in {source.path}")
            wanted[edit.place.span.start, edit.place.span.end] = edit.text
        fresh = {span: text for span, text in wanted.items() if chosen.get(span) != text}
        if not any(_touch(span, other) for span in fresh for other in chosen):
            chosen.update(fresh)
            applied += 1
    parts = []
    at = 0
    for (start, end), text in sorted(chosen.items()):
        parts += [source.text[at:start], text]
        at = end
    return Edited("".join([*parts, source.text[at:]]), applied)


def _touch(one: tuple[int, int], other: tuple[int, int]) -> bool:
    if one[0] == other[0]:
        return True
    return one[0] < other[1] and other[0] < one[1]


def write_text(path: Path, text: str) -> None:
    """Replace a file's content in one step: a reader sees the old text or the new one, never a part.

    The file's mode is kept, a symbolic link stays one, line endings and bytes that are not UTF-8 are those of
    `text`. Raises OSError, and then leaves the file as it was.
    """
    target = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(encoded(text))
        shutil.copymode(target, name)
        os.replace(name, target)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise

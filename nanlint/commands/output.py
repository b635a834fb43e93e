"""Where a command's result goes: to standard output, or to a file that the call names."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from nanlint.commands.console import show
from nanlint.config import UsageError
from nanlint.options import Option
from nanlint.text.lexer import encoded

Output = Annotated[str | None, Option("--output -o", "FILE", "Write to this file, not to standard output.")]


def deliver(text: str, output: str | None, inputs: Sequence[str] = ()) -> None:
    """Print a text, or write it to a file in one step: a reader sees the former file or the whole new one.

    Raises UsageError where the file is one of the call's `inputs`, or cannot be written.
    """
    if output is None:
        show([text.removesuffix("\n")])
        return
    target = os.path.realpath(output)
    if target in map(os.path.realpath, inputs):
        raise UsageError(f"`{output}` is read by this call, and is not written over; name another file")
    try:
        _replace(Path(target), encoded(text))
    except OSError as wrong:
        raise UsageError(f"cannot write `{output}`: {(wrong.strerror or str(wrong)).lower()}") from wrong


def _replace(target: Path, data: bytes) -> None:
    """Raises OSError, and then leaves what is there as it was."""
    if target.exists() and not target.is_file():
        raise OSError(None, "it is no regular file")
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        part.chmod(mode)
        part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

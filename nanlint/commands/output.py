"""Where a command's result goes: to standard output, or to a file that the call names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated

from nanlint.commands.console import write
from nanlint.config import UsageError
from nanlint.options import Option
from nanlint.safety.reading import reason
from nanlint.safety.writing import replace_file
from nanlint.text.lexer import encoded

Output = Annotated[str | None, Option("--output -o", "FILE", "Write to this file, not to standard output.")]


def deliver(text: str, output: str | None, inputs: Sequence[str] = ()) -> None:
    """Print a text, or write it to a file in one step: a reader sees the former file or the whole new one.

    Raises UsageError where the file is one of the call's `inputs`, or cannot be written.
    """
    if output is None:
        write([text.removesuffix("\n")])
    else:
        deliver_bytes(encoded(text), output, inputs)


def deliver_bytes(data: bytes, output: str, inputs: Sequence[str] = ()) -> None:
    """Write a file in one step. Raises UsageError as `deliver` does."""
    target = os.path.realpath(output)
    if target in map(os.path.realpath, inputs):
        raise UsageError(f"`{output}` is read by this call, and is not written over; name another file")
    try:
        replace_file(target, data)
    except OSError as wrong:
        raise UsageError(f"cannot write `{output}`: {reason(wrong)}") from wrong

"""Bugs of nanlint's, said in one line."""

from __future__ import annotations

from pathlib import Path


def internal_error(what: str, path: str, error: Exception) -> str:
    """`internal error: rule LR001 broke on `x`: ...`, with the line that raised."""
    from traceback import extract_tb

    last = extract_tb(error.__traceback__)[-1]
    return (
        f"internal error: {what} broke on `{path}`: {type(error).__name__}: {error} "
        f"({Path(last.filename).name}:{last.lineno}); everything else was checked. Please report this"
    )

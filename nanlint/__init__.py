"""nanlint: reads Caffe solvers and nets before they run, and says where they break."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanlint.api import check as check
    from nanlint.api import load as load

__version__ = "0.1.0"

SITE = "https://nanlint.github.io/nanlint"
"""Where the documentation is published."""


def __getattr__(name: str) -> object:
    """`nanlint.check` and `nanlint.load`, imported when they are used."""
    if name in ("check", "load"):
        from importlib import import_module

        return getattr(import_module("nanlint.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

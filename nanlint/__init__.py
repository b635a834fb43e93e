"""nanlint: reads Caffe solvers and nets before they run, and says where they break."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanlint.api import (
        Effect,
        Finding,
        Fix,
        Layer,
        Net,
        Problem,
        Report,
        Severity,
        Solver,
        check,
        finding,
        load,
        rule,
    )

__all__ = [
    "Effect",
    "Finding",
    "Fix",
    "Layer",
    "Net",
    "Problem",
    "Report",
    "Severity",
    "Solver",
    "check",
    "finding",
    "load",
    "rule",
]

__version__ = "0.1.0"

SITE = "https://nanlint.github.io/nanlint"
"""Where the documentation is published."""


def __getattr__(name: str) -> object:
    """The names of `nanlint.api`, imported when they are used."""
    if name in __all__:
        from importlib import import_module

        return getattr(import_module("nanlint.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

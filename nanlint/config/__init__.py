"""What a run is asked to do, and the file in which a project says so once."""

from __future__ import annotations

from nanlint.config.file import load, nearest, nearest_here, read
from nanlint.config.settings import (
    DATA,
    OFF,
    SEVERITIES,
    Settings,
    UsageError,
    merge,
    parse_input,
    parse_range,
    suggestion,
)

__all__ = [
    "DATA",
    "OFF",
    "SEVERITIES",
    "Settings",
    "UsageError",
    "load",
    "merge",
    "nearest",
    "nearest_here",
    "parse_input",
    "parse_range",
    "read",
    "suggestion",
]

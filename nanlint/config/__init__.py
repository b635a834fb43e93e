"""What a run is asked to do, and the file in which a project says so once."""

from __future__ import annotations

from nanlint.config.file import load, nearest, read
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
    "parse_input",
    "parse_range",
    "read",
    "suggestion",
]

"""The JSON Schema of a configuration file, for editors."""

from __future__ import annotations

from typing import Any

from nanlint import SITE
from nanlint.config.keys import KEYS


def schema() -> dict[str, Any]:
    """JSON Schema (draft 7, which the TOML extensions of editors read) of `nanlint.toml` and `[tool.nanlint]`."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"{SITE}/nanlint.schema.json",
        "title": "nanlint",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {**key.schema, "description": key.help} for name, key in KEYS.items()},
    }

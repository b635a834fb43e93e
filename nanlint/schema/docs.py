"""What the schema says of a field, in words: the comments of `proto/caffe.proto`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path


def comment(name: str) -> str:
    """The words on a message, field, enum or enum value (`PoolingParameter.stride`); "" if there are none."""
    return _comments().get(name, "")


@cache
def _comments() -> dict[str, str]:
    table: dict[str, str] = json.loads(Path(__file__).with_name("caffe_docs.json").read_bytes())
    return table

"""Which Caffe will read the files."""

from __future__ import annotations

from enum import Enum


class Dialect(Enum):
    """ANY: whatever a known fork accepts is accepted. BVLC: exactly BVLC Caffe 1.0."""

    ANY = "any"
    BVLC = "bvlc"

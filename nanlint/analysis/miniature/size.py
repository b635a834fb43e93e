"""How many units and positions stand for those of a layer, and what cannot be made smaller."""

from __future__ import annotations

from nanlint.caffe.model import Shape, count

UNITS = 24
"""Units of a layer. 16 and 40 place the edge no better than 24 does, on the nets of benchmarks/rates.py."""
POSITIONS = 4
"""Positions of a map; what agrees over a map of more is made up for in the rate."""
JOINED = 96
"""Units that are kept where blobs are joined: each layer of a DenseNet adds some."""
CLASSES = 64
"""Scores of a loss; of more classes only so many are kept."""


class UnsupportedError(Exception):
    """No miniature can be made; says of which layer, and why."""


def positions_of(shape: Shape) -> int:
    """Positions that stand for a map."""
    if shape is None or len(shape) < 3:
        return 1
    return max(1, min(POSITIONS, count(shape, 2) or POSITIONS))

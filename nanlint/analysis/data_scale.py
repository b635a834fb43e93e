"""Whether the scale of a net's data is what makes its rate too high."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nanlint.analysis.risk import risk_of
from nanlint.analysis.scale import forget
from nanlint.data.records import Channel, Fed

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Net, Solver


_STEEP = 7.0
"""ln of how far beyond stability the first steps are where a loss at its ceiling keeps them from growing; published
nets that trained stay below 5.
"""


def rms_of(fed: Fed) -> float | None:
    """The root mean square of what a data layer hands to a top; None where it is not known."""
    channels = [one for one in fed.channels or () if one.number]
    if not channels:
        return None
    return math.sqrt(sum(one.mean**2 + one.std**2 for one in channels) / len(channels))


def too_high_by_scale(solver: Solver, net: Net, blob: Blob) -> bool:
    """Whether the rate is too high for the data as it is, and would not be for the same data at a scale of 1."""
    fed = net.fed.get(blob.name)
    rms = rms_of(fed) if fed is not None else None
    if fed is None or not rms or not _too_high(solver, net):
        return False
    before = net.fed
    net.fed = {**before, blob.name: _divided(fed, rms)}
    forget(net)
    try:
        return not _too_high(solver, net)
    finally:
        net.fed = before
        forget(net)


def _too_high(solver: Solver, net: Net) -> bool:
    risk = risk_of(solver, net)
    return risk is not None and (risk.figure > risk.alarm or risk.steepness > _STEEP)


def _divided(fed: Fed, by: float) -> Fed:
    channels = tuple(
        Channel(one.number, one.low / by, one.high / by, one.mean / by, one.std / by) for one in fed.channels or ()
    )
    return fed._replace(channels=channels)

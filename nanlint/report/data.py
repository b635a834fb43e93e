"""Accounts of data, means and weights: as JSON, and for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from nanlint import __version__
from nanlint.data.beside import DATA, Source
from nanlint.data.records import Channel, Top
from nanlint.findings import Report
from nanlint.report.json import encode, finding_object, summary_object

MOST_LABELS = 1000


def dumps(sources: Sequence[Source], report: Report) -> str:
    return encode(
        {
            "version": 1,
            "tool": {"name": "nanlint", "version": __version__},
            "sources": [_source(source) for source in sources],
            "summary": summary_object(report),
            "findings": [finding_object(finding) for finding in report.findings],
        }
    )


def _source(source: Source) -> dict[str, Any]:
    account = source.account
    found: dict[str, Any] = {
        "layer": source.layer.name if source.layer is not None else None,
        "phase": source.phase,
        "kind": account.kind,
        "source": source.name,
        "path": account.path or None,
        "state": account.state,
        "whole": account.whole,
        "read": account.read,
        "records": account.records,
        "seconds": round(account.seconds, 1),
    }
    if account.kind in DATA or account.kind in ("mean", "matrix"):
        found |= _numbers(source, account.tops)
    if account.boxes is not None:
        found["boxes"] = {f"{label:g}": number for label, number in account.boxes.items()}
    return found


def _numbers(source: Source, tops: Sequence[Top]) -> dict[str, Any]:
    """Shapes and figures of the first top, and the labels: the second top's, or the first's where it holds some."""
    account, first = source.account, tops[0] if tops else Top("")
    labels = tops[1] if len(tops) > 1 else first
    found: dict[str, Any] = {
        "shapes": sorted(list(shape) for shape in first.shapes),
        "dtype": first.dtype or None,
        "encoded": account.encoded,
        **_figures(first.channels),
        "nonfinite": first.nonfinite,
        "after_transform": _figures(first.after) or None,
    }
    if labels.values is not None and len(labels.values) <= _MOST_COUNTED:
        kept = list(labels.values.items())[:MOST_LABELS]
        found["labels"] = {f"{value:g}": number for value, number in kept}
        found["labels_other"] = sum(labels.values.values()) - sum(number for _, number in kept)
    if labels.falls is not None and labels.values is not None:
        found["sorted"] = not labels.falls and len(labels.values) > 1
    found["tops"] = [_top(top) for top in tops]
    return found


def _top(top: Top) -> dict[str, Any]:
    return {
        "blob": top.name,
        "shapes": sorted(list(shape) for shape in top.shapes),
        "dtype": top.dtype or None,
        **_figures(top.channels),
        "nonfinite": top.nonfinite,
    }


def _figures(channels: Sequence[Channel] | None) -> dict[str, Any]:
    """A list a figure, a number a channel; none where the number of channels varies."""
    if channels is None:
        return {}
    columns = zip(*((one.low, one.high, one.mean, one.std) for one in channels), strict=True)
    return dict(zip(("min", "max", "mean", "std"), ([_finite(x) for x in one] for one in columns), strict=False))


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


_MOST_COUNTED = 100_000
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_BAR, _MOST_BARS = 32, 12


def lines(sources: Sequence[Source], bars: bool) -> Iterator[str]:
    """A paragraph a source; with `bars` histograms of labels and values."""
    for source in sources:
        yield _heading(source)
        yield from (f"  {line}" for line in _body(source, bars))
        yield ""


def _heading(source: Source) -> str:
    account = source.account
    where = f" (layer `{source.layer.name}`, {source.phase})" if source.layer is not None else ""
    return f"{account.kind} {source.name}{where}: {_state(source)}"


def _state(source: Source) -> str:
    account = source.account
    if account.state == "absent":
        return "not on this machine"
    if account.state == "refused":
        return f"refused: {account.faults[0].words}" if account.faults else "refused"
    if account.kind in ("mean", "matrix"):
        return "read"
    what = {"weights": "layer", "snapshot": "state"}.get(account.kind, "record")
    many = "" if account.read == 1 else "s"
    if account.whole:
        return f"{account.read} {what}{many}, all read"
    of = f" of {account.records}" if account.records is not None else ""
    return f"{account.read}{of} {what}{many} read"


def _body(source: Source, bars: bool) -> Iterator[str]:
    for top in source.account.tops:
        shapes = ", ".join(" x ".join(map(str, shape)) or "1" for shape in list(top.shapes)[:4])
        if shapes:
            more = f" and {len(top.shapes) - 4} more" if len(top.shapes) > 4 else ""
            yield f"{top.name}: {shapes}{more}{' of ' + top.dtype if top.dtype else ''}"
        for name, channels in (("stored", top.channels), ("after the transformation", top.after)):
            if channels and (name == "stored" or channels != top.channels):
                yield from _channel_lines(name, channels)
        if top.nonfinite:
            yield f"  {top.nonfinite} NaN or infinite"
        if top.values is not None and len(top.values) > 1 and not top.channels:
            yield from _labels(top.values, bars)
        if bars and top.channels:
            yield from _histogram(top)
    if source.account.boxes is not None:
        yield f"boxes: {sum(source.account.boxes.values())}"
        yield from _labels(source.account.boxes, bars)
    for fault in source.account.faults[:3]:
        yield f"! {fault.kind}: {fault.words}{' (' + fault.record + ')' if fault.record else ''}"


def _channel_lines(name: str, channels: Sequence[Channel]) -> Iterator[str]:
    if len(channels) <= 4:
        for index, one in enumerate(channels):
            which = f" channel {index}" if len(channels) > 1 else ""
            yield f"  {name}{which}: {one.low:.6g} to {one.high:.6g}, mean {one.mean:.6g}, std {one.std:.6g}"
        return
    low, high = min(one.low for one in channels), max(one.high for one in channels)
    yield f"  {name}: {low:.6g} to {high:.6g} over {len(channels)} channels"


def _labels(values: dict[float, int], bars: bool) -> Iterator[str]:
    if not bars:
        shown = ", ".join(f"{value:g}: {number}" for value, number in list(values.items())[:20])
        yield f"  {shown}{', ...' if len(values) > 20 else ''}"
        return
    rows = [(f"{value:g}", number) for value, number in list(values.items())[:_MOST_BARS]]
    yield from _bars(rows)
    if len(values) > _MOST_BARS:
        yield f"    and {len(values) - _MOST_BARS} more values"


def _bars(rows: Sequence[tuple[str, float]]) -> Iterator[str]:
    most = max((number for _, number in rows), default=0) or 1
    width = max((len(name) for name, _ in rows), default=0)
    for name, number in rows:
        eighths = round(number / most * _BAR * 8)
        bar = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
        yield f"    {name:>{width}} {bar} {number:g}".rstrip()


def _histogram(top: Top) -> Iterator[str]:
    """The finite numbers in equal steps from the least to the greatest, from bins of an eighth of a power of two."""
    low, high = top.low, top.high
    if low is None or high is None or not low < high:
        return
    step = (high - low) / _MOST_BARS
    counts = [0] * _MOST_BARS
    for bin_, number in top.bins.items():
        middle = _middle(bin_)
        if math.isfinite(middle):
            counts[min(_MOST_BARS - 1, max(0, int((middle - low) / step)))] += number
    yield from _bars([(f"{low + step * index:.4g}", number) for index, number in enumerate(counts)])


def _middle(bin_: int) -> float:
    """A number in the middle of those whose float32 begins with these 12 bits."""
    import struct

    return float(struct.unpack("<f", struct.pack("<I", (bin_ << 20) | 0x80000))[0]) if bin_ not in (0, 2048) else 0.0

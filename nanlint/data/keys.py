"""Places between two keys of a sorted store, for samples and parts: a store does not say which is its n-th key."""

from __future__ import annotations

_WIDTH = 12


def between(first: bytes, last: bytes, share: float) -> bytes:
    """A key about `share` of the way from `first` to `last`: by their digits where both go on with some."""
    common = _common(first, last)
    digits = min(_digits(first[common:]), _digits(last[common:]))
    if digits:
        low, high = int(first[common : common + digits]), int(last[common : common + digits])
        return first[:common] + b"%0*d" % (digits, low + _part(high - low, share))
    low, high = (int.from_bytes(key[common : common + _WIDTH].ljust(_WIDTH, b"\0"), "big") for key in (first, last))
    return first[:common] + (low + _part(high - low, share)).to_bytes(_WIDTH, "big")


def _part(whole: int, share: float) -> int:
    return whole * int(share * (1 << 40)) >> 40


def _common(one: bytes, other: bytes) -> int:
    length = min(len(one), len(other))
    return next((at for at in range(length) if one[at] != other[at]), length)


def _digits(text: bytes) -> int:
    return next((at for at, byte in enumerate(text) if not 48 <= byte <= 57), len(text))

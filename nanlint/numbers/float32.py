"""The 32-bit floats in which Caffe computes: rounding, and C's arithmetic, which never raises."""

from __future__ import annotations

import math
from struct import Struct

_SINGLE = Struct("f")

FLOAT_MAX = 3.4028234663852886e38


def f32(x: float) -> float:
    """The 32-bit float nearest to x; infinite beyond the largest one."""
    try:
        rounded: float = _SINGLE.unpack(_SINGLE.pack(x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)
    return rounded


def divide(x: float, y: float) -> float:
    """x / y as C does it: a zero divisor gives an infinity, or nan for 0 / 0. In double."""
    if y:
        return x / y
    if x == 0 or math.isnan(x) or math.isnan(y):
        return math.nan
    return math.copysign(math.inf, x) * math.copysign(1.0, y)


def root(x: float) -> float:
    """C's sqrt: nan for negative numbers. In double."""
    return math.sqrt(x) if x >= 0 or math.isnan(x) else math.nan


def power(x: float, y: float) -> float:
    """C's pow, in double: infinite on overflow and at a pole, nan for a root of a negative number."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:
        if x:
            return math.nan
        return math.copysign(math.inf, x) if y % 2 == 1 else math.inf


def exponential(x: float) -> float:
    """C's exp: infinite on overflow. In double."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def shortest(x: float) -> float:
    """The double with the fewest digits that rounds to the 32-bit float x: 0.1 for 0.100000001490116."""
    if not math.isfinite(x):
        return x
    for digits in range(6, 9):
        short = float(f"{x:.{digits}g}")
        if f32(short) == x:
            return short
    return float(f"{x:.9g}")


def show(x: float) -> str:
    """A number as messages print it: as it was written, or to six digits as Caffe prints it."""
    written = f"{shortest(f32(x)):.7g}"
    return written if f32(float(written)) == f32(x) else f"{x:g}"

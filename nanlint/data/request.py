"""What a reader is asked for: one source of one layer, whole, in a part of it, or as a sample."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Transform:
    """The settings of `transform_param` that numbers depend on (data_transformer.cpp)."""

    scale: float = 1.0
    mean_values: tuple[float, ...] = ()
    mean_file: str = ""
    force_color: bool = False
    force_gray: bool = False
    known: bool = True
    """False where a fork's settings do more to the numbers than is known."""


@dataclass(frozen=True)
class Request:
    """A source to read.

    `path`: where it lies. `root`: the folder from which names inside it are looked up. `tops`: names of the
    layer's tops; `counted`: those whose values are counted. `most` records and `seconds` at most (None: all).
    `part` of `parts`: one piece of a whole reading; the pieces' results are merged in their order.
    """

    kind: str
    path: str
    root: str = ""
    tops: tuple[str, ...] = ()
    counted: frozenset[str] = frozenset()
    transform: Transform = Transform()
    most: int | None = None
    seconds: float | None = None
    part: int = 0
    parts: int = 1
    prints: bool = False
    annotated: bool = False
    is_color: bool = True
    root_folder: str = ""
    thresholds: tuple[float, float] = (0.5, 0.5)
    clipped: bool = False

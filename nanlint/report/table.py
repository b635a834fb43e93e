"""Plain tables that fit a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_GAP = "  "


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], width: int, right: Sequence[int] = ()
) -> Iterator[str]:
    """Columns as wide as their widest cell, cut at `width`; those in `right` are aligned to the right."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        cells = [
            cell.rjust(wide) if column in right else cell.ljust(wide)
            for column, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ]
        line = _GAP.join(cells).rstrip()
        yield line if len(line) <= width else line[: width - 1] + "…"

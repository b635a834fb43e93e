"""A laid out picture as SVG. Every node names the layers that it stands for, by their index in the net."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib import resources
from itertools import groupby
from typing import NamedTuple

from nanlint.caffe.model import Layer
from nanlint.view import look
from nanlint.view.fold import Folded, Group
from nanlint.view.layout import GAP, HEIGHT, LABEL_WIDTH, WIDTH, Bend, Layout, layout
from nanlint.view.nodes import Picture

MARGIN = 20
_LETTERS, _SMALL_LETTERS, _LABEL_LETTERS = 27, 32, 16
_BAR_DECADES, _BAR_WIDTH = 6.0, 34.0


class Sizes(NamedTuple):
    """Root mean squares at a layer's first top when training begins; None where unknown."""

    activation: float | None
    gradient: float | None


UNKNOWN = Sizes(None, None)


class Marks(NamedTuple):
    """What nodes show beside their names, by layer.

    `severities`: the worst finding's. `only`: the phases of layers that not every phase has.
    """

    severities: Mapping[Layer, str] = {}
    sizes: Mapping[Layer, Sizes] = {}
    only: Mapping[Layer, str] = {}


def style() -> str:
    """The style sheet of the drawing, light and dark."""
    return resources.files(__package__).joinpath("net.css").read_text(encoding="utf-8")


def document(of: Folded, marks: Marks) -> str:
    """The drawing as a file of its own."""
    return "\n".join(_svg(of, marks, f"<style>{style()}</style>"))


def fragment(of: Folded, marks: Marks) -> str:
    """The drawing as a part of a page that has the style sheet."""
    return "\n".join(_svg(of, marks, ""))


def _svg(of: Folded, marks: Marks, head: str) -> Iterator[str]:
    where = layout(of.picture)
    widths = [WIDTH if node.layers else LABEL_WIDTH for node in of.picture.nodes]
    lanes = [bend.x1 for bends in where.bends for bend in bends]
    edges = [x + side * width / 2 for x, width in zip(where.x, widths, strict=True) for side in (-1, 1)]
    left = min([*edges, *lanes], default=0.0) - MARGIN
    right = max([*edges, *lanes], default=0.0) + MARGIN + (2 * GAP if of.groups else 0)
    height = (max(where.rank, default=0) + 1) * (HEIGHT + GAP) - GAP + 2 * MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="net" viewBox="{left:.0f} {-MARGIN} {right - left:.0f} '
        f'{height}" width="{right - left:.0f}" height="{height}" role="img" aria-label="the net">{head}'
        f'<defs><rect id="node" width="{WIDTH}" height="{HEIGHT}" rx="6"/></defs>'
    )
    yield from (_group(group, of.picture, where) for group in of.groups)
    yield f'<path class="e" d="{"".join(_bend(bend) for bends in where.bends for bend in bends)}"/>'
    for index, node in enumerate(of.picture.nodes):
        at = where.x[index] - widths[index] / 2, _top(where.rank[index])
        yield _node(node.layers, of.layers[index], at, marks) if node.layers else _label(node.label, at)
    yield "</svg>"


def _top(rank: int) -> int:
    return rank * (HEIGHT + GAP)


def _bend(bend: Bend) -> str:
    """A curve in the gap below a rank, then straight down through the next where the edge passes it."""
    start = _top(bend.rank) + HEIGHT
    end, middle = start + GAP, start + GAP // 2
    x0, x1 = round(bend.x0), round(bend.x1)
    way = f"V{end}" if x0 == x1 else f"C{x0} {middle} {x1} {middle} {x1} {end}"
    return f"M{x0} {start}{way}{f'v{HEIGHT}' if bend.through else ''}"


def _group(group: Group, of: Picture, where: Layout) -> str:
    above = of.above
    readers = {*group.nodes, *(tail for node in group.nodes for tail in above[node])}
    rows = [where.rank[node] for node in group.nodes]
    columns = [where.x[node] + side * WIDTH / 2 for node in group.nodes for side in (-1, 1)]
    columns += [
        bend.x1
        for node in readers
        for bend in where.bends[node]
        if bend.through and min(rows) <= bend.rank + 1 <= max(rows)
    ]
    left, right = round(min(columns)) - 12, round(max(columns)) + 12
    top, bottom = _top(min(rows)) - 12, _top(max(rows)) + HEIGHT + 12
    return (
        f'<g class="g"><rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" rx="8"/>'
        f'<text x="{right + 6}" y="{top + 18}">× {group.times}</text></g>'
    )


def _label(name: str, at: tuple[float, int]) -> str:
    x, y = at[0], at[1] + HEIGHT - 24
    return (
        f'<g class="l" transform="translate({round(x)} {y})"><title>{safe(name, 200)}</title>'
        f'<rect width="{LABEL_WIDTH}" height="24" rx="12"/>'
        f'<text x="{LABEL_WIDTH // 2}" y="16">{safe(name, _LABEL_LETTERS)}</text></g>'
    )


def _node(layers: Sequence[Layer], all_layers: Sequence[Layer], at: tuple[float, int], marks: Marks) -> str:
    worst = _worst(marks.severities[layer] for layer in all_layers if layer in marks.severities)
    only = next((marks.only[layer] for layer in layers if layer in marks.only), "")
    classes = " ".join(word for word in ("n", look.kind(layers), worst, "only" if only else "") if word)
    names = ", ".join(safe(layer.name, 60) for layer in layers)
    return (
        f'<g class="{classes}" data-l="{_indices(all_layers)}" transform="translate({round(at[0])} {at[1]})">'
        f"<title>{names}</title>"
        '<use href="#node"/>'
        f'<text x="10" y="17">{safe(look.title(layers), _LETTERS)}</text>'
        f'<text x="10" y="32" class="t">{safe(look.types(layers), _SMALL_LETTERS)}</text>'
        f'<text x="10" y="46" class="t">{safe(look.shape(layers), _LETTERS)}</text>'
        f"{_bars(layers, marks)}{_badge(worst)}{_phase(only)}</g>"
    )


def _bars(layers: Sequence[Layer], marks: Marks) -> str:
    """Activation and gradient of the last layer that has them, as bars from 1 in the middle by powers of ten."""
    known = [marks.sizes[layer] for layer in layers if layer in marks.sizes]
    if not known:
        return ""
    parts = [f'<path class="m" d="M{WIDTH - 10 - round(_BAR_WIDTH)} 42v11"/>']
    for row, (size, what) in enumerate(zip(known[-1], ("a", "d"), strict=True)):
        if size is None or math.isnan(size):
            continue
        decades = _BAR_DECADES if size == math.inf else -_BAR_DECADES if size <= 0 else math.log10(size)
        length = max(-_BAR_DECADES, min(_BAR_DECADES, decades)) / _BAR_DECADES * _BAR_WIDTH
        start = WIDTH - 10 - _BAR_WIDTH + min(0.0, length)
        width = max(1.0, abs(length))
        parts.append(f'<rect class="{what}" x="{start:.0f}" y="{43 + 5 * row}" width="{width:.0f}" height="4"/>')
    return "".join(parts)


def _badge(worst: str) -> str:
    if not worst:
        return ""
    sign = {"error": "✕", "warning": "!", "info": "i"}[worst]
    return f'<circle class="b" cx="{WIDTH - 4}" cy="4" r="9"/><text class="b" x="{WIDTH - 4}" y="8">{sign}</text>'


def _phase(only: str) -> str:
    return f'<text class="p" x="{WIDTH - 14}" y="32">{safe(only, 8)}</text>' if only else ""


def _worst(severities: Iterable[str]) -> str:
    found = set(severities)
    return next((one for one in ("error", "warning", "info") if one in found), "")


def _indices(layers: Sequence[Layer]) -> str:
    """The layers' indices in the net as ranges: `3-6 10-13`."""
    numbers = sorted(layer.index for layer in layers)
    runs = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        found = [number for _, number in run]
        runs.append(str(found[0]) if len(found) == 1 else f"{found[0]}-{found[-1]}")
    return " ".join(runs)


def safe(text: str, most: int) -> str:
    """A text of a file as it may stand in the picture: short, printable, and no markup."""
    short = text if len(text) <= most else f"{text[: most - 1]}…"
    return escape("".join(letter if letter.isprintable() else "�" for letter in short))

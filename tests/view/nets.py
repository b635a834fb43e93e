"""Nets of known kinds, generated small or large, and the geometry of their drawings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from nanlint import api
from nanlint.caffe.model import Net
from nanlint.view.layout import HEIGHT, LABEL_WIDTH, WIDTH

INPUT = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 16 dim: 32 dim: 32 } } }'


def built(tmp_path: Path, text: str) -> Net:
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    return api.load(path).nets[0]


def conv(name: str, bottom: str, kernel: int = 1) -> str:
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" '
        f"convolution_param {{ num_output: 16 kernel_size: {kernel} pad: {kernel // 2} }} }}"
    )


def relu(blob: str) -> str:
    return f'layer {{ name: "{blob}_relu" type: "ReLU" bottom: "{blob}" top: "{blob}" }}'


def join(kind: str, name: str, *bottoms: str) -> str:
    read = " ".join(f'bottom: "{bottom}"' for bottom in bottoms)
    return f'layer {{ name: "{name}" type: "{kind}" {read} top: "{name}" }}'


def chain(steps: int) -> str:
    lines, before = [INPUT], "data"
    for step in range(steps):
        lines += [conv(f"c{step}", before, 3), relu(f"c{step}")]
        before = f"c{step}"
    return "\n".join(lines)


def residual(blocks: int) -> str:
    lines, before = [INPUT], "data"
    for block in range(blocks):
        name = f"r{block}"
        lines += [conv(f"{name}a", before), relu(f"{name}a"), conv(f"{name}b", f"{name}a", 3)]
        lines += [join("Eltwise", name, before, f"{name}b"), relu(name)]
        before = name
    return "\n".join(lines)


def inception(blocks: int) -> str:
    """Branches of unequal depth that split again, as in Inception-v4, and a head aside."""
    lines, before = [INPUT], "data"
    for block in range(blocks):
        name = f"i{block}"
        lines += [conv(f"{name}_1", before), conv(f"{name}_2a", before), conv(f"{name}_2b", f"{name}_2a", 3)]
        lines += [conv(f"{name}_3a", before), conv(f"{name}_3b", f"{name}_3a", 3)]
        lines += [conv(f"{name}_3c", f"{name}_3b", 3), conv(f"{name}_3d", f"{name}_3b", 3)]
        lines += [join("Concat", name, f"{name}_1", f"{name}_2b", f"{name}_3c", f"{name}_3d")]
        lines += [conv(f"{name}_next", name)]
        before = f"{name}_next"
        if block % 4 == 1:
            lines += [conv(f"{name}_head", before), conv(f"{name}_head2", f"{name}_head")]
    return "\n".join(lines)


def dense(blocks: int, convolutions: int = 6) -> str:
    """Every convolution reads all before it in its block."""
    lines, before = [INPUT], "data"
    for block in range(blocks):
        seen = [before]
        for step in range(convolutions):
            name = f"d{block}_{step}"
            read = seen[0]
            if len(seen) > 1:
                read = f"{name}_all"
                lines.append(join("Concat", read, *seen))
            lines.append(conv(name, read, 3))
            seen.append(name)
        before = f"t{block}"
        lines += [join("Concat", f"{before}_all", *seen), conv(before, f"{before}_all")]
    return "\n".join(lines)


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float


class Drawing(NamedTuple):
    """What an SVG shows: the boxes of nodes and labels, points along all edges, and the layers of the nodes."""

    boxes: list[Box]
    points: list[tuple[float, float]]
    layers: list[int]

    @property
    def overlaps(self) -> int:
        """How many pairs of boxes share a place."""
        found = 0
        rows: dict[int, list[Box]] = {}
        for box in sorted(self.boxes):
            for number in range(int(box.top // HEIGHT), int(box.bottom - 1) // HEIGHT + 1):
                row = rows.setdefault(number, [])
                found += any(
                    box.left < other.right and other.top < box.bottom and box.top < other.bottom for other in row[-4:]
                )
                row.append(box)
        return found

    @property
    def clipped(self) -> int:
        """How many points of edges lie inside a box."""
        rows: dict[int, list[Box]] = {}
        for box in self.boxes:
            for number in range(int(box.top // HEIGHT), int(box.bottom) // HEIGHT + 1):
                rows.setdefault(number, []).append(box)
        return sum(
            any(box.left < x < box.right and box.top < y < box.bottom for box in rows.get(int(y // HEIGHT), ()))
            for x, y in self.points
        )


def drawing(svg: str) -> Drawing:
    root = ElementTree.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    boxes, points, layers = [], [], []
    for group in root.iter(f"{space}g"):
        kind = group.get("class", "").split()[0]
        if kind in ("n", "l"):
            x, y = map(float, re.findall(r"-?[\d.]+", group.get("transform", "")))
            width, height = (WIDTH, HEIGHT) if kind == "n" else (LABEL_WIDTH, 24)
            boxes.append(Box(x, y, x + width, y + height))
        if kind == "n":
            layers += list(_indices(group.get("data-l", "")))
    for path in root.iter(f"{space}path"):
        if path.get("class") == "e":
            points += list(_points(path.get("d", "")))
    return Drawing(boxes, points, layers)


def _indices(runs: str) -> Iterator[int]:
    for run in runs.split():
        first, _, last = run.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _points(d: str) -> Iterator[tuple[float, float]]:
    """Points along a path of M, V, v and C commands."""
    x = y = 0.0
    for command, words in re.findall(r"([MVvC])([^MVvC]*)", d):
        numbers = [float(word) for word in re.findall(r"-?[\d.]+", words)]
        start = x, y
        if command == "M":
            x, y = numbers
            continue
        if command == "C":
            (x1, y1, x2, y2, x, y) = numbers
        else:
            y = numbers[0] if command == "V" else y + numbers[0]
            x1, y1, x2, y2 = *start, x, y
        for part in range(17):
            t = part / 16
            a, b, c, d_ = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield a * start[0] + b * x1 + c * x2 + d_ * x, a * start[1] + b * y1 + c * y2 + d_ * y

"""Nets as graphs of layers and blobs: DOT, Mermaid and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nanlint.caffe.model import Net, Shape
from nanlint.report.json import encode, number


def dumps(files: Sequence[tuple[str, Sequence[Net]]]) -> str:
    """Nodes and edges with their attributes, per file and net."""
    return encode(
        {"version": 1, "files": [{"path": path, "nets": [_net(net) for net in nets]} for path, nets in files]}
    )


def dot(files: Sequence[tuple[str, Sequence[Net]]]) -> Iterator[str]:
    """One digraph a net, for Graphviz: layers as boxes, blobs as ellipses with their shapes."""
    for path, nets in files:
        for net in nets:
            yield f"digraph {_quoted(f'{path} {net.phase}')} {{"
            yield "  rankdir=TB; node [fontname=Helvetica];"
            for node, shape, label in _nodes(net):
                yield f"  {_quoted(node)} [shape={shape}, label={_quoted(label)}];"
            for tail, head in net.graph.edges:
                yield f"  {_quoted(tail)} -> {_quoted(head)};"
            yield "}"


def mermaid(files: Sequence[tuple[str, Sequence[Net]]]) -> Iterator[str]:
    """One flowchart a net: layers as boxes, blobs rounded."""
    for path, nets in files:
        for net in nets:
            yield f"%% {path} {net.phase}"
            yield "flowchart TD"
            ids = {node: f"n{number}" for number, node in enumerate(net.graph)}
            for node, shape, label in _nodes(net):
                left, right = ("[", "]") if shape == "box" else ("(", ")")
                text = label.replace("\n", "<br>").replace('"', "#quot;")
                yield f'  {ids[node]}{left}"{text}"{right}'
            for tail, head in net.graph.edges:
                yield f"  {ids[tail]} --> {ids[head]}"


def _nodes(net: Net) -> Iterator[tuple[str, str, str]]:
    """Node, form and label."""
    for node, data in net.graph.nodes.items():
        if data["kind"] == "layer":
            yield node, "box", f"{data['name']}\n{data['type']}"
        else:
            yield node, "ellipse", f"{data['name']}\n{in_words(data['shape'])}"


def _net(net: Net) -> dict[str, Any]:
    nodes = [
        {"id": node, **{key: _value(value) for key, value in data.items() if key not in ("layer", "blob")}}
        for node, data in net.graph.nodes.items()
    ]
    edges = [
        {"from": tail, "to": head, **{key: _value(value) for key, value in data.items()}}
        for tail, head, data in net.graph.edges(data=True)
    ]
    return {"phase": net.phase, "source": net.path, "nodes": nodes, "edges": edges}


def _value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    return number(value) if isinstance(value, float) else value


def in_words(shape: Shape) -> str:
    """`64x20x24x24`; `?` for what is unknown."""
    if shape is None:
        return "?"
    return "x".join("?" if size is None else str(size) for size in shape) or "scalar"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'

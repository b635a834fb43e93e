"""Names that layers read and no earlier layer makes, and what was meant by them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nanlint.caffe.wiring import layer_problem
from nanlint.findings import Applicability, Fix, Related
from nanlint.safety.printable import escaped

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net, Origin
    from nanlint.caffe.splits import Plan
    from nanlint.caffe.upgrade import UpgradedNet
    from nanlint.schema.caffe_pb2 import LayerParameter

_MOST_COMPARED = 50_000
"""Pairs of names that are compared in one net: where more than that are unknown, no guess is of help."""

Reason = tuple[str, list[Related], "Fix | None"]
"""Why no layer makes a blob, the places that show it, and the edit that mends it for all readers."""


def report_unknown_bottoms(net: Net, upgraded: UpgradedNet, plan: Plan) -> None:
    """One problem for each name that is read and made by no earlier layer (InsertSplits), with its readers.

    Quiet where a brace is missing: layers may then stand inside one another, with their tops out of sight.
    """
    if any(problem.kind == "unclosed-block" for problem in net.bound.problems):
        return
    readers: dict[str, list[tuple[Layer, int]]] = {}
    for index, bottom in plan.unknown:
        layer = net.layers[index]
        readers.setdefault(layer.param.bottom[bottom], []).append((layer, bottom))
    makers = _Makers(net, upgraded)
    for name, slots in readers.items():
        layer, bottom = slots[0]
        reason, related, fix = _why_unknown(makers, layer, name, slots)
        also = [Related(f"{other.called} reads it too", other.at(f"bottom[{slot}]")) for other, slot in slots[1:4]]
        net.problems.append(
            layer_problem(
                layer,
                "unknown-bottom",
                f"bottom[{bottom}]",
                f"{layer.called} reads `{name}`, {reason}",
                *related,
                *also,
                fix=fix,
            )
        )


class _Makers:
    """Where the names of a net's tops are made, and in layers that the net leaves out."""

    def __init__(self, net: Net, upgraded: UpgradedNet) -> None:
        self.net = net
        self.slots: dict[str, list[tuple[int, int]]] = {}
        for layer in net.layers:
            for slot, top in enumerate(layer.param.top):
                self.slots.setdefault(top, []).append((layer.index, slot))
        kept = {layer.origin for layer in net.layers}
        self.left_out: dict[str, tuple[LayerParameter, Origin]] = {}
        for param, origin, *_ in upgraded.layers:
            if origin not in kept:
                for top in param.top:
                    self.left_out.setdefault(top, (param, origin))
        self.compared = 0

    def from_layer(self, name: str, index: int) -> tuple[int, int] | None:
        """The first top of that name from a layer on: the layer's index, and the top's."""
        slots = self.slots.get(name, [])
        at = bisect_left(slots, (index, 0))
        return slots[at] if at < len(slots) else None

    def nearest(self, name: str, reader: int) -> str | None:
        """The name made by a layer before the reader that comes nearest; None where none does."""
        from nanlint.schema.suggest import nearest

        if self.compared > _MOST_COMPARED:
            return None
        earlier = [top for top, slots in self.slots.items() if slots[0][0] < reader]
        self.compared += len(earlier)
        return next(iter(nearest(name, earlier)), None)


def _why_unknown(makers: _Makers, reader: Layer, name: str, slots: Sequence[tuple[Layer, int]]) -> Reason:
    later = makers.from_layer(name, reader.index)
    if later is not None:
        return _made_later(makers.net.layers[later[0]], later[1], reader, name)
    if name in makers.left_out:
        return _left_out(makers, reader, name)
    meant = makers.nearest(name, reader.index)
    if meant is None:
        return "which no layer makes, and Caffe aborts; name a top of an earlier layer", [], None
    from nanlint.caffe import edits

    reason = f'which no layer makes, and Caffe aborts; did you mean `bottom: "{meant}"`?'
    if escaped(meant) != meant or '"' in meant or "\\" in meant:
        return reason, [], None
    written = tuple(edits.written(layer, f"bottom[{slot}]", f'"{meant}"') for layer, slot in slots)
    fix = Fix(f'write `bottom: "{meant}"`', written, Applicability.UNSAFE)
    return reason, [], fix


def _made_later(maker: Layer, slot: int, reader: Layer, name: str) -> Reason:
    if maker is reader:
        return "which only this layer itself makes, and Caffe aborts; name the blob that it shall read", [], None
    top = maker.at(f"top[{slot}]")
    return (
        f"which is made only later, by {maker.called} ({top}), and Caffe aborts: a layer can read "
        f"earlier ones only; move {maker.called} before {reader.called}",
        [Related(f"`{name}` is made here", top)],
        None,
    )


def _left_out(makers: _Makers, reader: Layer, name: str) -> Reason:
    from nanlint.caffe import edits

    param, origin = makers.left_out[name]
    phase = makers.net.phase
    field = "include" if param.include else "exclude"
    rule = origin.place(f"{field}[0]")
    inner = bool(param.bottom) and not param.type.endswith("Loss")
    remedy = (
        f"let `{param.name}` into the {phase} net: remove its `{field}`"
        if inner
        else f"give the {phase} net a layer that makes `{name}`, or leave {reader.called} out of it"
    )
    return (
        f"which only `{param.name}` makes, a layer that the {phase} net leaves out ({rule}), and "
        f"Caffe aborts; {remedy}",
        [Related(f"this rule keeps `{param.name}` out of the {phase} net", rule)],
        edits.remove(origin, f"{field}[0]") if inner else None,
    )

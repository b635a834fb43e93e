"""Value ranges over a net: what every blob can hold and surely holds, forward and backward.

The first iteration starts from the fillers; `moved` asks for what holds once the weights have moved:
their ranges are then unknown, but finite.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from nanlint.caffe.initial import initial_value
from nanlint.caffe.layers.step import Step, run_backward, run_forward
from nanlint.caffe.model import TEST, count, kept
from nanlint.numbers.combining import combine
from nanlint.numbers.draws import anything, between, constant, unknown
from nanlint.numbers.intervals import plus, times
from nanlint.numbers.sums import summed
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer, Net


class Ranges:
    """The steps of one pass over a net, in the order of its layers, and the value of each blob version."""

    def __init__(self, net: Net, moved: bool) -> None:
        self.net = net
        self.moved = moved
        self.steps: list[Step] = []
        self._by_layer: dict[Layer, Step] = {}
        self.values: dict[Blob, Value] = {}
        self.grads: dict[Blob, Value] = {}
        self.last_written: dict[Blob, Blob] = {}

    def step(self, layer: Layer) -> Step:
        return self._by_layer[layer]

    @cached_property
    def spread(self) -> dict[Blob, Spread]:
        return spreads(self)

    @cached_property
    def first_spoiled(self) -> Layer | None:
        """The layer whose weights the backward pass is the first to spoil."""
        for step in reversed(self.steps):
            if any(value.surely_bad for value in step.grads) and any(p.lr_mult for p in step.layer.params):
                return step.layer
        return None

    def add(self, step: Step) -> None:
        """Append the next layer's step."""
        self.steps.append(step)
        self._by_layer[step.layer] = step

    @cached_property
    def loss(self) -> Value:
        """The reported loss: the sum over every top of its elements times its weight (Layer::Forward)."""
        reported = constant(0.0, 1)
        for step in self.steps:
            for weight, top in zip(step.layer.loss_weights, step.tops, strict=False):
                if weight:
                    weighed = combine(top, constant(weight, top.count), times)
                    reported = combine(reported, summed(weighed, top.count, 1), plus)
        return reported


@kept
def _cached(net: Net, moved: bool) -> Ranges:
    return compute(net, moved, net.given_ranges)


def ranges(net: Net, moved: bool = False) -> Ranges:
    """The ranges of a net, computed once."""
    return _cached(net, moved)


def compute(net: Net, moved: bool = False, given: Mapping[str, tuple[float, float]] | None = None) -> Ranges:
    """The ranges of a net; `given` has the bounds of blobs that the user knows (`--range data:0,255`)."""
    got = Ranges(net, moved)
    shared = _SharedData()
    for layer in net.layers:
        bottoms = [got.values.get(blob) or anything(blob.count) for blob in layer.bottoms]
        weights = [
            unknown(count(learned.param.shape)) if moved and learned.lr_mult else initial_value(learned)
            for learned in layer.params
        ]
        step = Step(layer, bottoms, weights, moved)
        step.pieces = {blob: _pieces(blob, got) for blob in layer.bottoms[:1]}
        step.tops = run_forward(step) if not layer.refused else [anything(blob.count) for blob in layer.tops]
        for blob, value in zip(layer.tops, step.tops, strict=False):
            if given and blob.name in given and not layer.bottoms:
                value = between(*given[blob.name], blob.count)
            got.values[blob] = value
        step.tops = [got.values[blob] for blob in layer.tops]
        got.add(step)
        shared.follow(step, got.values)
    _backward(got)
    return got


class _SharedData:
    """Blobs under different names that are the same memory: what is written in place changes them all."""

    def __init__(self) -> None:
        self._owner: dict[str, str] = {}
        self._owned: dict[str, set[str]] = {}
        self._blobs: dict[str, list[Blob]] = {}

    def follow(self, step: Step, values: dict[Blob, Value]) -> None:
        """Take note of what a layer shares, and forget what it overwrites under another name."""
        layer = step.layer
        for top in layer.tops:
            self._blobs.setdefault(top.name, []).append(top)
        if len(layer.bottoms) == 1 and layer.facts.shares_memory(layer):
            for top in layer.tops:
                self._share(top.name, layer.bottoms[0].name)
        elif step.in_place() and self._owner:
            name = layer.tops[0].name
            for other in self._names_of(self._root(name)):
                if other != name:
                    for blob in self._blobs.pop(other, ()):  # what is forgotten once stays so
                        values[blob] = anything(blob.count)

    def _share(self, name: str, source: str) -> None:
        root = self._root(source)
        if name in self._owner:
            self._owned[self._owner[name]].discard(name)
        self._owner[name] = root
        self._owned.setdefault(root, set()).add(name)

    def _names_of(self, root: str) -> list[str]:
        own = [] if root in self._owner else [root]
        return own + [name for name in self._owned.get(root, ()) if name in self._blobs]

    def _root(self, name: str) -> str:
        return self._owner.get(name, name)


def _pieces(blob: Blob, got: Ranges) -> list[tuple[Blob, Value]]:
    """What was put side by side along the channels to make a blob."""
    maker = blob.producer
    if maker.type != "Concat" or maker.param.concat_param.axis != 1 or blob not in maker.tops:
        return []
    return [(part, got.values[part]) for part in maker.bottoms if part in got.values]


def _backward(got: Ranges) -> None:
    """Gradients, for the layers that run backward and the bottoms they propagate to."""
    for step in reversed(got.steps):
        layer = step.layer
        if not layer.runs_backward or layer.refused or got.net.phase == TEST:
            continue
        step.grads = [_incoming(step, index, got) for index in range(len(layer.tops))]
        wanted = [index < len(layer.propagates) and layer.propagates[index] for index in range(len(layer.bottoms))]
        if not any(wanted):
            step.bottom_grads = [None] * len(wanted)
            continue
        grads = _gradients(step, got)
        step.bottom_grads = [grad if asked else None for grad, asked in zip(grads, wanted, strict=True)]
        for blob, grad in zip(layer.bottoms, step.bottom_grads, strict=True):
            if grad is not None:
                known = got.grads.get(blob)
                got.grads[blob] = grad if known is None else combine(known, grad, plus)


def _gradients(step: Step, got: Ranges) -> list[Value]:
    """Backward over what is in memory by then: a layer that worked in place has overwritten its bottom."""
    layer = step.layer
    tops = [left_in_memory(got, blob) for blob in layer.tops]
    bottoms = [left_in_memory(got, blob) for blob in layer.bottoms]
    sides = {"top": (tops, step.tops), "bottom": (bottoms, step.bottoms)}
    changed = {side for side, (now, then) in sides.items() if any(a is not b for a, b in zip(now, then, strict=True))}
    reads = layer.facts.backward_reads(layer.param)
    if not changed or (reads is not None and reads.isdisjoint(changed)):
        return run_backward(step)
    by_itself = step.in_place() and "top" not in changed
    if reads is None or not layer.facts.gradient_from_memory or (len(reads) > 1 and not by_itself):
        return [anything(blob.count) for blob in layer.bottoms]
    before = step.tops, step.bottoms
    step.tops, step.bottoms = tops, bottoms
    grads = run_backward(step)
    step.tops, step.bottoms = before
    return grads


def left_in_memory(got: Ranges, blob: Blob) -> Value:
    """What a blob's memory holds after the forward pass: the last thing that was written in place over it."""
    way = []
    while blob not in got.last_written:
        way.append(blob)
        over = _written_over(blob)
        if over is None:
            got.last_written[blob] = blob
        else:
            blob = over
    last = got.last_written[blob]
    got.last_written.update(dict.fromkeys(way, last))
    return got.values[last]


def _written_over(blob: Blob) -> Blob | None:
    for reader, _ in blob.consumers:
        if reader.bottoms and reader.tops and reader.bottoms[0] is blob and reader.in_place(0):
            return reader.tops[0]
    return None


def _incoming(step: Step, index: int, got: Ranges) -> Value:
    """The gradient of a top: its loss weight, and what its readers propagate."""
    blob = step.layer.tops[index]
    weight = step.layer.loss_weights[index] if index < len(step.layer.loss_weights) else 0.0
    from_readers = got.grads.get(blob)
    if weight != 0:
        own = constant(weight, blob.count)
        return own if from_readers is None else combine(own, from_readers, plus)
    return from_readers or constant(0.0, blob.count)


class Birth(NamedTuple):
    """Where something that is surely not finite appears: in a top, or in the gradient of a bottom."""

    step: Step
    blob: Blob
    backward: bool
    what: str


def births(got: Ranges) -> Iterator[Birth]:
    """Where NaN and infinity surely appear, but not where they are only passed on."""
    for step in got.steps:
        if any(value.surely_bad for value in (*step.bottoms, *step.weights)):
            continue
        for blob, value in zip(step.layer.tops, step.tops, strict=False):
            if value.surely_bad:
                yield Birth(step, blob, False, named(value))
    for step in reversed(got.steps):
        spoiled = (*step.bottoms, *step.tops, *step.weights, *step.grads)
        if any(value.surely_bad for value in spoiled):
            continue
        for blob, grad in zip(step.layer.bottoms, step.bottom_grads, strict=False):
            if grad is not None and grad.surely_bad:
                yield Birth(step, blob, True, named(grad))


def named(value: Value) -> str:
    """What is not finite in a value, in words."""
    if value.surely_nan:
        return "NaN"
    return "-infinity" if value.surely(lambda low, high: high == -math.inf) else "infinity"


def fate(got: Ranges, birth: Birth) -> str:
    """Where something that is not finite goes: to a loss, into weights, or no further."""
    return _fate_of_gradient(got, birth) if birth.backward else _fate_of_top(got, birth)


class Spread(NamedTuple):
    """How far what is not finite in a blob is passed on: indices of steps, `none` (the number of steps) or -1."""

    loss: int
    blocked: int
    last: int


def _fate_of_top(got: Ranges, birth: Birth) -> str:
    layer = birth.step.layer
    bad = _bad_tops(birth.step)
    if _weighted(birth.step, bad):
        return ""
    none = len(got.steps)
    reached = _joined([got.spread[blob] for blob in {birth.blob, *bad}], none)
    if reached.loss < none:
        return f"it reaches the loss `{got.steps[reached.loss].layer.name}`"
    if not bad and layer.tops:
        return f"it is not proved to pass `{layer.name}` ({layer.type})"
    if reached.blocked < none:
        blocked = got.steps[reached.blocked].layer
        return f"it is not proved to pass `{blocked.name}` ({blocked.type})"
    last = got.steps[reached.last].layer if reached.last >= 0 else layer
    return f"it ends in `{last.tops[0].name}`, which no loss reads" if last.tops else "nothing reads it"


def spreads(got: Ranges) -> dict[Blob, Spread]:
    """How far what is not finite in each blob is passed on by the layers that read it, of all blobs in one pass."""
    none = len(got.steps)
    found: dict[Blob, Spread] = {}
    readers: dict[Blob, list[Spread]] = {}
    for index in range(none - 1, -1, -1):
        step = got.steps[index]
        bad = _bad_tops(step)
        for top in step.layer.tops:
            found[top] = _joined(readers.pop(top, ()), none)
        if _weighted(step, bad):
            own = Spread(index, none, index)
        elif bad:
            own = _joined([Spread(none, none, index), *(found[top] for top in bad)], none)
        else:
            own = Spread(none, index if step.layer.tops else none, -1)
        for blob in step.layer.bottoms:
            readers.setdefault(blob, []).append(own)
    return found


def _joined(spreads: Iterable[Spread], none: int) -> Spread:
    loss, blocked, last = none, none, -1
    for one in spreads:
        loss, blocked, last = min(loss, one.loss), min(blocked, one.blocked), max(last, one.last)
    return Spread(loss, blocked, last)


def _bad_tops(step: Step) -> list[Blob]:
    return [top for top, value in zip(step.layer.tops, step.tops, strict=False) if value.surely_bad]


def _weighted(step: Step, tops: list[Blob]) -> bool:
    weights = zip(step.layer.tops, step.layer.loss_weights, strict=False)
    return any(weight and top in tops for top, weight in weights)


def _fate_of_gradient(got: Ranges, birth: Birth) -> str:
    spoiled = got.first_spoiled
    if spoiled is not None:
        return f"with it the first update spoils the weights of `{spoiled.name}`"
    maker = birth.blob.producer
    if any(p.lr_mult for p in maker.params):
        return f"with it the first update spoils the weights of `{maker.name}`"
    return f"it stays in the gradient of `{birth.blob.name}`"


def path(got: Ranges, step: Step, bottom: int = 0) -> list[tuple[Layer, Value]]:
    """How numbers come to a layer: the layers from a source to it, each with the value it makes."""
    trail: list[tuple[Layer, Value]] = []
    blob = step.layer.bottoms[bottom] if bottom < len(step.layer.bottoms) else None
    while blob is not None and len(trail) < 64:
        trail.append((blob.producer, got.values[blob]))
        blob = blob.producer.bottoms[0] if blob.producer.bottoms else None
    return trail[::-1]

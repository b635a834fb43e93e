"""Which setting makes the odd number: what Caffe refuses is walked back to the settings above it, and solved for.

A change counts that lets the layer through. Of several the most plausible is the one that lets all later
layers through and makes a setting like its siblings: the other phase, the other heads of a detector, the blob that
it must fit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple

from nanlint.analysis.settings import LARGEST, Change, Setting, enlarged, other_losses, settings, with_values
from nanlint.analysis.trial import Trial
from nanlint.caffe.layers import layer_type
from nanlint.caffe.model import Blob, Layer, Net, Shape, count

_MOST_STEPS = 6000
_MOST_LAYERS = 60
_NEAR, _REACH = 48, 40
_MOST_COST = 3.4
_RIVALS_WITHIN = 0.35
_FAILS_LATER = 0.8
_RARELY_WRONG = ("batch_size", "crop_size", "group", "dilation")

# what is written to fit a blob: the numbers that meet are candidates
_SIZED = frozenset(
    {"num_output", "height", "width", "dim", "crop_size", "new_height", "new_width", "upsample_h", "upsample_w"}
    | {"input_dim", "tiles", "offset", "slice_point", "num_classes", "channels"}
)


class Mend(NamedTuple):
    """A change that would do, and how little speaks for it (less is better)."""

    change: Change
    cost: float


@dataclass
class _Budget:
    steps: int = _MOST_STEPS


@dataclass
class Search:
    """What is wrong with a net: `fits` says whether a trial has mended it; `target` is where it shows.

    `given`: the shapes of blobs that the files leave open. `twins`: the nets whose settings show what this one's
    were meant to be. `sizes`: the numbers that do not fit each other.
    """

    net: Net
    target: Layer
    fits: Callable[[Trial], bool]
    twins: tuple[Net, ...] = ()
    sizes: frozenset[int] = frozenset()
    known_refusals: frozenset[Layer] = frozenset()
    given: Mapping[Blob, Shape] = field(default_factory=dict)
    _budget: _Budget = field(default_factory=_Budget)
    _twin_settings: dict[Layer, dict[str, set[int]]] = field(default_factory=dict)

    def mends(self) -> list[Mend]:
        """The most plausible changes, best first; none where none is plausible."""
        layers = list(_above(self.target))[:_MOST_LAYERS]
        among = frozenset(layers)
        counts = _values(self.net, *self.twins)
        tried = [Mend(change, self._cost(change, counts)) for change in self._changes(layers, counts)]
        tried = sorted((mend for mend in tried if mend.cost <= _MOST_COST), key=lambda mend: mend.cost)
        found: list[Mend] = []
        settled: set[tuple[object, ...]] = set()
        for mend in tried:
            if self._budget.steps <= 0 or (found and mend.cost > found[0].cost + _RIVALS_WITHIN):
                break
            where = (mend.change.layer, mend.change.setting.routes)
            if where not in settled and self._does(mend.change, among):
                settled.add(where)
                later = self._fails_later(mend.change)
                found.append(mend._replace(cost=mend.cost + (_FAILS_LATER if later else 0)))
                found.sort(key=lambda one: one.cost)
        return [mend for mend in found if mend.cost <= found[0].cost + _RIVALS_WITHIN]

    def _changes(self, layers: Iterable[Layer], counts: Counter[tuple[str, str, int]]) -> Iterator[Change]:
        yield from other_losses(self.target)
        for layer in layers:
            yield from enlarged(layer)
            for setting in settings(layer):
                for value in self._candidates(setting, counts):
                    yield Change(layer, setting, value, tuple((route, value) for route in setting.routes))

    def _candidates(self, setting: Setting, counts: Counter[tuple[str, str, int]]) -> Iterator[int]:
        """Values to try: those of siblings, those that it must fit, and those near by."""
        kind, now = setting.layer.type, setting.value
        found = {value for (type_, key, value) in counts if type_ == kind and key == setting.key}
        found |= self.sizes if setting.written and setting.name in _SIZED else set()
        if not setting.written:
            found |= {0, 1, 2, 3}
        elif now < _NEAR:
            found |= set(range(max(now // 4, 1 if now else 0), max(2 * now, 12)))
        else:
            found |= set(range(now - _REACH, now + _REACH + 1)) | {2 * now, now // 2}
        yield from (value for value in sorted(found - {now}) if 0 <= value <= LARGEST)

    def _does(self, change: Change, among: frozenset[Layer]) -> bool:
        trial = self._trial(change).run(self.target.index, among)
        self._budget.steps -= trial.steps + 1
        return self.fits(trial) and not any(layer in among for layer in trial.refused if layer is not self.target)

    def _fails_later(self, change: Change) -> bool:
        """Whether another layer is then refused that is not refused today."""
        trial = self._trial(change).run()
        return not self.fits(trial) or not self.known_refusals.issuperset(trial.refused)

    def _written_beside(self, change: Change) -> bool:
        """Whether a layer on another way to the target has this value written for what is missing here."""
        mine = set(_above(change.layer))
        others = (layer for layer in _above(self.target) if layer not in mine)
        return any(
            one.key == change.setting.key and one.value == change.value and one.written
            for layer in others
            for one in settings(layer)
        )

    def _of_twins(self, layer: Layer) -> dict[str, set[int]]:
        if layer not in self._twin_settings:
            self._twin_settings[layer] = _of_twins(layer, self.twins)
        return self._twin_settings[layer]

    def _trial(self, change: Change) -> Trial:
        types = {change.layer: layer_type(change.new_type)} if change.new_type else {}
        return Trial(
            self.net,
            {change.layer: with_values(change.layer, change.values)},
            {layer: spec for layer, spec in types.items() if spec is not None},
            dict(self.given),
        )

    def _cost(self, change: Change, counts: Counter[tuple[str, str, int]]) -> float:
        setting, value = change.setting, change.value
        if change.new_type:
            return 0.5
        kind, now = setting.layer.type, setting.value
        mine, theirs = counts[kind, setting.key, now], counts[kind, setting.key, value]
        if value in self._of_twins(change.layer).get(setting.key, ()):
            cost = 0.0
        elif _fills(self.target, setting, value):
            cost = 0.5
        elif not setting.written and self._written_beside(change):
            cost = 0.3
        elif len(change.values) > len(setting.routes) or theirs > mine > 0 or _covers_stride(setting, value):
            cost = 1.0
        elif value in self.sizes and setting.name in _SIZED:
            cost = 2.0
        else:
            cost = 2.5 if theirs else 3.0
        cost += 0.4 * min(1.0, abs(log(value / now))) if value > 0 and now > 0 else 0.3
        cost += 0.01 * (self.target.index - change.layer.index) / max(1, len(self.net.layers))
        if setting.name in _RARELY_WRONG:
            cost += 1.0 if cost >= 1 else 0
        return cost + (0.0 if setting.written else 0.5)


def _above(layer: Layer) -> Iterator[Layer]:
    """A layer and those from which its bottoms come, nearest first."""
    seen = {layer}
    queue = [layer]
    for one in queue:
        yield one
        for blob in one.bottoms:
            if blob.producer not in seen:
                seen.add(blob.producer)
                queue.append(blob.producer)


def _values(*nets: Net) -> Counter[tuple[str, str, int]]:
    """How many layers of a type have a setting at a value."""
    return Counter(
        (layer.type, one.key, one.value)
        for net in nets
        for layer in net.layers
        for one in settings(layer)
        if one.written
    )


def _of_twins(layer: Layer, twins: Iterable[Net]) -> dict[str, set[int]]:
    """The settings of the layers of the same name, or of the sources of the same blob, in other nets."""
    made = {blob.name for blob in layer.tops}
    found: dict[str, set[int]] = {}
    for net in twins:
        for twin in net.layers:
            if twin.type != layer.type or _same_text(twin, layer):
                continue
            if twin.name == layer.name or (not layer.bottoms and made & {blob.name for blob in twin.tops}):
                for other in settings(twin):
                    found.setdefault(other.key, set()).add(other.value)
    return found


def _same_text(one: Layer, other: Layer) -> bool:
    return (one.origin.bound, one.origin.route) == (other.origin.bound, other.origin.route)


def _covers_stride(setting: Setting, value: int) -> bool:
    """Whether a kernel below its stride becomes as large as that."""
    if setting.name != "kernel_size" or setting.value >= value:
        return False
    return any(one.name == "stride" and one.value == value for one in settings(setting.layer))


def _fills(target: Layer, setting: Setting, value: int) -> bool:
    """Whether the layer that fails divides by a number of which the new value is a multiple and the old is none."""
    if setting.name != "num_output":
        return False
    units = [one.value for one in settings(target) if one.value > 1]
    return any(value % unit == 0 and setting.value % unit for unit in units)


def sizes_of(layer: Layer) -> frozenset[int]:
    """The sizes that meet in a layer: those of its bottoms, and their products."""
    shapes = [blob.shape for blob in layer.bottoms if blob.shape is not None]
    single = {size for shape in shapes for size in shape if size is not None and size > 0}
    whole = {count(shape, 1) for shape in shapes}
    return frozenset(single | {size for size in whole if size})

"""A training net and the net that shall run with its weights, layer by layer.

Layers go together by name, as weights do when they are loaded. Between two layers of a pair stand others that have no
weights and may be called anything; those are compared by what they do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from nanlint.analysis.alike import Difference, differences, same_type
from nanlint.analysis.channels import COLOUR, GREY, likely_channels
from nanlint.analysis.reach import above, below, learns
from nanlint.caffe.layers.base import shown
from nanlint.caffe.model import same_shape

if TYPE_CHECKING:
    from nanlint.caffe.deployment import Deployment
    from nanlint.caffe.model import Blob, Layer, Net

# what may stand between the data and the first layer of a net, and only moves them
_MOVING = ("Slice", "Concat", "Reshape", "Flatten", "Crop", "Python")
_PREDICTING = ("Softmax", "Sigmoid", "ArgMax")


_MOST = 0.75


class Unlike(NamedTuple):
    """Two layers of one name that do not fit each other.

    `settings`: what is set otherwise. `blobs`: how the weights differ, in words of each side, None where they fit.
    `other_type`: whether they are of different types.
    """

    here: Layer
    there: Layer
    settings: tuple[Difference, ...]
    blobs: tuple[str, str] | None
    other_type: bool = False


class Dropped(NamedTuple):
    """A layer of the training net that stands between two others, and is missing between them in the deploy net.

    `reader`: the deploy net's layer that gets `source` without it, None at the net's end.
    """

    layer: Layer
    reader: Layer | None
    source: Blob


class Inserted(NamedTuple):
    """A layer that only the deploy net has between two layers of both."""

    layer: Layer
    reader: Layer


class Pairing:
    """What a comparison shows; `here` is the deploy net, `there` the training net."""

    def __init__(self, pair: Deployment) -> None:
        self.here, self.reference, self.trained = pair.deploy, pair.reference, pair.trained
        self._there = _by_name(pair.reference)
        self._with_weights = {name: one for name, one in _by_name(pair.trained).items() if may_have_weights(one)}
        self._names = _by_name(pair.deploy)
        self._repeated = _repeated(pair.deploy) | _repeated(pair.reference)

    @cached_property
    def needing(self) -> tuple[Layer, ...]:
        """The deploy net's layers that need weights."""
        return tuple(layer for layer in self.here.layers if has_weights(layer) and not self._keeps_its_own(layer))

    def _keeps_its_own(self, layer: Layer) -> bool:
        meant = self.meant(layer) if is_fixed(layer) else None
        return is_fixed(layer) and (meant is None or not learns(meant))

    @cached_property
    def without_weights(self) -> tuple[Layer, ...]:
        """Those of them that no layer of the training net has weights for."""
        return tuple(layer for layer in self.needing if layer.name not in self._with_weights)

    def meant(self, layer: Layer) -> Layer | None:
        """The training net's layer of this type and these weights that the deploy net has not, if any."""
        from difflib import SequenceMatcher

        fitting = [
            other
            for name, other in self._with_weights.items()
            if name not in self._names and same_type(layer, other) and _other_blobs(layer, other) is None
        ]
        return max(fitting, key=lambda one: SequenceMatcher(None, one.name, layer.name).ratio(), default=None)

    @cached_property
    def is_of_another_net(self) -> bool:
        """Whether half of the layers with weights have no layer of their name, or most have none that they fit."""
        missing, needing = set(self.without_weights), len(self.needing)
        unfit = {one.here for one in self.unlike if one.blobs} & set(self.needing)
        strange = len(missing | unfit)
        return strange > 1 and (2 * len(missing) >= needing or strange >= _MOST * needing)

    @cached_property
    def merged(self) -> bool:
        """Whether all normalisation of the training net is worked into the deploy net's other weights."""
        trained = any(layer.facts.keeps_statistics for layer in self.trained.layers)
        return trained and not any(layer.facts.keeps_statistics for layer in self.here.layers)

    def matched(self, layer: Layer) -> Layer | None:
        """The training net's layer of the name of one of the deploy net's; a name that several layers without weights
        have tells nothing."""
        if not has_weights(layer) and layer.name in self._repeated:
            return None
        return self._there.get(layer.name) or self._with_weights.get(layer.name)

    @cached_property
    def unlike(self) -> tuple[Unlike, ...]:
        """The layers that have one name and are not the same, in order; what only follows from an earlier one is left
        out."""
        found: list[Unlike] = []
        changed: set[Layer] = set()
        for one in self._all_unlike:
            follows = one.blobs and not one.settings and not one.other_type
            if follows and not changed.isdisjoint(below(one.here)):
                continue
            changed.add(one.here)
            found.append(one)
        return tuple(found)

    @cached_property
    def _all_unlike(self) -> tuple[Unlike, ...]:
        pairs = [(layer, self.matched(layer)) for layer in self.here.layers if layer.bottoms]
        compared = [self._compared(layer, other) for layer, other in pairs if other is not None]
        return tuple(one for one in compared if one is not None)

    def _compared(self, here: Layer, there: Layer) -> Unlike | None:
        if not same_type(here, there):
            if _says_the_same(here, there) or not (here.spec and there.spec):
                return None
            return Unlike(here, there, (), _other_blobs(here, there), other_type=True)
        settings = list(differences(here, there))
        with_bias = self.merged and _gains_bias(settings)
        if with_bias:
            settings = [one for one in settings if not one.route.endswith("bias_term")]
        blobs = _other_blobs(here, there, with_bias)
        if not blobs and not settings:
            blobs = _other_channels(here, there)
        return Unlike(here, there, tuple(settings), blobs) if settings or blobs else None

    @cached_property
    def dropped(self) -> tuple[Dropped, ...]:
        """The training net's layers that are missing between two layers of both, each once."""
        found = {one.layer: one for layer in self.here.layers for one in self._dropped_below(layer)}
        for one in self._dropped_at_the_end():
            found.setdefault(one.layer, one)
        return tuple(found.values())

    @cached_property
    def inserted(self) -> tuple[Inserted, ...]:
        """Layers that only the deploy net has between two of both."""
        found: dict[Layer, Inserted] = {}
        for layer in self.here.layers:
            for mine, theirs in self._ways(layer):
                for extra in _lacking(mine.steps, theirs.steps):
                    if not mine.base.bottoms or extra.type in _PREDICTING or self._takes_part(extra):
                        continue
                    found.setdefault(extra, Inserted(extra, layer))
        return tuple(found.values())

    def _dropped_below(self, layer: Layer) -> Iterator[Dropped]:
        for mine, theirs in self._ways(layer):
            at_input = not theirs.base.bottoms
            for missing in _lacking(theirs.steps, mine.steps):
                if not self._takes_part(missing) and not (at_input and missing.type in _MOVING):
                    yield Dropped(missing, layer, mine.blob)

    def _ways(self, layer: Layer) -> Iterator[tuple[Way, Way]]:
        """How each bottom of a layer of both nets comes from the nearest such layer, on both sides."""
        other = self.matched(layer)
        if other is None or not (same_type(layer, other) or _says_the_same(layer, other)):
            return
        for blob, counterpart in zip(layer.bottoms, other.bottoms, strict=False):
            mine, theirs = self._way(blob, self._stands_there), self._way(counterpart, self._stands_here)
            if mine is None or theirs is None:
                continue
            if mine.base.name == theirs.base.name or not (mine.base.bottoms or theirs.base.bottoms):
                yield mine, theirs

    def _way(self, blob: Blob, ends: Callable[[Layer], bool]) -> Way | None:
        """The single-file layers between a blob and the layer of both nets that it comes from; None where ways meet."""
        steps: list[Layer] = []
        at = blob
        while True:
            layer = at.producer
            if not layer.bottoms or ends(layer):
                return Way(blob, layer, tuple(reversed(steps)))
            if len(layer.bottoms) != 1:
                return None
            if not layer.facts.idle_in_use:
                steps.append(layer)
            at = layer.bottoms[0]

    def _stands_there(self, layer: Layer) -> bool:
        other = self.matched(layer)
        return other is not None and not layer.facts.idle_in_use and same_type(layer, other)

    def _stands_here(self, layer: Layer) -> bool:
        other = self._names.get(layer.name)
        if not has_weights(layer) and layer.name in self._repeated:
            return False
        return other is not None and not layer.facts.idle_in_use and same_type(layer, other)

    def _takes_part(self, layer: Layer) -> bool:
        """Whether a layer may well be missing: the other net has it as another type, its work is done by merged
        weights, or nobody knows what it does."""
        in_both = layer.name in self._names and layer.name in self._there
        normalising = layer.facts.keeps_statistics or layer.facts.per_channel
        return in_both or layer.spec is None or (self.merged and normalising)

    def _dropped_at_the_end(self) -> Iterator[Dropped]:
        """Layers between the deploy net's last layers and the losses of the training net."""
        for blob in self.here.blobs:
            layer = blob.producer
            if blob.consumers or not self._stands_there(layer):
                continue
            for reader in above(self._there[layer.name]) if layer.name in self._there else ():
                if not any(reader.loss_weights) or not reader.bottoms:
                    continue
                way = self._way(reader.bottoms[0], self._stands_here)
                if way and way.base.name == layer.name:
                    for missing in way.steps:
                        if not self._takes_part(missing):
                            yield Dropped(missing, None, blob)


@lru_cache(maxsize=8)
def pairing(pair: Deployment) -> Pairing:
    """The comparison of a pair, made once."""
    return Pairing(pair)


class Way(NamedTuple):
    """How a blob comes from a layer of both nets: by which layers, in order."""

    blob: Blob
    base: Layer
    steps: tuple[Layer, ...]


def has_weights(layer: Layer) -> bool:
    return bool(layer.params)


def may_have_weights(layer: Layer) -> bool:
    """Whether a layer has weights, or was not built so far that it could have."""
    return bool(layer.params) or layer.spec is None or layer.refused


def is_fixed(layer: Layer) -> bool:
    """Whether a layer's weights are what its own settings make them: written in the file, or made and never to be
    learned."""
    if layer.param.blobs:
        return True
    fillers = [one.param.filler for one in layer.params]
    made = [filler for filler in fillers if filler is not None and filler.type in ("bilinear", "constant")]
    still = all(one.lr_mult == 0 for one in layer.params)
    return any(filler.type == "bilinear" for filler in made) or (
        still and layer.type != "BatchNorm" and len(made) == len(fillers) > 0 and any(one.value for one in made)
    )


def _by_name(net: Net) -> dict[str, Layer]:
    found: dict[str, Layer] = {}
    for layer in net.layers:
        found.setdefault(layer.name, layer)
    return found


def _repeated(net: Net) -> set[str]:
    counts = Counter(layer.name for layer in net.layers)
    return {name for name, number in counts.items() if number > 1}


def _says_the_same(here: Layer, there: Layer) -> bool:
    """Whether types differ as a loss and its prediction do, or because nothing is computed."""
    if not here.bottoms or not there.bottoms or any(there.loss_weights):
        return True
    return here.facts.idle_in_use and there.facts.idle_in_use


def _lacking(steps: tuple[Layer, ...], other: tuple[Layer, ...]) -> Iterator[Layer]:
    """The steps that another way has none like; in order."""
    left = list(other)
    for step in steps:
        like = next((one for one in left if same_type(one, step)), None)
        if like is None:
            yield step
        else:
            del left[: left.index(like) + 1]


def _gains_bias(settings: list[Difference]) -> bool:
    return any(one.route.endswith("bias_term") and one.here == "true" for one in settings)


def _other_blobs(here: Layer, there: Layer, with_bias: bool = False) -> tuple[str, str] | None:
    """How the learnable blobs of two layers differ; None where they fit, or nobody knows. `with_bias`: the deploy net's
    bias comes from elsewhere."""
    if here.spec is None or there.spec is None or here.refused or there.refused:
        return None
    mine, theirs = here.params, there.params
    if len(mine) != len(theirs) and not with_bias:
        return _counted(len(mine)), _counted(len(theirs))
    for one, other in zip(mine, theirs, strict=False):
        if same_shape(one.param.shape, other.param.shape) is False:
            return shown(one.param.shape), shown(other.param.shape)
    return None


def _other_channels(here: Layer, there: Layer) -> tuple[str, str] | None:
    """How the pictures differ that two layers read as the first with weights, where the training net's data likely have
    other channels; None where they have not, or nobody knows."""
    mine, source = _source(here), _source(there)
    shape = mine.tops[0].shape if mine is not None and mine.tops else None
    if source is None or not here.params or shape is None or len(shape) < 3:
        return None
    known, likely = shape[1], likely_channels(source)
    if known is None or likely is None or known == likely[0] or known not in (GREY, COLOUR):
        return None
    return f"weights for {known} channels", f"for {likely[0]} ({likely[1]})"


def _source(layer: Layer) -> Layer | None:
    """The layer without a bottom that a layer reads as the first with weights; None if there is another on the way."""
    while layer.bottoms:
        layer = layer.bottoms[0].producer
        if layer.params or len(layer.bottoms) > 1:
            return None
        if not layer.bottoms:
            return layer
    return None


def _counted(number: int) -> str:
    return {0: "no weights", 1: "1 blob of weights"}.get(number, f"{number} blobs of weights")

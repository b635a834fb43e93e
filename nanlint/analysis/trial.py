"""What a net would be with other settings: its layers set up again from the first changed one on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nanlint.caffe.layers.base import Blobs, Bottom, InPlace, LayerSetup, LayerType, Refusal
from nanlint.caffe.model import Blob, Layer, Net, Shape, same_shape
from nanlint.findings import Problem
from nanlint.schema.dialect import Dialect

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import LayerParameter


@dataclass
class Trial:
    """A net with some layers' settings replaced. `refused`: the layers in which Caffe would abort; `params`:
    the shapes of the parameters of every layer that was set up again. `shapes`: of blobs that are other than in the
    net; those given are what the layers above them meet."""

    net: Net
    params_of: Mapping[Layer, LayerParameter]
    types: Mapping[Layer, LayerType] = field(default_factory=dict)
    shapes: dict[Blob, Shape] = field(default_factory=dict)
    refused: list[Layer] = field(default_factory=list)
    params: dict[Layer, tuple[Shape, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    steps: int = 0

    def run(self, last: int | None = None, only: frozenset[Layer] | None = None) -> Trial:
        """Set up what the changes reach, to layer `last` at most, and of layers in `only` alone."""
        changed = [layer.index for layer in (*self.params_of, *self.types)]
        first = 0 if self.shapes else min(changed, default=0)
        for layer in self.net.layers[first : None if last is None else last + 1]:
            if (only is None or layer in only) and self._is_reached(layer):
                self._set_up(layer)
        return self

    def shape(self, blob: Blob) -> Shape:
        return self.shapes.get(blob, blob.shape)

    def _is_reached(self, layer: Layer) -> bool:
        if layer in self.params_of or layer in self.types or layer.refused:
            return True
        return any(blob in self.shapes for blob in layer.bottoms)

    def _set_up(self, layer: Layer) -> None:
        spec = self.types.get(layer, layer.spec)
        param = self.params_of.get(layer, layer.param)
        if spec is None or len(layer.bottoms) != len(param.bottom):
            self.shapes.update(dict.fromkeys(layer.tops))
            return
        self.steps += 1
        made = self._blobs(layer, spec, param) if _counts_fit(layer, spec, param) else None
        if made is None:
            self.refused.append(layer)
            self.shapes.update(dict.fromkeys(layer.tops))
            return
        self.params[layer] = tuple(one.shape for one in made.params)
        for blob, shape in zip(layer.tops, made.tops, strict=False):
            known = _as_given(blob, shape) if not layer.bottoms else shape
            if layer.refused or same_shape(blob.shape, known) is not True:
                self.shapes[blob] = known

    def _blobs(self, layer: Layer, spec: LayerType, param: LayerParameter) -> Blobs | None:
        by_name = {blob.name: blob for blob in layer.bottoms}
        setup = LayerSetup(
            param,
            layer.phase,
            [Bottom(name, self.shape(by_name[name]), by_name[name]) for name in param.bottom if name in by_name],
            [blob.name for blob in layer.tops],
            layer.origin,
            [],
            pinned=self.net.bound.dialect is Dialect.BVLC,
        )
        try:
            made = spec.setup(setup)
        except Refusal as refusal:
            self.problems.append(refusal.problem)
            return None
        if spec.written_in_place(param) is InPlace.REFUSED and any(map(layer.in_place, range(len(layer.tops)))):
            return None
        return made


def _counts_fit(layer: Layer, spec: LayerType, param: LayerParameter) -> bool:
    """Whether a layer has as many bottoms and tops as its type takes: Caffe checks that before any set-up
    (Layer::CheckBlobCounts)."""
    pairs = zip((len(layer.bottoms), len(layer.tops)), spec.arities(param), strict=True)
    return all(arity.least <= number and (arity.most is None or number <= arity.most) for number, arity in pairs)


def _as_given(blob: Blob, shape: Shape) -> Shape:
    """A source's shape, with what the user said of it where the files do not tell."""
    before = blob.shape
    if shape is None or before is None or len(shape) != len(before):
        return shape
    return tuple(old if size is None else size for size, old in zip(shape, before, strict=True))

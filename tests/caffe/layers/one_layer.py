"""One layer set up by itself, as Layer::SetUp would, with bottoms named b0, b1, ... and tops t0, t1, ..."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from nanlint.caffe.layers import layer_type
from nanlint.caffe.layers.base import TRAIN, Blobs, Bottom, LayerSetup, Refusal, Shape
from nanlint.caffe.model import Origin
from nanlint.findings import Problem
from nanlint.schema.bind import bind
from nanlint.text.parser import parse
from nanlint.text.source import Source

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import NetParameter


class Outcome(NamedTuple):
    """What came of the setup: the blobs (None after a refusal), and everything that was found."""

    blobs: Blobs | None
    problems: list[Problem]

    @property
    def tops(self) -> list[Shape]:
        assert self.blobs is not None, self.problems
        return list(self.blobs.tops)

    @property
    def params(self) -> list[Shape]:
        assert self.blobs is not None, self.problems
        return [param.shape for param in self.blobs.params]


def set_up(
    type_name: str,
    settings: str,
    *bottoms: Shape,
    tops: int = 1,
    phase: str = TRAIN,
    given: dict[str, Shape] | None = None,
) -> Outcome:
    """Set up a layer `l` of a type with these settings and bottoms."""
    text = f'layer {{ name: "l" type: "{type_name}" {settings} }}'
    bound = bind(parse(Source("net.prototxt", text)), "NetParameter")
    assert not bound.problems, bound.problems
    spec = layer_type(type_name)
    assert spec is not None
    origin = Origin(bound, "layer[0]")
    problems: list[Problem] = []
    layer = LayerSetup(
        cast("NetParameter", bound.message).layer[0],
        phase,
        [Bottom(f"b{i}", shape, origin.place("name")) for i, shape in enumerate(bottoms)],
        [f"t{i}" for i in range(tops)],
        origin,
        problems,
        given or {},
    )
    try:
        return Outcome(spec.setup(layer), problems)
    except Refusal as refusal:
        return Outcome(None, [*problems, refusal.problem])

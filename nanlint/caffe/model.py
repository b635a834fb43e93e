"""What Caffe builds: a solver, its nets, their layers and blobs, each tied to the place where it was written.

A shape is a tuple of sizes, outermost axis first, as Caffe prints them; a size that cannot be
known from the files is None, and a shape whose number of axes is unknown is None as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, TypeAlias, TypeVar

from nanlint.findings import Effect, Problem, Severity
from nanlint.text.source import Place

if TYPE_CHECKING:
    import networkx

    from nanlint.caffe.layers.base import LayerType
    from nanlint.data.records import Fed
    from nanlint.schema.bind import Bound
    from nanlint.schema.caffe_pb2 import (
        FillerParameter,
        LayerParameter,
        NetParameter,
        NetState,
        SolverParameter,
    )

Dim: TypeAlias = "int | None"
Shape: TypeAlias = "tuple[Dim, ...] | None"

_BEFORE_RUNNING = (Effect.PARSE_FAILURE, Effect.SETUP_FAILURE)

TRAIN = "TRAIN"
TEST = "TEST"


class Origin(NamedTuple):
    """Where a message was written: a route into a bound file, and the names its author used.

    `renames` maps routes of the upgraded message to routes of the written one
    (`param[0].lr_mult` to `blobs_lr[0]`); a rename holds for everything below it.
    """

    bound: Bound
    route: str
    renames: tuple[tuple[str, str], ...] = ()

    def place(self, route: str = "") -> Place:
        """The place of a field of the message; of what encloses it where the field is not written."""
        return self.bound.place(self.written(route))

    def written(self, route: str = "") -> str:
        """The route of a field in the bound file."""
        for upgraded, written in self.renames:
            if route == upgraded or route.startswith((upgraded + ".", upgraded + "[")):
                route = written + route[len(upgraded) :]
                break
        return ".".join(part for part in (self.route, route) if part)


class Param(NamedTuple):
    """One learnable blob of a layer: its shape, and what fills it.

    `filler` is None where the layer has no filler field for it; `default` is then every element's value.
    """

    shape: Shape
    filler: FillerParameter | None = None
    route: str = ""
    default: float = 0.0


@dataclass(eq=False)
class Blob:
    """One version of a blob: an in-place layer makes the next version under the same name."""

    name: str
    producer: Layer
    top_index: int
    version: int = 0
    shape: Shape = None
    consumers: list[tuple[Layer, int]] = field(default_factory=list)

    @property
    def count(self) -> Dim:
        """How many elements it has; None where that is unknown."""
        return count(self.shape)

    @property
    def made_at(self) -> Place:
        """The place of the `top` that makes it."""
        return self.producer.at(f"top[{self.top_index}]")

    def __repr__(self) -> str:
        return f"Blob({self.name!r}, version={self.version}, shape={self.shape})"


@dataclass(eq=False)
class LearnedParam:
    """A learnable blob as the net holds it: the layer's, or the one it shares with an earlier layer."""

    layer: Layer
    index: int
    param: Param
    name: str = ""
    lr_mult: float = 1.0
    decay_mult: float = 1.0
    owner: LearnedParam | None = None


@dataclass(eq=False)
class Layer:
    """One layer that the net's state keeps.

    `param` is the upgraded LayerParameter. `spec` is None for a type that nanlint does not know.
    `loss_weights` has one number a top: the weight with which it enters the gradient, 0 if it is no loss.
    `runs_backward` and `propagates` (one a bottom) say what Net::Init decides. `refused`: Caffe aborts in
    this layer; a bottom that no earlier layer makes is then missing in `bottoms`.
    """

    net: Net
    index: int
    param: LayerParameter
    origin: Origin
    name: str
    type: str
    phase: str
    spec: LayerType | None = None
    bottoms: list[Blob] = field(default_factory=list)
    tops: list[Blob] = field(default_factory=list)
    params: list[LearnedParam] = field(default_factory=list)
    loss_weights: list[float] = field(default_factory=list)
    runs_backward: bool = False
    propagates: list[bool] = field(default_factory=list)
    refused: bool = False

    @property
    def facts(self) -> LayerType:
        """What is known of the type, which is nothing where `spec` is None."""
        from nanlint.caffe.layers.base import UNKNOWN

        return self.spec or UNKNOWN

    @property
    def called(self) -> str:
        """The layer as messages name it: `` `conv1` ``, or its type where it has no name."""
        return f"`{self.name}`" if self.name else f"the {self.type} layer without a name"

    def at(self, route: str = "") -> Place:
        """The place of a field of this layer, by its V2 route (`pooling_param.stride`)."""
        return self.origin.place(route)

    def in_place(self, top_index: int) -> bool:
        """Whether a top is written over the bottom of the same index (the only in-place that Caffe knows)."""
        return top_index < len(self.bottoms) and self.tops[top_index].name == self.bottoms[top_index].name

    def __repr__(self) -> str:
        return f"Layer({self.index}, {self.name!r}, {self.type!r})"


@dataclass(eq=False)
class Net:
    """One net under one state, as Net::Init builds it. `problems` are in the order in which Caffe meets them.

    `trained`: a solver trains it. `opened`: False where its solver surely aborts before Caffe reads it.
    `role`: TRAIN or TEST as its solver calls it, whatever phase its state
    sets. `runs`: False where its solver builds it and then never runs it. `iterations`: how many training
    iterations its solver runs of it, None if no solver says so. `foreign`: it is written for a fork of Caffe,
    whose layers may do other than Caffe's of the same name. `given_ranges`: the least and greatest value of
    blobs that the user or the data knows, by blob name. `fed`: what its data layers hand to their tops, by the names
    of these, where the data was read. `loaded`: the layers that a weights file of its solver fills. `fresh`: whether
    it first runs with the weights that its fillers make, None if no solver says so. `companions`: the other nets of
    its solver, or of its file. `named_at`: where its solver names its file. `results`: what `kept` keeps.
    """

    bound: Bound
    param: NetParameter
    state: NetState
    phase: str
    path: str
    layers: list[Layer] = field(default_factory=list)
    blobs: list[Blob] = field(default_factory=list)
    params: list[LearnedParam] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    origin: Origin | None = None
    trained: bool = False
    opened: bool = True
    role: str = ""
    runs: bool = True
    iterations: int | None = None
    foreign: bool = False
    given_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    fed: Mapping[str, Fed] = field(default_factory=dict)
    loaded: frozenset[str] = frozenset()
    fresh: bool | None = None
    companions: tuple[Net, ...] = ()
    named_at: Place | None = None
    results: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False)

    def at(self, route: str = "") -> Place:
        """The place of a field of the net."""
        return self.origin.place(route) if self.origin else self.bound.place(route)

    def found(self, kind: str) -> Iterator[Problem]:
        """The problems of one kind that were met while the net was built."""
        return (problem for problem in self.problems if problem.kind == kind)

    @cached_property
    def refused(self) -> bool:
        """Whether Caffe cannot build this net."""
        return any(layer.refused for layer in self.layers) or any(map(ends_setup, self.problems))

    def __repr__(self) -> str:
        return f"Net({self.path!r}, {self.phase}, {len(self.layers)} layers)"

    @cached_property
    def graph(self) -> networkx.DiGraph[str]:
        """Layers and blobs as a networkx digraph, built on first use."""
        from nanlint.caffe.graph import digraph

        return digraph(self)


@dataclass(eq=False)
class Solver:
    """A solver file with its nets, in the order in which Caffe creates them.

    `pinned`: exactly BVLC Caffe 1.0 will run it, so what only forks know is unknown.
    """

    bound: Bound
    param: SolverParameter
    path: str
    nets: list[Net] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    pinned: bool = False

    def __repr__(self) -> str:
        return f"Solver({self.path!r}, nets={self.nets})"

    def at(self, route: str = "") -> Place:
        """The place of a field of the solver."""
        return self.bound.place(route)

    def found(self, kind: str) -> Iterator[Problem]:
        """The problems of one kind that were met while the solver was set up."""
        return (problem for problem in self.problems if problem.kind == kind)

    @property
    def train_net(self) -> Net | None:
        """The net that is trained, if it could be read."""
        return next((net for net in self.nets if net.trained), None)


Given = ParamSpec("Given")
Found = TypeVar("Found")


def kept(analysis: Callable[Concatenate[Net, Given], Found]) -> Callable[Concatenate[Net, Given], Found]:
    """Make an analysis of a net remember what it found, for as long as the net lives."""

    @wraps(analysis)
    def once(net: Net, /, *args: Given.args, **kwargs: Given.kwargs) -> Found:
        key = (once, args, tuple(kwargs.items()))
        if key not in net.results:
            net.results[key] = analysis(net, *args, **kwargs)
        found: Found = net.results[key]
        return found

    return once


def forgotten(net: Net, analysis: Callable[..., Any]) -> None:
    """Drop what an analysis that is `kept` has found of a net."""
    for key in [key for key in net.results if key[0] is analysis]:
        del net.results[key]


def ends_setup(problem: Problem) -> bool:
    """Whether Caffe surely stops at a problem before anything runs."""
    return problem.effect in _BEFORE_RUNNING and problem.severity in (None, Severity.ERROR)


def count(shape: Shape, start: int = 0, end: int | None = None) -> Dim:
    """The product of the sizes of axes start..end (not included); None where one is unknown.

    A size of 0 makes the product 0 whatever the others are.
    """
    if shape is None:
        return None
    product: int | None = 1
    for size in shape[start:end]:
        if size == 0:
            return 0
        product = None if product is None or size is None else product * size
    return product


def same_shape(one: Shape, other: Shape) -> bool | None:
    """Whether two shapes are equal; None where it cannot be known."""
    if one is None or other is None:
        return None
    if len(one) != len(other):
        return False
    pairs: Sequence[tuple[Dim, Dim]] = list(zip(one, other, strict=True))
    if any(a is not None and b is not None and a != b for a, b in pairs):
        return False
    return None if any(a is None or b is None for a, b in pairs) else True

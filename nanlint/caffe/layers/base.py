"""What every layer type states: its bottoms and tops, its setup conditions, its shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeAlias

from nanlint.caffe.model import TEST, TRAIN, Blob, Dim, Origin, Param, Shape
from nanlint.findings import Effect, Fix, Problem, Related, Severity
from nanlint.numbers.moments import Gradient
from nanlint.text.source import Place

if TYPE_CHECKING:
    from nanlint.caffe.layers.pull import Pull
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.numbers.moments import Moment, Moments
    from nanlint.numbers.values import Value
    from nanlint.schema.caffe_pb2 import LayerParameter

__all__ = [
    "TEST",
    "TRAIN",
    "Arity",
    "Blobs",
    "Bottom",
    "Dim",
    "InPlace",
    "LayerSetup",
    "LayerType",
    "Param",
    "Refusal",
    "Shape",
]


Reads: TypeAlias = "frozenset[str] | None"
NOTHING: frozenset[str] = frozenset()
TOP: frozenset[str] = frozenset({"top"})
BOTTOM: frozenset[str] = frozenset({"bottom"})
BOTH: frozenset[str] = frozenset({"top", "bottom"})


class Arity(NamedTuple):
    """How many bottoms or tops a type takes: at least `least`, at most `most` (None: any number)."""

    least: int = 0
    most: int | None = None


def exactly(number: int) -> Arity:
    return Arity(number, number)


def at_least(number: int) -> Arity:
    return Arity(number)


def between(least: int, most: int) -> Arity:
    return Arity(least, most)


class InPlace(Enum):
    """What comes of a layer whose top is written over its bottom."""

    RIGHT = "right"
    REFUSED = "refused"
    WRONG_GRADIENT = "the gradient is wrong"
    WRONG_OUTPUT = "the output is wrong"


class Bottom(NamedTuple):
    """What a layer reads: a blob's name and shape, and the top that made it, or the place of that top."""

    name: str
    shape: Shape
    made: Blob | Place

    @property
    def made_at(self) -> Place:
        """The place of the top that made it."""
        return self.made if isinstance(self.made, Place) else self.made.made_at


class Blobs(NamedTuple):
    """What a layer has after its setup: the shape of each top, and its learnable blobs."""

    tops: tuple[Shape, ...]
    params: tuple[Param, ...] = ()


def shown(shape: Shape) -> str:
    """A shape as messages show it: `64 x 3 x ? x ?`, unknown sizes as question marks."""
    if shape is None:
        return "unknown shape"
    return " x ".join("?" if size is None else str(size) for size in shape) or "a scalar without axes"


class Refusal(Exception):  # noqa: N818
    """Caffe aborts in this layer; carries the problem that says so."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(eq=False)
class LayerSetup:
    """What a layer sees while Caffe sets it up (Layer::SetUp), and where it reports what it finds.

    `given`: shapes of blobs that the files do not tell and the user does (`--input data:64,3,227,227`).
    `pinned`: BVLC Caffe 1.0 itself will run the net, no fork.
    `again`: not the first time; blobs that held elements once keep their memory (Layer::Reshape at each
    forward).
    """

    param: LayerParameter
    phase: str
    bottoms: Sequence[Bottom]
    top_names: Sequence[str]
    origin: Origin
    problems: list[Problem]
    given: Mapping[str, Shape] = field(default_factory=dict)
    pinned: bool = False
    again: bool = False

    @property
    def name(self) -> str:
        return self.param.name

    def at(self, route: str = "") -> Place:
        """The place of a field of this layer."""
        return self.origin.place(route)

    def in_place(self, index: int) -> bool:
        """Whether the top is written over the bottom of the same index."""
        tops, bottoms = self.top_names, self.bottoms
        return index < len(tops) and index < len(bottoms) and tops[index] == bottoms[index].name

    def problem(
        self,
        kind: str,
        route: str,
        message: str,
        *,
        effect: Effect = Effect.SETUP_FAILURE,
        evidence: str | None = None,
        related: Sequence[Related] = (),
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> Problem:
        return Problem(
            self.at(route),
            message,
            kind,
            evidence,
            tuple(related),
            fix,
            self.name,
            self.phase,
            severity,
            effect,
        )

    def refuse(self, kind: str, route: str, message: str, **more: object) -> Refusal:
        """The exception to raise where Caffe's setup aborts (the layer's tops stay unknown)."""
        return Refusal(self.problem(kind, route, message, **more))  # type: ignore[arg-type]

    def report(self, kind: str, route: str, message: str, **more: object) -> None:
        """Record a problem that does not end the setup (a later failure, a memory error)."""
        self.problems.append(self.problem(kind, route, message, **more))  # type: ignore[arg-type]

    def origin_of(self, index: int, what: str) -> Related:
        """The place where bottom `index` comes from, with what is to be said of it."""
        return Related(what, self.bottoms[index].made_at)

    def origins(self, *indices: int) -> list[Related]:
        """The places where bottoms get their shapes (all bottoms, if none is named)."""
        return [
            self.origin_of(i, f"`{self.bottoms[i].name}` gets its shape here: {shown(self.bottoms[i].shape)}")
            for i in indices or range(len(self.bottoms))
        ]

    def bottom(self, index: int) -> str:
        """A bottom as messages call it: its name and shape."""
        return f"`{self.bottoms[index].name}` ({shown(self.bottoms[index].shape)})"


class LayerType:
    """Everything that nanlint knows of one layer type, in one place."""

    bottoms: ClassVar[Arity] = exactly(1)
    tops: ClassVar[Arity] = exactly(1)
    equal_counts: ClassVar[bool] = False
    """As many tops as bottoms (EqualNumBottomTopBlobs)."""
    makes_missing_tops: ClassVar[bool] = False
    """Tops that are not written are made by the net (AutoTopBlobs)."""
    is_loss: ClassVar[bool] = False
    """The first top has loss weight 1 unless the file says otherwise (LossLayer)."""
    touches_data: ClassVar[bool] = True
    """Forward reads or writes the blobs' data, so it dies on one that holds no element."""
    in_place: ClassVar[InPlace] = InPlace.RIGHT
    multiplies: ClassVar[bool] = False
    """The first learned blob holds weights, and a top is sums of their products with the bottom."""
    rearranges: ClassVar[bool] = False
    """A top holds the numbers of bottom 0 in other places, as far as their scale goes."""
    knows_overwritten: ClassVar[bool] = False
    """`values` says what is left where a top is written over a bottom that is still needed."""
    holds_pixels: ClassVar[bool] = False
    """Top 0 holds the pixels of images."""
    keeps_maps: ClassVar[bool] = False
    """A top has as many rows and columns as the bottoms."""
    reshapes: ClassVar[bool] = True
    """Reshape gives the tops their sizes, also at each forward pass."""
    trusts_size: ClassVar[bool] = False
    """Forward goes through its bottom by the size of the top, and so beyond it where they are one blob."""
    transforms: ClassVar[bool] = False
    """Applies `transform_param` to what it reads (data_transformer.cpp)."""
    labels_on_top: ClassVar[bool] = False
    """Top 1 holds the class numbers that lie beside the data."""
    logarithmic: ClassVar[bool] = False
    """A loss that takes the logarithm of a label's probability."""
    scale_block: ClassVar[str] = ""
    """The block with the `spatial_scale` of a layer that pools regions of a map."""
    changes_values: ClassVar[bool] = False
    """Changes the numbers that pass it one by one or map by map, in both phases alike."""
    normalises: ClassVar[bool] = False
    """Takes away the scale of its bottom."""
    keeps_statistics: ClassVar[bool] = False
    """Keeps a running mean and variance in blobs that no gradient reaches."""
    per_channel: ClassVar[bool] = False
    """Its learned blobs scale or shift whole channels."""
    idle_in_use: ClassVar[bool] = False
    """Does nothing once a net is no longer trained."""
    made_to_be_shown: ClassVar[bool] = False
    """Its tops are for people to see, not for other layers."""
    takes_labels: ClassVar[bool] = False
    """Bottom 1 holds classes, which index the scores of bottom 0."""
    inference_form: ClassVar[str] = ""
    """The type that gives a loss's prediction once nothing is trained any more."""
    over_softmax: ClassVar[bool] = False
    """Takes the softmax of its scores before anything else."""
    normalization: ClassVar[str] = ""
    """How a loss that heeds `loss_param.normalization` is averaged where it says nothing."""
    finite: ClassVar[tuple[str, ...]] = ()
    """The routes of settings that make NaN or infinity of finite numbers where they are not finite themselves."""
    finite_remedy: ClassVar[str] = "write a finite number"
    engine_block: ClassVar[str] = ""
    """The block with the `engine` that layer_factory.cpp chooses code by."""
    eps_block: ClassVar[str] = ""
    """The block with the `eps` that keeps a divisor of BVLC Caffe's above 0."""
    source_block: ClassVar[str] = ""
    """The block with the `source` whose items a layer reads, `batch_size` of them at a time."""
    gradient_from_memory: ClassVar[bool] = False
    """`gradients` looks at nothing but what Backward reads, so that it holds of data overwritten since, too."""
    keeps_symmetry: ClassVar[bool] = False
    """Channels that are equal below are equal above, as long as its own learned blobs do not tell them apart."""

    def arities(self, param: LayerParameter) -> tuple[Arity, Arity]:
        """How many bottoms and tops a layer with these settings takes."""
        return self.bottoms, self.tops

    def written_in_place(self, param: LayerParameter) -> InPlace:
        """What comes of a layer with these settings when it works in place."""
        return self.in_place

    def backward_reads(self, param: LayerParameter) -> Reads:
        """What Backward_cpu reads for the gradients of the bottoms: data of tops, of bottoms; None: not known."""
        return None

    def setup(self, layer: LayerSetup) -> Blobs:
        """The tops and parameters after LayerSetUp and Reshape.

        Raises Refusal where Caffe aborts. Shapes of bottoms can be unknown, wholly or in part;
        the answer is then as far known as it can be, and nothing is refused that is not proved.
        """
        raise NotImplementedError

    def values(self, step: Step) -> list[Value]:
        """What each top can hold after forward; tops that are left out can hold any finite number."""
        return []

    def gradients(self, step: Step) -> list[Value]:
        """What the gradient of each bottom can hold after backward; those left out, any finite number."""
        return []

    def moments(self, layer: Layer, bottoms: Moments) -> Moments:
        """E[x^2] of each top at initialisation; None where it is unknown."""
        read = bottoms[:1] if self.rearranges else bottoms
        known = [moment for moment in read if moment is not None]
        top = self.moment(layer, known) if known and len(known) == len(read) else None
        if top is not None and top.log != top.log:
            top = None
        return [top] * len(layer.tops)

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment | None:
        """The same of all tops alike, where it is known of every bottom that is read."""
        return bottoms[0] if self.rearranges else None

    def carried_to(self, layer: Layer, bottoms: Moments, top: Gradient) -> Sequence[Gradient | None]:
        """The gradient at each bottom, for one at a top; None where it is unknown."""
        known = self.carried(layer, bottoms, top)
        read = 1 if self.rearranges else len(bottoms)
        return [known if index < read else Gradient(-inf) for index in range(len(bottoms))]

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        """The same for all bottoms alike."""
        return top if self.rearranges else None

    def pull(self, layer: Layer, prediction: Moment, label: Moment | None) -> Pull | None:
        """What a loss makes of predictions at initialisation; None where it is unknown."""
        return None

    def classes(self, layer: Layer) -> Dim:
        """How many classes bottom 0 has scores for; None where that is unknown, or no question."""
        return None

    def map_step(self, layer: Layer) -> float | None:
        """How many rows and columns of the bottom one step on a top is; None where it is unknown."""
        return 1.0 if self.keeps_maps else None

    def shares_memory(self, layer: Layer) -> bool:
        """Whether the tops are the memory of the bottom under other names."""
        return False

    def gpu_only(self, param: LayerParameter) -> str:
        """The route of a setting for which Caffe has no CPU code; empty where there is none."""
        return ""

    def fan_in(self, layer: Layer) -> float | None:
        """How many products with weights one element of a top sums up; None where that is unknown."""
        return None

    def may_propagate(self, bottom: int) -> bool:
        """Whether force_backward may ask for the gradient of a bottom (AllowForceBackward)."""
        return True

    def fixed_at_setup(self, layer: LayerSetup) -> Shape:
        """Sizes, besides those of the parameters, that LayerSetUp reads and Reshape does not let change."""
        return ()

    def dies_without_rows(self, param: LayerParameter) -> bool:
        """Whether Forward aborts, or divides by 0, once the batch has become empty."""
        return False

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        """Whether Backward aborts when the gradient of one of the bottoms is asked for (propagate_down)."""
        return False


UNKNOWN = LayerType()
"""Of a type that nanlint does not know, nothing is known."""

"""A net as Net::Init builds it (net.cpp): filter, splits, then layer by layer, and the backward pass at the
end.

Every defect is recorded in the order in which Caffe would meet it, and building goes on after each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nanlint.caffe import wiring
from nanlint.caffe.backward import Node, decide_backward
from nanlint.caffe.fillers import filler_failure
from nanlint.caffe.layer_types import is_foreign, unknown_type
from nanlint.caffe.layers import OPTIONAL_TYPES, layer_type
from nanlint.caffe.layers.base import Blobs, Bottom, InPlace, LayerSetup, LayerType, Refusal
from nanlint.caffe.model import Blob, Layer, Net, Param, Shape, ends_setup
from nanlint.caffe.options import Options
from nanlint.caffe.sharing import ParamTable
from nanlint.caffe.splits import Plan, Step, insert_splits
from nanlint.caffe.state import PHASES, keeps, phase_name
from nanlint.caffe.unknown_bottoms import report_unknown_bottoms
from nanlint.caffe.upgrade import OriginalLayer, UpgradedNet
from nanlint.findings import Problem, Severity

if TYPE_CHECKING:
    from nanlint.caffe.model import Origin
    from nanlint.schema.bind import Bound
    from nanlint.schema.caffe_pb2 import NetState

AUTOMATIC = "(automatic)"
"""The name of a top that the net makes for a loss layer which writes none; nobody can read it."""


def build(
    bound: Bound,
    upgraded: UpgradedNet,
    state: NetState,
    options: Options | None = None,
    origin: Origin | None = None,
) -> Net:
    """The net under a state. `origin`: where it stands in `bound`, None if it is the whole file."""
    net = Net(bound, upgraded.param, state, phase_name(state), bound.source.path, origin=origin)
    net.problems.extend(upgraded.problems)
    _Builder(net, options or Options()).run(upgraded)
    return net


class _Builder:
    def __init__(self, net: Net, options: Options) -> None:
        self.net = net
        self.options = options
        self.written: list[OriginalLayer] = []
        self.plan = Plan()
        self.nodes: list[Node] = []
        self.blob_count = 0
        self.blob_ids: dict[str, int] = {}
        self.versions: dict[str, int] = {}
        self.params = ParamTable(net)

    def run(self, upgraded: UpgradedNet) -> None:
        net = self.net
        for written in upgraded.layers:
            if written.has_rules:
                if written.param.include and written.param.exclude:
                    net.problems.append(wiring.include_and_exclude(written.origin, written.param))
                if not keeps(net.state, written.param):
                    continue
            self.written.append(written)
        self.plan = insert_splits(self.written)
        for index, (param, origin, *_) in enumerate(self.written):
            phase = PHASES[param.phase] if param.HasField("phase") else net.phase
            net.layers.append(Layer(net, index, param, origin, param.name, param.type, phase))
        report_unknown_bottoms(net, upgraded, self.plan)
        for step in self.plan.steps:
            if step.split_top is None:
                self.add_layer(net.layers[step.layer], step)
            else:
                self.add_split(net.layers[step.layer], step, step.split_top)
        decide_backward(self.nodes, upgraded.param.force_backward)
        if not self.options.pinned and _is_foreign(net):
            net.foreign = True
            net.problems[:] = map(_less_sure, net.problems)

    def add_split(self, layer: Layer, step: Step, top_index: int) -> None:
        node = Node(None, [self.blob_ids[step.bottoms[0]]], [], step.loss_weights or [0.0] * len(step.tops))
        for name in step.tops:
            if name in self.blob_ids:
                self.net.problems.append(wiring.split_name_taken(layer, top_index, name))
            node.tops.append(self.new_blob_id(name))
        self.nodes.append(node)

    def add_layer(self, layer: Layer, step: Step) -> None:
        """One layer, in the order of Net::Init: propagate_down, type, inline blobs, bottoms, tops, setup,
        parameters."""
        problems = self.net.problems
        before = len(problems)
        propagate_down = layer.param.propagate_down
        if propagate_down and len(propagate_down) != len(step.bottoms):
            problems.append(wiring.wrong_propagate_down(layer))
        if not self.options.lacks_type(layer.type):
            layer.spec = layer_type(layer.type, self.options.pinned)
        if layer.spec is None or layer.type in OPTIONAL_TYPES:
            unknown = unknown_type(layer.origin, layer.name, layer.type, self.options)
            if unknown is not None:
                problems.append(unknown)
        if layer.param.blobs:
            problems.extend(wiring.bad_inline_blobs(layer))
        self.connect_bottoms(layer, len(step.bottoms))
        node = Node(layer, [self.blob_ids.get(name, -1) for name in step.bottoms], [], [])
        self.add_tops(layer, step, node)
        if layer.spec is not None:
            self.set_up(layer, layer.spec, step, node)
            wiring.forget_missing_inputs(layer)
        else:
            self.guess_opaque(layer, step, node)
        node.propagate_down = propagate_down
        self.nodes.append(node)
        if len(problems) > before:
            layer.refused = layer.refused or any(map(ends_setup, problems[before:]))

    def connect_bottoms(self, layer: Layer, bottoms: int) -> None:
        """Bottoms that no earlier layer makes are left out, and the layer is refused."""
        for index in range(bottoms):
            source = self.plan.sources.get((layer.index, index))
            if source is None:
                layer.refused = True
                continue
            blob = self.net.layers[source[0]].tops[source[1]]
            blob.consumers.append((layer, index))
            layer.bottoms.append(blob)

    def add_tops(self, layer: Layer, step: Step, node: Node) -> None:
        for index, name in enumerate(step.tops):
            if index < len(step.bottoms) and step.bottoms[index] == name and name in self.blob_ids:
                node.tops.append(self.blob_ids[name])
            else:
                if name in self.blob_ids:
                    self.net.problems.append(wiring.duplicate_top(layer, index, self.plan))
                node.tops.append(self.new_blob_id(name))
            self.add_blob(layer, name, index)
        if layer.spec is not None and layer.spec.makes_missing_tops:
            needed = layer.spec.arities(layer.param)[1].least
            for index in range(len(step.tops), needed):
                node.tops.append(self.new_blob_id(None))
                self.add_blob(layer, AUTOMATIC, index)

    def new_blob_id(self, name: str | None) -> int:
        self.blob_count += 1
        if name is not None:
            self.blob_ids[name] = self.blob_count
        return self.blob_count

    def add_blob(self, layer: Layer, name: str, index: int) -> None:
        version = self.versions.get(name, 0)
        self.versions[name] = version + 1
        blob = Blob(name, layer, index, version)
        layer.tops.append(blob)
        self.net.blobs.append(blob)

    # setup

    def set_up(self, layer: Layer, spec: LayerType, step: Step, node: Node) -> None:
        """Layer::SetUp: counts, the type's own setup with its fillers, loss weights; then the parameters."""
        problems = self.net.problems
        node.losses = [0.0] * len(layer.tops)
        layer.loss_weights = list(node.losses)
        counts = wiring.wrong_counts(layer, spec)
        if counts is not None:
            problems.append(counts)
        if counts is not None or len(layer.bottoms) != len(step.bottoms):
            node.learns = wiring.may_learn(layer)
            self.set_losses(layer, spec, step, node)
            return
        blobs = self.type_setup(layer, spec)
        if blobs is None:
            node.learns = wiring.may_learn(layer)
            self.set_losses(layer, spec, step, node)
            return
        for blob, shape in zip(layer.tops, blobs.tops, strict=False):
            blob.shape = self.given_shape(blob.name, shape) if not layer.bottoms else shape
        self.check_fillers(layer, blobs.params)
        self.set_losses(layer, spec, step, node)
        problems.extend(self.params.add(layer, blobs.params or wiring.inline_params(layer.param)))
        node.learns = wiring.learns(layer)

    def type_setup(self, layer: Layer, spec: LayerType) -> Blobs | None:
        """LayerSetUp and Reshape of the layer's type; None where Caffe aborts in it."""
        known = self.by_data(layer)
        setup = LayerSetup(
            layer.param,
            layer.phase,
            [Bottom(blob.name, blob.shape, blob) for blob in layer.bottoms],
            [blob.name for blob in layer.tops],
            layer.origin,
            self.net.problems,
            {**self.options.inputs, **known} if known else self.options.inputs,
            self.options.pinned,
        )
        try:
            blobs = spec.setup(setup)
            if spec.written_in_place(layer.param) is InPlace.REFUSED:
                for index in range(len(layer.tops)):
                    if layer.in_place(index):
                        raise wiring.refused_in_place(setup, index)
        except Refusal as refusal:
            self.net.problems.append(refusal.problem)
            return None
        if known:
            tops = zip(layer.tops, blobs.tops, strict=False)
            blobs = blobs._replace(tops=tuple(known.get(blob.name, shape) for blob, shape in tops))
        return blobs

    def by_data(self, layer: Layer) -> Mapping[str, Shape]:
        """The shapes of a layer's tops as its data shows them."""
        data = self.options.data
        return data.shapes(layer.param, self.net.path) if data is not None and not layer.bottoms else {}

    def given_shape(self, name: str, shape: Shape) -> Shape:
        """A shape that depends on data, where the user says it."""
        given = self.options.inputs.get(name)
        return given if given is not None and (shape is None or None in shape) else shape

    def check_fillers(self, layer: Layer, params: Sequence[Param]) -> None:
        for param in params:
            if param.filler is None:
                continue
            failure = filler_failure(param.filler, param.shape)
            if failure is not None:
                self.net.problems.append(wiring.bad_filler(layer, param, failure))

    def set_losses(self, layer: Layer, spec: LayerType, step: Step, node: Node) -> None:
        """Layer::SetLossWeights, after a loss layer has given itself the weight 1 (LossLayer::LayerSetUp)."""
        weights = step.loss_weights
        if not weights and spec.is_loss and layer.tops:
            weights = [1.0]
        if weights and len(weights) != len(layer.tops):
            self.net.problems.append(wiring.wrong_loss_weights(layer, weights))
            weights = [*weights, *[0.0] * len(layer.tops)][: len(layer.tops)]
        if weights:
            node.losses = list(weights)
            layer.loss_weights = list(weights)
        wiring.put_back_split_weights(layer, self.plan, step)

    def guess_opaque(self, layer: Layer, step: Step, node: Node) -> None:
        """A type that nanlint does not know: a loss if it is called so, learning if it may have
        parameters."""
        weights = list(step.loss_weights) or ([1.0] if layer.type.endswith("Loss") else [])
        weights = [*weights, *[0.0] * len(layer.tops)][: len(layer.tops)]
        node.losses = weights
        layer.loss_weights = list(weights)
        wiring.put_back_split_weights(layer, self.plan, step)
        node.learns = wiring.may_learn(layer)
        for blob in layer.tops:
            if not layer.bottoms:
                blob.shape = self.given_shape(blob.name, None)
        specs = layer.param.param
        for index in range(len(specs)):
            self.params.add_unknown(layer, index)


_FORK_FIELDS = ("fork-field", "unknown-field", "unknown-enum-value")
# what every fork builds nets by; the conditions of single layers are a fork's own
SURE_IN_FORKS = ("unknown-bottom", "duplicate-top", "unknown-layer-type")
# forks give many layers more bottoms and tops than BVLC Caffe does, under the same name
_WIDENED_IN_FORKS = ("wrong-bottom-count", "wrong-top-count")


def _is_foreign(net: Net) -> bool:
    """Whether a net is written for a fork. A name that was read as the one that is meant is a slip, no fork's own."""
    return (
        bool(net.bound.fork_uses)
        or any(is_foreign(layer.type) for layer in net.layers)
        or any(problem.kind in _FORK_FIELDS and problem.fix is None for problem in net.bound.problems)
    )


def _less_sure(problem: Problem) -> Problem:
    if problem.kind in SURE_IN_FORKS or problem.severity is Severity.INFO:
        return problem
    likely = Severity.INFO if problem.kind in _WIDENED_IN_FORKS else Severity.WARNING
    return problem._replace(severity=likely)

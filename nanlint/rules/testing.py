"""The nets that a solver tests with: what in them was never trained, and what no state lets in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.model import TEST, count
from nanlint.caffe.solver import net_sources
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.registry import INFO, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net, Solver
    from nanlint.schema.caffe_pb2 import NetStateRule


@rule("TEST001", "untrained-test-layer", WARNING, effect=Effect.NO_LEARNING)
def untrained_test_layer(solver: Solver) -> Iterator[Problem]:
    """A layer with weights stands in a test net alone, so nothing trains it.

    **In Caffe** a test net takes over the weights of the training net's layers by their names (net.cpp,
    ShareTrainedLayersWith); what has no such layer keeps what its filler made, or what `weights` gave it. Its
    outputs, and the test loss above it, do not change while the training loss falls.

    **Instead** give the layer the name that it has in the training net.
    """
    train = solver.train_net
    if train is None or train.refused:
        return
    trained = {layer.name for layer in train.layers}
    for net in solver.nets:
        if net is train or not net.runs or net.refused:
            continue
        strange = [layer for layer in net.layers if layer.name not in trained and _needs_training(layer, trained)]
        for layer in strange:
            named = "unless `weights` gives them, its weights stay" if solver.param.weights else "its weights stay"
            yield finding(
                layer.at("name"),
                f"the training net has no layer {layer.called}, so nothing trains it and {named} what its filler "
                "makes, in every test; give it the name that it has in the training net",
                layer=layer.name,
                phase=net.phase,
                severity=INFO if solver.param.weights else None,
                related=[Related("the net that is trained", train.at())],
            )


def _needs_training(layer: Layer, trained: set[str]) -> bool:
    """Whether a layer has weights that are neither fixed by its settings nor shared with a trained layer."""
    from nanlint.analysis.pairing import is_fixed

    own = [one for one in layer.params if one.owner is None or one.owner.layer.name not in trained]
    return bool(own) and not is_fixed(layer)


@rule("TEST002", "stage-never-set", WARNING, effect=Effect.NONE)
def stage_never_set(solver: Solver) -> Iterator[Problem]:
    """A layer is included in a stage that no net of the solver is built with.

    **In Caffe** a layer with `include` is left out unless the net's state meets it (net.cpp, FilterNet), without a
    word. The state comes from `train_state`, `test_state` and the net's own `state`.

    **Instead** set the stage in the solver (`test_state { stage: "..." }`), or remove the rule.
    """
    nets = [net for net in solver.nets if net.bound is not solver.bound]
    set_stages = {stage for net in nets for stage in net.state.stage if stage}
    seen: set[tuple[str, str]] = set()
    for net in nets:
        for index, layer in enumerate(net.param.layer):
            missing = [stage for stage in _demanded(layer.include) if stage not in set_stages]
            if not missing or (net.path, layer.name) in seen or _is_for_use(missing):
                continue
            seen.add((net.path, layer.name))
            yield finding(
                net.at(f"{_written(net, index)}.include[0].stage"),
                f"`{layer.name}` needs the stage `{missing[0]}`, which no net of this solver is built with, so it is "
                f'in none of them; write `{_state_field(layer.include)} {{ stage: "{missing[0]}" }}` in the solver, or '
                "remove the rule",
                layer=layer.name,
                severity=INFO if set_stages else WARNING,
            )


def _written(net: Net, index: int) -> str:
    """The route of a layer, which may be written in the old format, below an input that Caffe makes a layer of."""
    written = net.bound.message
    field = "layers" if written.layers else "layer"  # type: ignore[attr-defined]
    inputs = len(net.param.layer) - len(getattr(written, field))
    return f"{field}[{index - inputs}]"


_FOR_USE = ("deploy", "inference", "predict", "extract", "feature", "demo")


def _is_for_use(stages: list[str]) -> bool:
    """Whether stages are those of a program that uses the net, not of a solver."""
    return any(word in stage.lower() for stage in stages for word in _FOR_USE)


def _demanded(rules: Iterable[NetStateRule]) -> list[str]:
    """Stages of which each way into the net needs one; nothing where one way needs none."""
    return [rule.stage[0] for rule in rules] if rules and all(rule.stage for rule in rules) else []


def _state_field(rules: Iterable[NetStateRule]) -> str:
    return "test_state" if any(rule.HasField("phase") and rule.phase == 1 for rule in rules) else "train_state"


@rule("TEST003", "unknown-stage", WARNING, effect=Effect.NONE)
def unknown_stage(solver: Solver) -> Iterator[Problem]:
    """The solver builds a net in a stage that no layer of the net names.

    **In Caffe** stages are free words, compared to the letter (net.cpp, StateMeetsRule): one that nothing asks for
    changes nothing.

    **Instead** write the stage as the net's `include` and `exclude` do, or remove it.
    """
    states = [("train_state", solver.param.train_state)] if solver.param.HasField("train_state") else []
    states += [(f"test_state[{index}]", state) for index, state in enumerate(solver.param.test_state)]
    if not solver.nets or len(solver.nets) != len(net_sources(solver.param)):
        return
    named = {stage for net in solver.nets for stage in _named_stages(net)}
    for route, state in states:
        for index, stage in enumerate(state.stage):
            if stage and stage not in named:
                known = f"; its layers name {', '.join(f'`{one}`' for one in sorted(named))}" if named else ""
                yield finding(
                    solver.at(f"{route}.stage[{index}]"),
                    f'`stage: "{stage}"` is named by no layer of the net, so it changes nothing{known}; write the '
                    "stage as the net does, or remove it",
                    severity=WARNING if named else INFO,
                )


def _named_stages(net: Net) -> Iterator[str]:
    for layer in net.param.layer:
        for one in (*layer.include, *layer.exclude):
            yield from one.stage
            yield from one.not_stage


_MANY = 100


@rule("TEST004", "long-test-output", INFO, effect=Effect.NONE)
def long_test_output(solver: Solver) -> Iterator[Problem]:
    """A test net has an output of many numbers, and each of them is printed at each test.

    **In Caffe** outputs are the blobs that no layer reads; a test adds up each of their numbers over `test_iter`
    batches and prints it in a line of its own (solver.cpp, Test). Scores that nobody reads bury the accuracy.

    **Instead** read the blob with a `Silence` layer.
    """
    for net in solver.nets:
        if net.role != TEST or not net.runs or net.refused:
            continue
        for blob in net.blobs:
            numbers = count(blob.shape)
            if not blob.consumers and numbers is not None and numbers > _MANY:
                yield finding(
                    blob.made_at,
                    f"no layer of the test net reads `{blob.name}`, so each test prints its {numbers} numbers, a line "
                    "each; give it to a `Silence` layer",
                    layer=blob.producer.name,
                    phase=net.phase,
                )

"""How the layers of a net hang together: who reads whom, what reaches a loss, what learns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.reach import explicit_weight, has_loss, is_opaque, learns
from nanlint.caffe.layers.base import shown
from nanlint.caffe.model import TRAIN, Net, Solver, same_shape
from nanlint.findings import Applicability, Edit, Effect, Fix, Problem, Related
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.remedies import made_alike
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer



@rule("NET001", "unknown-bottom", ERROR, effect=Effect.SETUP_FAILURE)
def unknown_bottom(net: Net) -> Iterator[Problem]:
    """A layer reads a blob that no earlier layer of the net makes.

    **In Caffe** bottoms are looked up among the tops of the earlier layers that the net's phase, level and
    stages keep (`insert_splits.cpp`: `Unknown bottom blob`). Names are exact, and a layer does not see its
    own tops or later ones.

    **Instead** mend the name, move the layer below the one that makes the blob, or give both layers the same
    `include` rules.
    """
    return net.found("unknown-bottom")


@rule("NET002", "duplicate-top", ERROR, effect=Effect.SETUP_FAILURE)
def duplicate_top(net: Net) -> Iterator[Problem]:
    """Two layers make a blob of one name.

    **In Caffe** this is fatal (`net.cpp`, AppendTop: `produced by multiple sources`), except in place: a top
    named like the bottom of the same position. A blob that is read by several layers is split behind the
    scenes, and its readers get copies with other names; a layer that was meant to work in place on it is then
    no longer in place.

    **Instead** write another name; or let the layers that read the blob come after the in-place one, where
    they read its result.
    """
    return net.found("duplicate-top")


@rule("NET003", "duplicate-layer-name", WARNING, effect=Effect.NONE)
def duplicate_layer_name(net: Net) -> Iterator[Problem]:
    """Two layers with weights have one name.

    **In Caffe** names may repeat, but weights go by them: loading, and the copy from the training net to a
    test net, take the first layer of a name (net.cpp, CopyTrainedLayersFrom and ShareTrainedLayersWith). The
    second layer starts untrained, or overwrites the first. Snapshots in HDF5 abort.

    **Instead** give each layer a name of its own.
    """
    first: dict[str, Layer] = {}
    for layer in net.layers:
        if not layer.params:
            continue
        other = first.setdefault(layer.name, layer)
        if other is not layer:
            place = other.at("name")
            yield finding(
                layer.at("name"),
                f"two layers with weights are called {layer.called} ({place}), and Caffe copies and loads "
                "weights by name: one gets the other's; write another `name`",
                related=[Related("the first of the name", place)],
                layer=layer.name,
                phase=net.phase,
            )


@rule("NET004", "test-net-mismatch", ERROR, effect=Effect.RUN_FAILURE)
def test_net_mismatch(solver: Solver) -> Iterator[Problem]:
    """A layer of the training net does not fit the layer of its name in a test net.

    **In Caffe** each test begins with a copy of the weights: for each training layer, to the first test layer
    of its name. As many parameters of the same shapes are demanded there (net.cpp, ShareTrainedLayersWith),
    so the run aborts at the first test, which is before the first iteration unless `test_initialization:
    false`.

    **Instead** give both layers the same settings, or two names. Batch sizes may differ.
    """
    train = solver.train_net
    if train is None or train.refused:
        return
    for net in solver.nets:
        if net is train or not net.runs or net.refused:
            continue
        targets: dict[str, Layer] = {}
        for layer in net.layers:
            targets.setdefault(layer.name, layer)
        for layer in train.layers:
            target = targets.get(layer.name)
            if target is not None:
                yield from _unlike_weights(layer, target)


def _unlike_weights(layer: Layer, target: Layer) -> Iterator[Problem]:
    if layer.spec is None or target.spec is None or layer.refused or target.refused:
        return
    mine, theirs = len(layer.params), len(target.params)
    if mine != theirs:
        differ = f"{counted(mine, 'parameter')} in the training net and {theirs} in the test net"
    else:
        pairs = [(one.param.shape, other.param.shape) for one, other in zip(layer.params, target.params, strict=True)]
        unlike = next((pair for pair in pairs if same_shape(*pair) is False), None)
        if unlike is None:
            return
        differ = f"weights of {shown(unlike[0])} in the training net and {shown(unlike[1])} in the test net"
    problem = finding(
        target.at(),
        f"{layer.called} has {differ}, and Caffe aborts as it copies them for the first test; "
        f"give both the same settings{', or two names' if _named_twice(layer) else ''}",
        related=[Related(f"{layer.called} of the training net", layer.at())],
        layer=layer.name,
        phase=target.net.phase,
    )
    yield problem if mine != theirs else made_alike(problem, layer, target)


def _named_twice(layer: Layer) -> bool:
    return sum(other.name == layer.name for other in layer.net.layers) > 1


@rule("NET006", "phase-is-no-rule", WARNING, effect=Effect.NONE)
def phase_is_no_rule(net: Net) -> Iterator[Problem]:
    """A data layer has a `phase`, which does not keep it out of the other phase.

    **In Caffe** only `include` and `exclude` decide which layers a net has (net.cpp, FilterNet). `phase` in a
    layer changes how the layer works: a Dropout with `phase: TEST` drops nothing.

    **Instead** write `include { phase: TRAIN }`.
    """
    for layer in net.layers:
        param = layer.param
        if layer.phase != net.phase and not param.bottom and not param.include and not param.exclude:
            place = layer.at("phase")
            yield finding(
                place,
                f"`phase: {layer.phase}` does not keep {layer.called} out of the {net.phase} net; "
                f"write `include {{ phase: {layer.phase} }}`",
                fix=Fix(
                    f"write `include {{ phase: {layer.phase} }}`",
                    (Edit(place, f"include {{ phase: {layer.phase} }}"),),
                    Applicability.UNSAFE,
                ),
                layer=layer.name,
                phase=net.phase,
            )


@rule("NET007", "unused-top", INFO, effect=Effect.NONE)
def unused_top(net: Net) -> Iterator[Problem]:
    """A training net makes a blob that no layer reads and that is no loss.

    **In Caffe** such a blob is an output of the net: it is computed in each iteration, and with `display` all
    its numbers are printed. In a test or deploy net outputs are what it is for; in training they are mostly a
    forgotten connection.

    **Instead** connect the blob, remove its layer, or give it to a Silence layer.
    """
    if net.phase != TRAIN or net.refused or not has_loss(net):
        return
    for blob in net.blobs:
        maker = blob.producer
        wanted = maker.loss_weights[blob.top_index] if blob.top_index < len(maker.loss_weights) else 0
        if blob.consumers or wanted or explicit_weight(blob) or maker.facts.made_to_be_shown:
            continue
        if is_opaque(maker) or maker.refused or (learns(maker) and not maker.runs_backward):
            continue
        if blob.top_index < len(maker.param.top):
            yield finding(
                blob.made_at,
                f"no layer reads `{blob.name}` of {maker.called}, and it is no loss: Caffe computes it for "
                "nothing; connect it, remove it, or give it to a `Silence` layer",
                layer=maker.name,
                phase=net.phase,
            )

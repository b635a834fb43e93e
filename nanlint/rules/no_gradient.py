"""Which layers learn, from which loss, and what cuts them off (net.cpp, Net::Init and Backward)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.optimiser import learnable, trained
from nanlint.analysis.reach import above, below, explicit_weight, has_loss, is_opaque, learns, readers
from nanlint.caffe.edits import write
from nanlint.caffe.model import TRAIN, Net, Solver
from nanlint.caffe.solver import iterations
from nanlint.findings import Effect, Problem, Related
from nanlint.numbers.float32 import show
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer

FAINT = 1e-6
"""A loss weight at which the usual rates change nothing."""


@rule("LEARN001", "no-loss", ERROR, effect=Effect.NO_LEARNING)
def no_loss(net: Net) -> Iterator[Problem]:
    """The net that the solver trains has no loss.

    **In Caffe** nothing requires one: the printed loss is 0, no layer runs backward, and only weight decay
    moves the weights. A top is a loss if its layer is a loss layer, or has a `loss_weight` that is not 0.

    **Instead** add a loss layer, or mend the rules that keep it out of the training net.
    """
    learning = [layer for layer in net.layers if learns(layer)]
    if not net.trained or net.refused or has_loss(net) or not learning or any(map(is_opaque, net.layers)):
        return
    weights = f"the {counted(len(learning), 'layer')} with weights"
    idle = next((layer for layer in net.layers if _is_switched_off(layer)), None)
    no_loss = f"the training net has no loss, so every gradient is 0 and {weights} cannot learn"
    if idle is not None:
        yield finding(
            idle.at("loss_weight[0]"),
            f"{no_loss}: `loss_weight: 0` takes the only one, {idle.called}, out; write `loss_weight: 1`",
            fix=write(idle, "loss_weight[0]", 1),
            layer=idle.name,
            phase=net.phase,
        )
        return
    for_use = net.named_at is not None and all(layer.type == "Input" for layer in net.layers if not layer.bottoms)
    if for_use and net.named_at is not None:
        yield finding(
            net.named_at,
            f"{no_loss}: `{net.path}`, which the solver names, has no data and no loss, as a net for use has none; "
            "name the net that is to be trained",
            related=[Related("the last layer with weights", learning[-1].at())],
            phase=net.phase,
        )
        return
    yield finding(
        learning[-1].at(),
        f"{no_loss}; add a loss layer, or give a top a `loss_weight`",
        layer=learning[-1].name,
        phase=net.phase,
    )


@rule("LEARN008", "loss-without-weight", WARNING, effect=Effect.NO_LEARNING)
def loss_without_weight(net: Net) -> Iterator[Problem]:
    """A loss has a `loss_weight` of 0 or next to it, and layers with weights lead to it alone.

    **In Caffe** a loss layer whose `loss_weight` is 0 is no loss: it is not printed, and nothing below it gets a
    gradient through it (layer.hpp, SetLossWeights; net.cpp, Init). With 1e-8 the gradient is that much smaller, and no
    usual rate makes up for it.

    **Instead** write `loss_weight: 1`, or remove the layers that only this loss would train.
    """
    if net.phase != TRAIN or net.refused or not has_loss(net):
        return
    strongest = max((abs(weight) for layer in net.layers for weight in layer.loss_weights), default=0.0)
    for layer in net.layers:
        if _is_switched_off(layer):
            lost = [one for one in below(layer) if learns(one) and not one.runs_backward and not one.refused]
            if lost and not any(map(is_opaque, above(lost[0]))):
                yield _weightless(net, layer, f"the weights of {lost[0].called} lead to no other loss and do not learn")
        elif 0 < strongest <= FAINT and _is_loss(layer) and strongest in map(abs, layer.loss_weights):
            yield _weightless(net, layer, "it is the strongest loss of the net, so next to nothing learns")


def _weightless(net: Net, layer: Layer, why: str) -> Problem:
    return finding(
        layer.at("loss_weight[0]"),
        f"`loss_weight: {show(layer.param.loss_weight[0])}` of {layer.called} leaves it no gradient: {why}; write "
        "`loss_weight: 1`",
        fix=write(layer, "loss_weight[0]", 1),
        layer=layer.name,
        phase=net.phase,
    )


def _is_loss(layer: Layer) -> bool:
    return layer.spec is not None and layer.spec.is_loss and bool(layer.param.loss_weight)


def _is_switched_off(layer: Layer) -> bool:
    """Whether a loss layer says `loss_weight: 0`."""
    return _is_loss(layer) and not any(layer.param.loss_weight) and not layer.refused


@rule("LEARN002", "loss-cut-off", ERROR, effect=Effect.NO_LEARNING)
def loss_cut_off(net: Net) -> Iterator[Problem]:
    """A loss does not train anything, because another layer reads it.

    **In Caffe** the backward pass starts at blobs that need a gradient, and a layer is left out of it if none
    of its tops is asked for one by its readers (net.cpp, Init). A loss layer whose only reader leads to no
    loss (Silence, Power, ...) is so left out, with everything below it. The loss is printed as usual.

    **Instead** let nobody read it, or write its `loss_weight: 1`, which makes Caffe keep it.
    """
    for layer, blob in _read_losses(net):
        if explicit_weight(blob) or layer.runs_backward or net.param.force_backward:
            continue
        if not any(map(learns, below(layer))) or any(map(is_opaque, above(layer))):
            continue
        reader = readers(blob)[0]
        yield finding(
            layer.at(f"top[{blob.top_index}]"),
            f"{reader.called} reads the loss `{blob.name}` of {layer.called} and leads to no loss itself, so "
            f"Caffe leaves {layer.called} and all that is below it out of the backward pass: nothing learns "
            f"from it, though it is printed; take {reader.called} away, or write `loss_weight: 1` in "
            f"{layer.called}",
            related=[_read_here(reader, blob)],
            layer=layer.name,
            phase=net.phase,
        )


@rule("LEARN003", "loss-counted-twice", WARNING, effect=Effect.NONE)
def loss_counted_twice(net: Net) -> Iterator[Problem]:
    """A loss that another layer reads is printed larger than it is.

    **In Caffe** a Split takes over the `loss_weight` of a loss that is read, the loss layer falls back to its
    own weight 1, and both enter the printed loss: 1 + weight times at first, twice the weight from the second
    iteration on. The gradient has the weight alone. Without a `loss_weight` the reader's gradient replaces
    the loss's own weight.

    **Instead** let nobody read the loss; to weigh it, its `loss_weight` is enough.
    """
    for layer, blob in _read_losses(net):
        weight = explicit_weight(blob)
        if not weight and not layer.runs_backward:
            continue
        reader = readers(blob)[0]
        if weight:
            what = f"is printed {1 + weight:g} times, while its gradient has the weight {weight:g}"
        else:
            what = f"takes its gradient from {reader.called} alone, and its own weight 1 is only printed"
        yield finding(
            layer.at(f"top[{blob.top_index}]"),
            f"the loss `{blob.name}` of {layer.called} is read by {reader.called}, so it {what}; let nobody "
            "read it",
            related=[_read_here(reader, blob)],
            layer=layer.name,
            phase=net.phase,
        )


@rule("LEARN004", "dropped-loss-weight", ERROR, effect=Effect.NO_LEARNING)
def dropped_loss_weight(net: Net) -> Iterator[Problem]:
    """A `loss_weight` is dropped, because another top of the layer is a loss that is read.

    **In Caffe** the Split of the top that is read takes that top's weight over, and the layer loses its whole
    list (insert_splits.cpp: `clear_loss_weight`). Nothing says so.

    **Instead** let nobody read the weighted top.
    """
    for layer in net.layers:
        weighted = [top for top in layer.tops if explicit_weight(top)]
        read = [top for top in weighted if top.consumers]
        if layer.refused or not read:
            continue
        for top in weighted:
            if not top.consumers:
                yield finding(
                    layer.at(f"loss_weight[{top.top_index}]"),
                    f"`loss_weight: {explicit_weight(top):g}` of `{top.name}` is dropped: `{read[0].name}`, "
                    f"another loss of {layer.called}, is read by {readers(read[0])[0].called}, and Caffe "
                    f"then clears the layer's list; let nobody read `{read[0].name}`",
                    related=[_read_here(readers(read[0])[0], read[0])],
                    layer=layer.name,
                    phase=net.phase,
                )


@rule(
    "LEARN006",
    "weights-without-loss",
    WARNING,
    effect=Effect.NO_LEARNING,
    explained_by=("loss-without-weight", "no-loss"),
)
def weights_without_loss(net: Net) -> Iterator[Problem]:
    """Layers have weights that get no gradient.

    **In Caffe** only layers between a loss and a parameter run backward (net.cpp, Init). The weights of the
    others keep the values of their fillers, or shrink by weight decay. That is right for frozen layers, which
    say `lr_mult: 0`.

    **Instead** connect them to a loss, remove them from the training net, or write `lr_mult: 0` to say that
    it is meant.
    """
    if net.phase != TRAIN or net.refused or not has_loss(net):
        return
    cut = {one for layer, _ in _read_losses(net) if not layer.runs_backward for one in below(layer)}
    dead = [layer for layer in net.layers if layer not in cut and _gets_no_gradient(layer)]
    for blocked in (True, False):
        layers = [layer for layer in dead if any(one.runs_backward for one in above(layer)) is blocked]
        if layers:
            yield _without_gradient(layers, blocked)


def _gets_no_gradient(layer: Layer) -> bool:
    if layer.runs_backward or layer.refused or is_opaque(layer) or any(map(is_opaque, above(layer))):
        return False
    owned = [learned for learned in layer.params if learned.lr_mult != 0]
    sharing = {learned.owner or learned for learned in owned}
    return bool(owned) and not any(
        other.layer.runs_backward for other in layer.net.params if (other.owner or other) in sharing
    )


def _without_gradient(layers: list[Layer], blocked: bool) -> Problem:
    first, others = layers[0], len(layers) - 1
    who = f"the weights of {first.called}" + (f" and {counted(others, 'more layer')}" if others else "")
    why = "get no gradient through a `propagate_down: false` above" if blocked else "lead to no loss"
    return finding(
        first.at(),
        f"{who} {why}, so Caffe never computes their gradient and they do not learn; "
        "connect them to a loss, or write `lr_mult: 0` if that is meant",
        related=[Related(f"nor do those of {other.called}", other.at()) for other in layers[1:4]],
        layer=first.name,
        phase=first.net.phase,
        severity=INFO if blocked else WARNING,
    )


def _read_losses(net: Net) -> Iterator[tuple[Layer, Blob]]:
    """The tops of loss layers that other layers read, in a net that is trained."""
    if net.phase != TRAIN:
        return
    for layer in net.layers:
        if layer.spec is None or layer.refused or not layer.spec.is_loss:
            continue
        for blob in layer.tops:
            if blob.consumers and layer.loss_weights[blob.top_index]:
                yield layer, blob


def _read_here(reader: Layer, blob: Blob) -> Related:
    index = next((index for other, index in blob.consumers if other is reader), 0)
    return Related(f"{reader.called} reads `{blob.name}`", reader.at(f"bottom[{index}]"))


@rule("OPT022", "everything-frozen", ERROR, effect=Effect.NO_LEARNING)
def everything_frozen(solver: Solver) -> Iterator[Problem]:
    """Every learnable blob of the net has `lr_mult: 0`, so nothing learns.

    **In Caffe** the rate of a blob is the learning rate times its `lr_mult` (sgd_solver.cpp,
    ComputeUpdateValue), and a net in which nothing has another rate does not even run backward (net.cpp,
    Init).

    **Instead** give the layers that shall learn a positive `lr_mult`.
    """
    net = solver.train_net
    if net is None or net.refused or iterations(solver.param) == 0 or not all(layer.spec for layer in net.layers):
        return
    blobs = list(learnable(net))
    if blobs and not any(one.lr_mult for one in blobs):
        one = blobs[0]
        yield finding(
            one.layer.at(f"param[{one.index}].lr_mult"),
            f"all {len(blobs)} learnable blobs of the net have `lr_mult: 0`, so nothing learns; write a positive one",
            layer=one.layer.name,
        )


@rule("OPT023", "loss-reaches-no-weight", WARNING, effect=Effect.NO_LEARNING)
def loss_reaches_no_weight(solver: Solver) -> Iterator[Problem]:
    """No weight that is trained has an influence on this loss.

    **In Caffe** a layer runs backward only where a blob with `lr_mult` other than 0 lies below it (net.cpp,
    Init). A loss over data, or over frozen layers alone, is printed and teaches nothing.

    **Instead** connect the loss to the layers that shall learn, or remove it.
    """
    net = solver.train_net
    if net is None or net.refused or not any(True for _ in trained(net)):
        return
    for layer in net.layers:
        loss = layer.spec is not None and layer.spec.is_loss
        silent = loss and any(layer.loss_weights) and not layer.runs_backward
        if silent and not any(map(learns, below(layer))):
            yield finding(
                layer.at(),
                f"no trained weight lies below the loss `{layer.name}`, so it teaches nothing; connect it or remove it",
                layer=layer.name,
            )

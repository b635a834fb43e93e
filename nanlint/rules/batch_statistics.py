"""BatchNorm over too little, or over the wrong batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.reach import below
from nanlint.caffe.edits import removed
from nanlint.caffe.layers.batch_norm import global_statistics
from nanlint.caffe.model import TEST, TRAIN, count
from nanlint.findings import Applicability, Effect, Fix, Problem, Related
from nanlint.rules.registry import ERROR, WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net
    from nanlint.text.source import Place


@rule("NRM009", "one-value-per-channel", ERROR, effect=Effect.NO_LEARNING)
def one_value_per_channel(net: Net) -> Iterator[Problem]:
    """BatchNorm or MVN takes the mean of a single number, and nothing is left of it.

    **In Caffe** BatchNorm subtracts the mean over batch, height and width of each channel
    (batch_norm_layer.cpp). With a batch of 1 over a blob of one pixel, as after an InnerProduct or global
    pooling, the mean is the number itself: the output is 0 and so is the gradient of all that is below.
    `iter_size` adds gradients of single batches and does not help. MVN does the same to a region of one
    element.

    **Instead** write a larger `batch_size`, or leave the normalisation out there.
    """
    for layer in net.layers:
        if not _leaves_nothing(layer):
            continue
        place, width = _batch_place(layer)
        yield finding(
            place,
            f"{layer.called} ({layer.type}) normalises one number a channel of `{layer.bottoms[0].name}` ({width}): "
            "what it passes on is 0, and nothing below it gets a gradient; write a larger `batch_size`, or leave "
            f"{layer.called} out",
            related=[Related("it normalises here", layer.at("type"))],
            layer=layer.name,
            phase=net.phase,
        )
        return


def _leaves_nothing(layer: Layer) -> bool:
    if layer.type not in ("BatchNorm", "MVN") or layer.phase != TRAIN or not layer.runs_backward:
        return False
    if layer.refused or not layer.bottoms or not layer.bottoms[0].shape:
        return False
    shape = layer.bottoms[0].shape
    if layer.type == "BatchNorm":
        per_channel = count((shape[0], *shape[2:])) if len(shape) > 1 else shape[0]
        return per_channel == 1 and not global_statistics(layer) and layer.param.batch_norm_param.eps > 0
    return count(shape[2:]) == 1 and not layer.param.mvn_param.across_channels and layer.param.mvn_param.eps > 0


def _batch_place(layer: Layer) -> tuple[Place, str]:
    """The batch size from which the layer's rows come, where a written one is found."""
    shape = layer.bottoms[0].shape or ()
    width = " x ".join("?" if size is None else str(size) for size in shape)
    for source in below(layer) if layer.type == "BatchNorm" else ():
        for descriptor, block in source.param.ListFields():
            if descriptor.message_type is None or descriptor.is_repeated:
                continue
            if "batch_size" in block.DESCRIPTOR.fields_by_name and block.batch_size == 1:
                return source.at(f"{descriptor.name}.batch_size"), width
    return layer.at("type"), width


@rule("NRM010", "batch-statistics-in-test", WARNING, effect=Effect.NONE)
def batch_statistics_in_test(net: Net) -> Iterator[Problem]:
    """`use_global_stats: false` makes the test net normalise by its own batch.

    **In Caffe** BatchNorm uses the batch in TRAIN and the stored statistics in TEST unless `use_global_stats`
    is written (batch_norm_layer.cpp, LayerSetUp). Written as `false` it holds in both phases: what the test net
    says of an image then depends on the other images of its batch, and on their number.

    **Instead** leave `use_global_stats` out.
    """
    layers = [layer for layer in net.layers if _tests_on_its_batch(layer)]
    if net.phase != TEST or not layers:
        return
    first, more = layers[0], len(layers) - 1
    edits = [removed(layer, "batch_norm_param.use_global_stats") for layer in layers]
    also = f" and {counted(more, 'more layer')}" if more else ""
    yield finding(
        first.at("batch_norm_param.use_global_stats"),
        f"`use_global_stats: false` makes {first.called}{also} normalise the test by its own batch, so that results "
        "depend on the batch's size and order; leave it out: TRAIN then uses the batch, TEST the stored statistics",
        related=[Related("and here", layer.at("batch_norm_param.use_global_stats")) for layer in layers[1:4]],
        fix=Fix(
            "remove `use_global_stats`",
            tuple(edit for edit in edits if edit is not None),
            Applicability.UNSAFE,
        ),
        layer=first.name,
        phase=net.phase,
    )


def _tests_on_its_batch(layer: Layer) -> bool:
    param = layer.param.batch_norm_param
    written = layer.type == "BatchNorm" and param.HasField("use_global_stats")
    return written and not param.use_global_stats and not layer.refused

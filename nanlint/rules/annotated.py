"""AnnotatedData of SSD's Caffe: the boxes of a database against what the loss takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.findings import Effect, Problem, Related
from nanlint.rules.feeding import listed, seen
from nanlint.rules.registry import ERROR, WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer
    from nanlint.data.beside import Source

_KEEPS_ASPECT = 2
"""FIT_SMALL_SIZE among the resize modes (caffe.proto of SSD)."""


@rule("DAT111", "box-outside-classes", ERROR, effect=Effect.RUN_FAILURE)
def box_outside_classes(source: Source) -> Iterator[Problem]:
    """A box has a label that is not below `num_classes`.

    **In Caffe** (SSD) `Check failed: label < num_classes` when the box is matched (bbox_util.cpp, GetGroundTruth;
    multibox_loss_layer.cpp). The classes of `num_classes` include the background.

    **Instead** write `num_classes` as the greatest label plus 1, or name the right database.
    """
    loss, boxes = _loss(source), source.account.boxes
    if loss is None or source.layer is None or not boxes:
        return
    classes = loss.param.multibox_loss_param.num_classes
    outside = [label for label, number in boxes.items() if number and label >= classes > 0]
    if outside:
        yield finding(
            source.at(),
            f"`{source.name}` has boxes of the label {listed(outside)}, and `{loss.name}` has `num_classes: "
            f"{classes}`, the "
            f"background among them: Caffe aborts; write `num_classes: {int(max(outside)) + 1}`, or the right database",
            evidence=_evidence(source),
            related=[Related("the loss", loss.at("multibox_loss_param.num_classes"))],
            layer=source.layer.name,
            phase=source.phase,
        )


@rule("DAT112", "box-of-background", ERROR, effect=Effect.RUN_FAILURE)
def box_of_background(source: Source) -> Iterator[Problem]:
    """A box has the label of the background.

    **In Caffe** (SSD) `Found background label in the dataset` (bbox_util.cpp, GetGroundTruth).

    **Instead** count the classes of boxes from 1 where `background_label_id` is 0.
    """
    loss, boxes = _loss(source), source.account.boxes
    if loss is None or source.layer is None or not boxes:
        return
    background = float(loss.param.multibox_loss_param.background_label_id)
    if boxes.get(background):
        yield finding(
            source.at(),
            f"`{source.name}` has {counted(boxes[background], 'box', 'boxes')} of the label {background:g}, which is "
            "the "
            f"background of `{loss.name}`: Caffe aborts; count the classes of boxes from {int(background) + 1}",
            evidence=_evidence(source),
            related=[Related("the loss", loss.at())],
            layer=source.layer.name,
            phase=source.phase,
        )


@rule("DAT113", "no-boxes", WARNING, effect=Effect.NO_LEARNING)
def no_boxes(source: Source) -> Iterator[Problem]:
    """No record of the database has a box.

    **In Caffe** (SSD) a batch without boxes has a loss of 0 (multibox_loss_layer.cpp), so nothing is learnt, without a
    word. Coordinates written as floats where whole numbers are read lose the boxes.

    **Instead** make the database anew, and look at what `convert_annoset` says of its annotations.
    """
    loss, boxes = _loss(source), source.account.boxes
    if loss is None or source.layer is None or boxes is None or any(boxes.values()) or not source.account.read:
        return
    yield finding(
        source.at(),
        f"no record of `{source.name}` has a box, so `{loss.name}` is 0 and nothing is learnt; make the database anew",
        evidence=seen(source.account),
        related=[Related("the loss", loss.at())],
        layer=source.layer.name,
        phase=source.phase,
    )


@rule("DAT114", "sizes-vary-when-resized", WARNING, effect=Effect.RUN_FAILURE)
def sizes_vary_when_resized(source: Source) -> Iterator[Problem]:
    """Images of several shapes are resized in a way that keeps their aspect, and meet in one batch.

    **In Caffe** (SSD) `resize_mode: FIT_SMALL_SIZE` makes the shorter side as long as is written and leaves the aspect
    (im_transforms.cpp), and the images of a batch must have one size (data_transformer.cpp).

    **Instead** write `resize_mode: WARP`, or FIT_LARGE_SIZE_AND_PAD.
    """
    layer = source.layer
    if layer is None or layer.type != "AnnotatedData" or source.batch < 2 or not source.tops:
        return
    aspects = {shape[1] / shape[2] for shape in source.tops[0].shapes if len(shape) == 3 and shape[2]}
    modes = [one.resize_mode for one in layer.param.transform_param.resize_param]
    if len(aspects) > 1 and _KEEPS_ASPECT in modes and not layer.param.transform_param.crop_size:
        yield finding(
            layer.at("transform_param.resize_param"),
            f"`FIT_SMALL_SIZE` leaves the images of `{source.name}` in their {len(aspects)} aspects, and a batch of "
            f"{source.batch} must have one size: Caffe aborts; write `resize_mode: WARP`",
            evidence=seen(source.account),
            layer=layer.name,
            phase=source.phase,
        )


def _loss(source: Source) -> Layer | None:
    """The MultiBoxLoss that takes the boxes of a source."""
    if source.layer is None or source.layer.type != "AnnotatedData" or len(source.layer.tops) < 2:
        return None
    readers = (layer for layer, _ in source.layer.tops[1].consumers)
    return next((layer for layer in readers if layer.type == "MultiBoxLoss"), None)


def _evidence(source: Source) -> str:
    boxes = source.account.boxes or {}
    shown = ", ".join(f"{label:g}: {number}" for label, number in list(boxes.items())[:8])
    return f"boxes by label {shown}, in {seen(source.account)}"

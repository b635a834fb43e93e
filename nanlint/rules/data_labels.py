"""Labels as the data holds them, against the classes of the net."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.model import TEST
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.feeding import (
    CLASS,
    SIMILAR,
    WORD,
    Labels,
    first_labels,
    labels_of,
    listed,
    seen,
    shuffled,
    sure,
)
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.data.beside import Source
    from nanlint.findings import Severity

_DOMINATES = 0.85
_FEW = 20
"""Fewer records say nothing of balance or order."""


@rule("DAT101", "label-outside-classes", ERROR, effect=Effect.MEMORY_ERROR)
def label_outside_classes(source: Source) -> Iterator[Problem]:
    """A label in the data is as large as the number of classes, or larger.

    **In Caffe** a label is used as an index, and only a debug build checks it (softmax_loss_layer.cpp and the other
    losses; embed_layer.cpp): the score of another row, or memory behind the blob, is read, and the gradient is
    written there. Most runs go on with a plausible loss; some die of a corrupted heap.

    **Instead** count classes from 0, or write as many outputs as the greatest label plus 1.
    """
    for labels in _once(labels_of(source, CLASS, WORD)):
        outside = [value for value in _outside(labels) if value > 0]
        if not outside or _is_ignorable(labels, outside):
            continue
        classes = labels.use.classes or 0
        number = sum(labels.values[value] for value in outside)
        from_one = min(labels.values) == 1 and max(labels.values) == classes
        what = "word" if labels.use.role == WORD else "label"
        field = "input_dim" if labels.use.role == WORD else "num_output"
        remedy = (
            f"the labels count from 1: write `{field}: {classes + 1}`, or count them from 0"
            if from_one
            else f"mend the data, or write `{field}: {int(max(outside)) + 1}`"
        )
        yield finding(
            labels.source.at(),
            f"`{labels.blob.name}` of `{labels.layer.name}` holds the {what} {listed(outside)}, and "
            f"`{labels.use.layer.name}` has {classes} classes, 0 to {classes - 1}: Caffe does not check it and reads "
            "and "
            f"writes outside the blob; {remedy}",
            evidence=_evidence(labels, number),
            related=_classes_from(labels),
            layer=labels.layer.name,
            phase=source.phase,
            severity=_sure(labels),
        )


@rule("DAT102", "negative-label", ERROR, effect=Effect.MEMORY_ERROR)
def negative_label(source: Source) -> Iterator[Problem]:
    """A label in the data is negative, and no `ignore_label` passes over it.

    **In Caffe** it is used as an index (softmax_loss_layer.cpp): the score before the row is read, and the
    gradient is written there, before the blob for the first row.

    **Instead** write `ignore_label: -1` in `loss_param` where that is meant, or mend the data.
    """
    for labels in _once(labels_of(source, CLASS, WORD)):
        negative = [value for value in _outside(labels) if value < 0]
        if not negative:
            continue
        number = sum(labels.values[value] for value in negative)
        remedy = (
            f"write `loss_param {{ ignore_label: {negative[0]:g} }}` if such records are to be passed over, or mend "
            "them"
            if len(negative) == 1 and labels.use.role == CLASS
            else "mend the data"
        )
        yield finding(
            labels.source.at(),
            f"`{labels.blob.name}` of `{labels.layer.name}` holds the label {listed(negative)}, which "
            f"`{labels.use.layer.name}` "
            f"takes as an index: Caffe does not check it and reads and writes before its row; {remedy}",
            evidence=_evidence(labels, number),
            related=_classes_from(labels),
            layer=labels.layer.name,
            phase=source.phase,
            severity=_sure(labels),
        )


@rule("DAT103", "fractional-label", WARNING, effect=Effect.NONE)
def fractional_label(source: Source) -> Iterator[Problem]:
    """Labels have a fraction, which is cut off.

    **In Caffe** a label is cast to a whole number, towards 0 (softmax_loss_layer.cpp): 2.5 is class 2, without a
    word.

    **Instead** write whole numbers, or a loss for regression.
    """
    for labels in _once(labels_of(source, CLASS, WORD)):
        broken = [value for value in labels.values if math.isfinite(value) and value != int(value)]
        if broken:
            number = sum(labels.values[value] for value in broken)
            scale = labels.layer.param.transform_param.scale
            scaled = labels.top is source.tops[0] and scale != 1 and labels.layer.type != "HDF5Data"
            yield finding(
                labels.source.at("transform_param.scale") if scaled else labels.source.at(),
                f"`{labels.blob.name}` of `{labels.layer.name}` holds labels with a fraction, such as "
                f"{listed(broken, 2)}"
                f"{' after its `scale`' if scaled else ''}, and `{labels.use.layer.name}` cuts them to whole numbers; "
                f"{'leave out `scale`' if scaled else 'write whole numbers, or a loss for regression'}",
                evidence=_evidence(labels, number),
                layer=labels.layer.name,
                phase=source.phase,
            )


@rule("DAT104", "one-class-only", WARNING, effect=Effect.NO_LEARNING)
def one_class_only(source: Source) -> Iterator[Problem]:
    """Every label in the data is the same.

    **In Caffe** the loss falls to 0 while the net learns to answer one class whatever it sees.

    **Instead** look at how labels were written: a list without labels, or with another separator than a blank, gives
    0 for all.
    """
    labels = _trained(source)
    if labels is None or (labels.use.classes or 2) < 2 or labels.total < 2:
        return
    kept = [value for value in labels.values if value != labels.use.ignored]
    if len({int(value) for value in kept if math.isfinite(value)}) == 1:
        yield finding(
            source.at(),
            f"every label of `{labels.blob.name}` that `{labels.layer.name}` reads is {kept[0]:g}, so the net learns "
            "one "
            "answer for everything; write the labels anew",
            evidence=f"labels of {labels.word}",
            layer=labels.layer.name,
            phase=source.phase,
        )


@rule("DAT105", "class-missing", INFO, effect=Effect.NONE)
def class_missing(source: Source) -> Iterator[Problem]:
    """A class of the net has no record.

    **In Caffe** its scores are only ever pushed down.

    **Instead** nothing, where the class is meant to be absent; else look for its records.
    """
    labels = _trained(source)
    if labels is None or not labels.scalar or labels.use.classes is None or labels.total < 2 * labels.use.classes:
        return
    present = {int(value) for value in labels.values if math.isfinite(value)}
    missing = [float(one) for one in range(labels.use.classes) if one not in present and one != labels.use.ignored]
    if missing and len(present) > 1:
        yield finding(
            source.at(),
            f"no record of `{labels.layer.name}` has the label {listed(missing)} of the {labels.use.classes} classes "
            "of "
            f"`{labels.use.layer.name}`; add records of them, or write fewer classes",
            evidence=f"labels of {labels.word}",
            layer=labels.layer.name,
            phase=source.phase,
        )


@rule("DAT106", "sorted-by-class", WARNING, effect=Effect.DIVERGENCE)
def sorted_by_class(source: Source) -> Iterator[Problem]:
    """The training data lists one class after the other, and nothing shuffles it.

    **In Caffe** a Data layer reads in the order of the keys and never shuffles (data_layer.cpp); ImageData and HDF5Data
    do with `shuffle: true`. Batches then hold one class: the loss drops to 0, jumps at each new class, and may
    diverge.

    **Instead** write the database shuffled (`convert_imageset -shuffle`), or `shuffle: true` where the layer has it.
    """
    labels = _trained(source)
    if labels is None or labels.top.falls is not False or shuffled(labels.layer):
        return
    distinct = [number for value, number in labels.values.items() if value != labels.use.ignored]
    records = source.account.records or source.account.read
    if len(distinct) < 2 or labels.total < _FEW or source.batch >= records:
        return
    blocks = {"ImageData": "image_data_param.shuffle", "HDF5Data": "hdf5_data_param.shuffle"}
    remedy = "write `shuffle: true`" if labels.layer.type in blocks else "write the database anew, shuffled"
    yield finding(
        source.at(),
        f"the {records} records of `{labels.layer.name}` are sorted by class, and nothing shuffles them: a batch of "
        f"{source.batch} holds one class or two; {remedy}",
        evidence=f"labels of {labels.word} never fall from one to the next",
        layer=labels.layer.name,
        phase=source.phase,
    )


@rule("DAT107", "imbalanced-classes", WARNING, effect=Effect.NONE)
def imbalanced_classes(source: Source) -> Iterator[Problem]:
    """One class has nearly all the records.

    **In Caffe** the loss is a mean over records: a net that always answers that class has a small loss.

    **Instead** draw the classes more evenly, or weigh them with InfogainLoss; judge by the accuracy of each class.
    """
    labels = _trained(source)
    if labels is None or not labels.scalar or labels.total < _FEW or len(labels.values) < 2:
        return
    label, number = max(labels.values.items(), key=lambda one: one[1])
    share = number / labels.total
    if share >= _DOMINATES and labels.layer.type != "WindowData":
        yield finding(
            source.at(),
            f"{share:.0%} of the records of `{labels.layer.name}` have the label {label:g}, so a net that always "
            "answers it "
            "has a small loss; draw the classes more evenly, or weigh them with InfogainLoss",
            evidence=f"{number} of the labels of {labels.word}",
            layer=labels.layer.name,
            phase=source.phase,
        )


@rule("DAT108", "ignore-label-not-set", ERROR, effect=Effect.MEMORY_ERROR)
def ignore_label_not_set(source: Source) -> Iterator[Problem]:
    """Label maps hold a value for what is to be passed over, as 255 is in VOC, and the loss has no `ignore_label`.

    **In Caffe** the value is used as an index far outside the scores (softmax_loss_layer.cpp); half the runs die of a
    signal, the others go on.

    **Instead** write `loss_param { ignore_label: 255 }`, and the same in `accuracy_param`.
    """
    for labels in _once(labels_of(source, CLASS)):
        outside = [value for value in _outside(labels) if value > 0]
        if not outside or not _is_ignorable(labels, outside):
            continue
        value, block = int(outside[0]), "accuracy_param" if labels.use.layer.type == "Accuracy" else "loss_param"
        yield finding(
            labels.use.layer.at(block),
            f"the label maps of `{labels.layer.name}` hold {value}, and `{labels.use.layer.name}` has "
            f"{labels.use.classes} classes and no `ignore_label`: Caffe reads and writes far outside the scores; write "
            f"`{block} {{ ignore_label: {value} }}`",
            evidence=_evidence(labels, labels.values[outside[0]]),
            related=[Related("the maps come from here", source.at())],
            layer=labels.use.layer.name,
            phase=source.phase,
            severity=_sure(labels),
        )


@rule("DAT954", "contrastive-labels", WARNING, effect=Effect.NONE)
def contrastive_labels(source: Source) -> Iterator[Problem]:
    """ContrastiveLoss is given something else than 1 for similar pairs and 0 for others.

    **In Caffe** the label is cast to a whole number, and all but 0 is similar (contrastive_loss_layer.cpp): with -1
    for dissimilar pairs, every pair is pulled together.

    **Instead** write 0 for pairs that are to be kept apart.
    """
    labels = first_labels(source, SIMILAR)
    if labels is None:
        return
    odd = [value for value in labels.values if value not in (0, 1)]
    alike = not any(int(value) == 0 for value in labels.values if math.isfinite(value))
    if odd or (alike and labels.total >= _FEW):
        yield finding(
            source.at(),
            f"`{labels.blob.name}` holds {listed(odd or list(labels.values))}, and `{labels.use.layer.name}` takes all "
            "but 0 "
            f"as similar{', so every pair is pulled together' if alike else ''}; write 1 for similar pairs and 0 for "
            "others",
            evidence=f"labels of {seen(source.account)}",
            related=[Related("they are read here", labels.use.layer.at())],
            layer=labels.layer.name,
            phase=source.phase,
        )


def _once(found: Iterator[Labels]) -> Iterator[Labels]:
    """One use of each top: its loss, or its Accuracy where there is no loss."""
    tops = set()
    for labels in found:
        if labels.top.name not in tops and not labels.use.layer.refused:
            tops.add(labels.top.name)
            yield labels


def _trained(source: Source) -> Labels | None:
    """The labels of a source that trains a classifier."""
    net = source.net
    if net is None or net.phase == TEST:
        return None
    labels = first_labels(source, CLASS)
    return labels if labels is not None and labels.use.layer.type != "Accuracy" else None


def _outside(labels: Labels) -> list[float]:
    """Values that are no index of a class, as they are cast, and are not ignored."""
    classes = labels.use.classes
    if classes is None:
        return [value for value in labels.values if value <= -1 and value != labels.use.ignored]
    return [
        value
        for value in labels.values
        if not -1 < value < classes and not (math.isfinite(value) and int(value) == labels.use.ignored)
    ]


def _is_ignorable(labels: Labels, outside: list[float]) -> bool:
    """One value in label maps, beyond the classes, or 255."""
    return not labels.scalar and labels.use.role == CLASS and len(outside) == 1 and outside[0] == 255


def _sure(labels: Labels) -> Severity:
    return sure(labels.source, 0 if labels.source.account.whole else -1) if labels.source.net else ERROR


def _evidence(labels: Labels, number: int) -> str:
    what = "label" if labels.scalar else "element"
    return f"{counted(number, what)} of {labels.total}, in {labels.word}"


def _classes_from(labels: Labels) -> list[Related]:
    use = labels.use
    if use.role == WORD:
        return [Related(f"{use.classes} words", use.layer.at("embed_param.input_dim"))]
    maker = use.layer.bottoms[0].producer
    return [Related(f"the {use.classes} classes come from here", maker.at())]

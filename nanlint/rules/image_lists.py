"""ImageData and WindowData: the lists that name images, and the images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.data.records import Listed, Windows
from nanlint.findings import Effect, Problem
from nanlint.rules.feeding import reached, seen, shuffled, sure
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.caffe.model import Net
    from nanlint.data.beside import Source
    from nanlint.data.records import Fault
    from nanlint.findings import Severity

_SILENT = {
    "line-without-label": "has no label, so it is 0",
    "line-label": "has a label that is no whole number, which is cut",
    "line-trailing-blank": "ends in a blank, so its label is 0 and the old one is part of the path",
}
_BROKEN = {
    "line-blank": "is blank, and Caffe takes it for an image without a name",
    "line-separator": "has no blank before its label, so all of it is taken for the path",
}


@rule("DAT701", "list-line-broken", ERROR, effect=Effect.RUN_FAILURE)
def list_line_broken(source: Source) -> Iterator[Problem]:
    """A line of an image list is not `PATH LABEL`.

    **In Caffe** a line is cut at its last blank, and `atoi` makes the label of what follows (image_data_layer.cpp,
    DataLayerSetUp). With a tab or a comma the path is the whole line, and no such image exists; without a label it is
    0, in silence; a blank line is an image without a name.

    **Instead** write a path, one blank, and a whole number.
    """
    if source.kind != "images" or source.layer is None:
        return
    for kinds, certain in ((_BROKEN, True), (_SILENT, False)):
        faults = [one for one in source.account.faults if one.kind in kinds]
        if not faults:
            continue
        number = sum(source.account.counted[kind] for kind in kinds if kind in source.account.counted)
        first = faults[0]
        more = f", and {number - 1} more lines are alike" if number > 1 else ""
        elsewhere = _elsewhere(source.account.content)
        yield finding(
            source.at(),
            f"{first.where} of `{source.name}` {kinds[first.kind]}{more}; write a path, one blank, and a whole number",
            evidence=f"{counted(number, 'line')} of {source.account.records}",
            layer=source.layer.name,
            phase=source.phase,
            severity=(WARNING if elsewhere else _when(source, first)) if certain else WARNING,
            effect=_effect(first) if certain else Effect.NONE,
        )


@rule("DAT702", "image-missing", ERROR, effect=Effect.RUN_FAILURE)
def image_missing(source: Source) -> Iterator[Problem]:
    """An image of the list is not there.

    **In Caffe** the path is `root_folder` and the name, with no slash put between (image_data_layer.cpp): `Could not
    load`, for the first line while the net is built, for others when their batch is read.

    **Instead** mend the list; end `root_folder` with a slash.
    """
    broken = {one.at for one in source.account.faults if one.kind in _BROKEN}
    faults = [one for one in source.account.faults if one.kind == "image-missing" and one.at not in broken]
    if source.kind != "images" or source.layer is None or not faults:
        return
    root = source.layer.param.image_data_param.root_folder
    if _elsewhere(source.account.content):
        yield finding(
            source.at(),
            f"no image of `{source.name}` is on this machine: `{root}{faults[0].words}` is not there",
            layer=source.layer.name,
            phase=source.phase,
            severity=INFO,
        )
        return
    first, number = faults[0], source.account.counted["image-missing"] - len(broken)
    yield finding(
        source.at(),
        f"{first.where} of `{source.name}` names an image that is not there"
        f"{f', and so do {number - 1} more' if number > 1 else ''}: Caffe aborts on reading it; mend the list",
        evidence=f"looked for `{root}{first.words}`; {counted(number, 'image')} of {seen(source.account)}",
        layer=source.layer.name,
        phase=source.phase,
        severity=_when(source, first),
        effect=_effect(first),
    )


def _elsewhere(content: object) -> bool:
    """Whether no image that was looked for is there: they lie on another machine."""
    return isinstance(content, Listed) and content.looked_for > 0 and content.absent == content.looked_for


@rule("DAT703", "image-corrupt", ERROR, effect=Effect.RUN_FAILURE)
def image_corrupt(source: Source) -> Iterator[Problem]:
    """An image of the list cannot be decoded.

    **In Caffe** OpenCV gives no image for an empty file, a web page, a PNG that is cut (image_data_layer.cpp): `Could
    not load`. A JPEG that is cut is decoded, and the rest of it is grey.

    **Instead** get the image again, or take it out of the list.
    """
    if source.layer is None or source.kind != "images":
        return
    faults = [one for one in source.account.faults if one.kind == "image-corrupt"]
    if faults:
        first, number = faults[0], source.account.counted["image-corrupt"]
        name, _, why = first.words.partition("|")
        yield finding(
            source.at(),
            f"{first.where} of `{source.name}` names an image that cannot be decoded"
            f"{f', and so do {number - 1} more' if number > 1 else ''}: Caffe aborts on reading it; get `{name}` again",
            evidence=why,
            layer=source.layer.name,
            phase=source.phase,
            severity=_when(source, first),
            effect=_effect(first),
        )
    cut = [one for one in source.account.faults if one.kind == "image-cut"]
    if cut:
        yield finding(
            source.at(),
            f"{cut[0].where} of `{source.name}` names a JPEG that is cut, and the rest of it is grey to Caffe; get it "
            "again",
            evidence=f"{counted(source.account.counted['image-cut'], 'image')} of {seen(source.account)}",
            layer=source.layer.name,
            phase=source.phase,
            severity=WARNING,
            effect=Effect.NONE,
        )


@rule("DAT704", "new-size-half-set", ERROR, effect=Effect.SETUP_FAILURE)
def new_size_half_set(net: Net) -> Iterator[Problem]:
    """One of `new_height` and `new_width` is written.

    **In Caffe** `Current implementation requires new_height and new_width to be set at the same time`
    (image_data_layer.cpp, DataLayerSetUp).

    **Instead** write both, or none.
    """
    yield from net.found("new-size-half-set")


@rule("DAT705", "image-sizes-vary", ERROR, effect=Effect.RUN_FAILURE)
def image_sizes_vary(source: Source) -> Iterator[Problem]:
    """Images of a list differ in size, and meet in one batch without being resized or cropped.

    **In Caffe** the first image of each batch sets its shape, and every other one must have it (data_transformer.cpp):
    `Check failed: img_width == width`.

    **Instead** write `new_height` and `new_width`, or `crop_size`.
    """
    layer = source.layer
    if source.kind != "images" or layer is None or not source.tops or len(source.tops[0].shapes) < 2:
        return
    images, account = layer.param.image_data_param, source.account
    if (images.new_height and images.new_width) or layer.param.transform_param.crop_size or source.batch < 2:
        return
    inside = [index for index in account.changes if index % source.batch] or list(account.changes)
    shapes = [" x ".join(map(str, shape)) for shape in source.tops[0].shapes]
    certain = account.whole and any(index % source.batch for index in account.changes) and not shuffled(layer)
    yield finding(
        source.at(),
        f"images of `{source.name}` have the sizes {', '.join(shapes[:3])}{' and more' if len(shapes) > 3 else ''}, "
        "and a batch "
        f"of {source.batch} must have one: Caffe aborts; write `new_height` and `new_width`",
        evidence=f"line {inside[0] + 1} has another size" if inside else f"among {seen(account)}",
        layer=layer.name,
        phase=source.phase,
        severity=sure(source, inside[0]) if certain else WARNING,
    )


@rule("DAT706", "list-empty", ERROR, effect=Effect.SETUP_FAILURE)
def list_empty(source: Source) -> Iterator[Problem]:
    """The list of an ImageData or WindowData layer is empty.

    **In Caffe** `Check failed: !lines_.empty() File is empty` (image_data_layer.cpp), `Window file is empty`
    (window_data_layer.cpp).

    **Instead** write a line for each image.
    """
    if source.layer is not None and source.account.fault("list-empty", "windows-empty") and source.kind != "hdf5":
        yield finding(
            source.at(),
            f"`{source.name}` of `{source.layer.name}` is empty, and Caffe aborts; write a line for each image",
            layer=source.layer.name,
            phase=source.phase,
        )


@rule("DAT801", "window-file", ERROR, effect=Effect.RUN_FAILURE)
def window_file(source: Source) -> Iterator[Problem]:
    """A window file cannot be used as WindowData needs it.

    **In Caffe** (window_data_layer.cpp) every block begins with `#`, a foreground window needs a class above 0, and
    both kinds of windows must be there. The number behind `#` is used as an index, unchecked. An image that is not
    there leaves the rest of the batch 0, in silence; a box outside the image kills the process.

    **Instead** write the file anew: blocks numbered 0, 1, 2, ..., boxes within the images.
    """
    content, layer = source.account.content, source.layer
    if source.kind != "windows" or layer is None:
        return
    for words, severity, effect in _window_faults(source, content):
        yield finding(
            source.at(), f"{words}", layer=layer.name, phase=source.phase, severity=severity, effect=effect
        )


def _window_faults(source: Source, content: object) -> Iterator[tuple[str, Severity, Effect]]:
    account, name = source.account, f"`{source.name}`"
    met = ERROR if reached(source, 0) else WARNING
    if (fault := account.fault("window-broken")) is not None:
        yield f"{fault.where} of {name} is broken: {fault.words}; write the file anew", WARNING, Effect.SETUP_FAILURE
    if (fault := account.fault("window-class")) is not None:
        yield (
            f"{fault.where} of {name} gives a foreground window the class {fault.words}, which must be above 0: Caffe "
            "aborts; write its class, or an overlap below the threshold",
            ERROR,
            Effect.SETUP_FAILURE,
        )
    elif isinstance(content, Windows) and content.images.files and not account.fault("window-broken"):
        for kind, number, field in (
            ("foreground", content.foreground, "fg_threshold"),
            ("background", content.background, "bg_threshold"),
        ):
            if not number:
                words = f"{name} has no {kind} window, and Caffe aborts; add some, or move `{field}`"
                yield words, met, Effect.RUN_FAILURE
    if (fault := account.fault("window-index")) is not None:
        own, _, place = fault.words.partition("|")
        yield (
            f"{fault.where} of {name} has the number {own} and is block {place}: Caffe uses it as an index, unchecked, "
            "and "
            "takes another image or reads outside; number the blocks from 0",
            WARNING,
            Effect.MEMORY_ERROR,
        )
    if (fault := account.fault("window-box")) is not None:
        box, size, path = fault.words.split("|")
        everywhere = isinstance(content, Windows) and account.counted["window-box"] * 4 >= content.foreground
        yield (
            f"{fault.where} of {name} has the box {box} outside the {size} of `{path}`, and Caffe dies of it; mend the "
            "box",
            met if everywhere else WARNING,
            Effect.RUN_FAILURE,
        )
    if (fault := account.fault("window-size")) is not None:
        said, size, path = fault.words.split("|")
        yield f"{fault.where} of {name} says {said} of `{path}`, which is {size}; write its size", WARNING, Effect.NONE
    yield from _window_images(source, content)


def _window_images(source: Source, content: object) -> Iterator[tuple[str, Severity, Effect]]:
    fault = source.account.fault("image-missing", "image-corrupt")
    if fault is None:
        return
    path = fault.words.partition("|")[0]
    yield (
        f"{fault.where} of `{source.name}` names `{path}`, which is not there or cannot be decoded: Caffe fills the "
        "rest of "
        "the batch with 0 and goes on; mend the path, or `root_folder`",
        WARNING,
        Effect.NONE,
    )


def _when(source: Source, fault: Fault) -> Severity:
    return ERROR if fault.at == 0 and not shuffled_first(source) else sure(source, fault.at)


def shuffled_first(source: Source) -> bool:
    """Whether the first line of a list need not be the first that is read."""
    return source.layer is not None and shuffled(source.layer)


def _effect(fault: Fault) -> Effect:
    return Effect.SETUP_FAILURE if fault.at == 0 else Effect.RUN_FAILURE

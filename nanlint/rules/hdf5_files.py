"""HDF5Data: the list, its files, and their datasets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.model import count
from nanlint.data.records import Listed
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.feeding import CLASS, sure, uses
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.data.beside import Source
    from nanlint.data.records import Fault
    from nanlint.findings import Severity


@rule("DAT601", "hdf5-dataset-missing", ERROR, effect=Effect.SETUP_FAILURE)
def hdf5_dataset_missing(source: Source) -> Iterator[Problem]:
    """A file has no dataset of the name of a top.

    **In Caffe** each top is read from the dataset of its name (hdf5_data_layer.cpp, LoadHDF5FileData; util/hdf5.cpp):
    `Failed to find HDF5 dataset`.

    **Instead** name the top as the dataset, or the dataset as the top.
    """
    for fault, top, held in _faults(source, "dataset-missing"):
        yield _finding(
            source,
            fault,
            f"has no dataset `{top}` for the top of that name{f', but {held}' if held else ''}; name one as the other",
            route=_top_route(source, top),
        )


@rule("DAT602", "hdf5-dtype", ERROR, effect=Effect.SETUP_FAILURE)
def hdf5_dtype(source: Source) -> Iterator[Problem]:
    """A dataset holds neither integers nor floats, or has no axis.

    **In Caffe** only the classes FLOAT and INTEGER are read (util/hdf5.cpp): `Unsupported datatype class`. A numpy
    array of bool is written as an ENUM.

    **Instead** write `array.astype('float32')`.
    """
    for fault, top, kind in _faults(source, "dtype"):
        yield _finding(source, fault, f"holds `{top}` as {kind}, which Caffe does not read; write it as float32")
    for fault, top, _ in _faults(source, "no-axes"):
        yield _finding(source, fault, f"holds `{top}` as one number without an axis; write an array of rows")


@rule("DAT603", "hdf5-rows-differ", ERROR, effect=Effect.SETUP_FAILURE)
def hdf5_rows_differ(source: Source) -> Iterator[Problem]:
    """The datasets of a file have different numbers of rows.

    **In Caffe** `Check failed: hdf_blobs_[i]->shape(0) == num` (hdf5_data_layer.cpp, LoadHDF5FileData).

    **Instead** write a row of each dataset for every record.
    """
    for fault, top, rows in _faults(source, "rows-differ"):
        own, _, first = rows.partition("|")
        words = f"has {own} rows of `{top}` and {first} of `{source.tops[0].name}`; write as many"
        yield _finding(source, fault, words)


@rule("DAT604", "hdf5-file-missing", ERROR, effect=Effect.RUN_FAILURE)
def hdf5_file_missing(source: Source) -> Iterator[Problem]:
    """A file of the list is not there.

    **In Caffe** names are taken from the working directory, and a blank parts two names (hdf5_data_layer.cpp):
    `Failed opening HDF5 file`, for the first file while the net is built, for others when they are reached.

    **Instead** mend the list; paths in it begin where Caffe is started.
    """
    content = source.account.content
    elsewhere = isinstance(content, Listed) and content.absent == content.files
    for fault, *_ in _faults(source, "file-missing"):
        if elsewhere:
            yield _finding(source, fault, "is not on this machine, and neither is any other of the list", severity=INFO)
            return
        yield _finding(source, fault, "is not there; mend the list, whose paths begin where Caffe is started")


@rule("DAT605", "hdf5-list-empty", ERROR, effect=Effect.SETUP_FAILURE)
def hdf5_list_empty(source: Source) -> Iterator[Problem]:
    """The list of an HDF5Data layer names no file.

    **In Caffe** `Must have at least 1 HDF5 filename listed` (hdf5_data_layer.cpp, LayerSetUp).

    **Instead** write a line for each file.
    """
    if source.kind == "hdf5" and source.layer is not None and source.account.fault("list-empty"):
        yield finding(
            source.at(),
            f"`{source.name}` of `{source.layer.name}` names no HDF5 file, and Caffe aborts; write a line for each",
            layer=source.layer.name,
            phase=source.phase,
        )


@rule("DAT606", "hdf5-file-shapes-differ", ERROR, effect=Effect.MEMORY_ERROR)
def hdf5_file_shapes_differ(source: Source) -> Iterator[Problem]:
    """A later file has rows of another size than the first.

    **In Caffe** the tops keep the shape of the first file, and rows of that length are copied out of each file
    (hdf5_data_layer.cpp, Forward_cpu): they are shifted, and beyond the end of a smaller file.

    **Instead** write all files with one shape.
    """
    for fault, top, shapes in _faults(source, "file-shapes-differ"):
        own, _, first = shapes.partition("|")
        yield _finding(
            source,
            fault,
            f"has rows of {own} for `{top}` and the first file of {first}: Caffe copies rows of the first length out "
            "of "
            "it, shifted and beyond its end; write all files with one shape",
            aborts=False,
        )


@rule("DAT607", "hdf5-no-rows", ERROR, effect=Effect.RUN_FAILURE)
def hdf5_no_rows(source: Source) -> Iterator[Problem]:
    """A file has no row.

    **In Caffe** its blobs have no memory, and the row counter passes the end without noticing (hdf5_data_layer.cpp,
    Next): `Check failed: data_`, or a read outside.

    **Instead** leave the file out of the list.
    """
    for fault, *_ in _faults(source, "no-rows"):
        yield _finding(source, fault, "has no row, and Caffe reads one all the same; leave it out of the list")


@rule("DAT608", "label-blob-shape", ERROR, effect=Effect.SETUP_FAILURE)
def label_blob_shape(source: Source) -> Iterator[Problem]:
    """Labels are stored with another number of elements than the scores have rows: one-hot, or maps with channels.

    **In Caffe** there is one label for each position of the scores: `Number of labels must match number of
    predictions` (softmax_loss_layer.cpp, Reshape). A row of 0 and 1 for each record is no label.

    **Instead** write the index of the class, one number a record; for maps one channel of class indices.
    """
    layer, net = source.layer, source.net
    if layer is None or net is None:
        return
    for top, blob in zip(source.tops, layer.tops, strict=False):
        held = count(blob.shape)
        for use in uses(blob):
            scores = use.layer.bottoms[0].shape if use.layer.bottoms else None
            if use.role != CLASS or scores is None or held is None or use.classes is None:
                continue
            elements = count(scores)
            if not elements or not use.classes or held == elements // use.classes or use.layer.type == "HingeLoss":
                continue
            times = held / (elements / use.classes)
            if times != use.classes and not (times > 1 and times == int(times)):
                continue
            one_hot = times == use.classes and len(blob.shape or ()) == 2
            remedy = "the index of the class, one number a record" if one_hot else "one channel of class indices"
            yield finding(
                source.at(),
                f"`{top.name}` of `{layer.name}` has {int(times)} numbers for each that `{use.layer.name}` takes "
                f"({held} for {elements // use.classes} predictions): Caffe aborts; write {remedy}",
                related=[Related("the loss", use.layer.at())],
                layer=layer.name,
                phase=source.phase,
            )
            return


@rule("DAT609", "hdf5-unreadable", ERROR, effect=Effect.SETUP_FAILURE)
def hdf5_unreadable(source: Source) -> Iterator[Problem]:
    """A file of the list is no HDF5 file, or is cut short.

    **In Caffe** `Failed opening HDF5 file` (hdf5_data_layer.cpp, LoadHDF5FileData).

    **Instead** write or copy the file again.
    """
    for fault, *_ in _faults(source, "unreadable", "damaged", "too-large", "killed"):
        if not fault.where:
            yield finding(
                source.at(),
                f"`{source.name}` cannot be read: {fault.words}; write it again",
                layer=source.layer.name if source.layer else None,
                phase=source.phase,
                severity=WARNING,
            )
            continue
        certain = fault.kind == "unreadable"
        yield _finding(
            source, fault, f"cannot be read: {fault.words}; write it again", severity=None if certain else WARNING
        )


def _faults(source: Source, *kinds: str) -> Iterator[tuple[Fault, str, str]]:
    """The faults of some kinds, with the two parts of their words; of one kind no more than three."""
    if source.kind != "hdf5":
        return
    for fault in [one for one in source.account.faults if one.kind in kinds][:3]:
        name, _, rest = fault.words.partition("|")
        yield fault, name, rest


def _finding(
    source: Source,
    fault: Fault,
    words: str,
    *,
    route: str | None = None,
    aborts: bool = True,
    severity: Severity | None = None,
) -> Problem:
    """A finding about a file of the list: Caffe meets the first one while it builds the net."""
    first = fault.at == 0
    return finding(
        source.at(route),
        f"{fault.where} of `{source.name}` {words}" + (", or Caffe aborts" if aborts else ""),
        evidence=None if first else f"file {fault.at + 1} of the list",
        related=[Related("the list", source.at())] if route else [],
        layer=source.layer.name if source.layer else None,
        phase=source.phase,
        severity=severity or (None if first else sure(source)),
        effect=(Effect.SETUP_FAILURE if first else Effect.RUN_FAILURE) if aborts else None,
    )


def _top_route(source: Source, name: str) -> str | None:
    names = list(source.layer.param.top) if source.layer is not None else []
    return f"top[{names.index(name)}]" if name in names else None

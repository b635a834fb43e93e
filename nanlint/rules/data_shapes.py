"""Sizes of records: of each against the others, the crop and the mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.data.records import Matrix
from nanlint.findings import Effect, Problem, Related
from nanlint.rules.feeding import seen, sure
from nanlint.rules.registry import ERROR, WARNING, finding, rule
from nanlint.rules.wording import counted

if TYPE_CHECKING:
    from nanlint.data.beside import Source
    from nanlint.findings import Severity

_DATABASES = ("lmdb", "leveldb")
_SHOWN = 3
_UNDECODABLE = ("undecodable", "not-a-datum", "no-numbers", "too-large")


@rule("DAT401", "varying-shapes", ERROR, effect=Effect.RUN_FAILURE)
def varying_shapes(source: Source) -> Iterator[Problem]:
    """Records of a database differ in size, and meet in one batch without a crop.

    **In Caffe** the first record of each batch sets its shape, and every other one must have it
    (data_transformer.cpp, Transform): `Check failed: datum_height == height`. With `crop_size` only the channels must
    agree; with `batch_size: 1` sizes may vary.

    **Instead** resize the images when the database is made (`convert_imageset -resize_height -resize_width`), or write
    `crop_size`.
    """
    layer = source.layer
    if source.kind not in _DATABASES or layer is None or layer.type != "Data":
        return
    mixed = _mixed(source)
    if mixed is None or _by_colour(source):
        return
    index, severity = mixed
    yield finding(
        source.at(),
        f"records of `{source.name}` have the sizes {_sizes(source)}, and without `crop_size` a batch of "
        f"{source.batch} "
        f"must have one: Caffe aborts; write them in one size, or write `crop_size`",
        evidence=f"the size changes at record {index}" if index >= 0 else f"among {seen(source.account)}",
        layer=layer.name,
        phase=source.phase,
        severity=severity,
    )


@rule("DAT404", "encoded-colour-varies", ERROR, effect=Effect.RUN_FAILURE)
def encoded_colour_varies(source: Source) -> Iterator[Problem]:
    """Encoded images of a database are grey and coloured by turns.

    **In Caffe** an encoded record is decoded as it is stored, unless `force_color` or `force_gray` says otherwise
    (io.cpp, DecodeDatumToCVMatNative), and a batch has one number of channels (data_transformer.cpp).

    **Instead** write `transform_param { force_color: true }`.
    """
    layer = source.layer
    if source.kind not in _DATABASES or layer is None or not source.account.encoded or not _by_colour(source):
        return
    mixed = _mixed(source, channels=True)
    if mixed is None:
        return
    index, severity = mixed
    channels = sorted({shape[0] for shape in source.tops[0].shapes})
    yield finding(
        source.at("transform_param" if layer.param.HasField("transform_param") else None),
        f"the images of `{source.name}` decode to {' and '.join(map(str, channels))} channels, and a batch has one "
        "number "
        "of them: Caffe aborts; write `transform_param { force_color: true }`",
        evidence=f"the size changes at record {index}" if index >= 0 else f"among {seen(source.account)}",
        layer=layer.name,
        phase=source.phase,
        severity=severity,
    )


def _mixed(source: Source, channels: bool = False) -> tuple[int, Severity] | None:
    """The first record that meets one of another size in its batch, and how sure that is."""
    top, batch = source.tops[0], source.batch
    layer, account = source.layer, source.account
    assert layer is not None
    if len(top.shapes) < 2 or batch < 2:
        return None
    if layer.param.transform_param.crop_size and not channels and len({shape[0] for shape in top.shapes}) == 1:
        return None
    if not account.whole:
        return -1, WARNING
    inside = [index for index in account.changes if index % batch]
    if inside:
        return inside[0], sure(source, inside[0])
    if account.records and account.records % batch and account.changes:
        return account.changes[0], WARNING
    return None


def _by_colour(source: Source) -> bool:
    """Whether the sizes differ in the number of channels of encoded images."""
    return bool(source.account.encoded) and len({shape[0] for shape in source.tops[0].shapes}) > 1


def _sizes(source: Source) -> str:
    shapes = [" x ".join(map(str, shape)) for shape in source.tops[0].shapes]
    more = f" and {len(shapes) - _SHOWN} more" if len(shapes) > _SHOWN else ""
    return ", ".join(shapes[:_SHOWN]) + more


@rule("DAT402", "crop-too-large", ERROR, effect=Effect.SETUP_FAILURE)
def crop_too_large(source: Source) -> Iterator[Problem]:
    """`crop_size` exceeds the size of the images.

    **In Caffe** the first record is checked while the net is built: `Check failed: datum_height >= crop_size`
    (data_transformer.cpp, InferBlobShape), later ones when they are read.

    **Instead** write a crop that fits, or store larger images.
    """
    layer = source.layer
    crop = layer.param.transform_param.crop_size if layer is not None else 0
    if layer is None or not crop or source.kind not in (*_DATABASES, "images") or not source.tops:
        return
    if layer.type == "AnnotatedData" or (layer.type == "ImageData" and layer.param.image_data_param.new_height):
        return
    images = {shape: index for shape, index in source.tops[0].shapes.items() if len(shape) == 3}
    small = {shape: index for shape, index in images.items() if min(shape[1:]) < crop}
    if not small:
        return
    shape, index = min(small.items(), key=lambda one: one[1])
    first = index == 0
    known = index if index < 1 << 61 else -1
    yield finding(
        layer.at("transform_param.crop_size"),
        f"`crop_size: {crop}` of `{layer.name}` exceeds the {shape[1]} x {shape[2]} of "
        f"{'its images' if len(source.tops[0].shapes) == 1 else 'some of its images'}, and Caffe aborts; write at most "
        f"{min(shape[1:])}",
        evidence=f"record {known} of `{source.name}`" if known >= 0 else f"among {seen(source.account)}",
        related=[Related("the images", source.at())],
        layer=layer.name,
        phase=source.phase,
        severity=None if first else sure(source, known),
        effect=None if first else Effect.RUN_FAILURE,
    )


@rule("DAT406", "record-size-mismatch", ERROR, effect=Effect.MEMORY_ERROR)
def record_size_mismatch(source: Source) -> Iterator[Problem]:
    """A record holds another number of values than its size says.

    **In Caffe** `channels`, `height` and `width` are believed (data_transformer.cpp, Transform): numbers behind the
    end of a record are read, in silence.

    **Instead** write the record anew.
    """
    layer, fault = source.layer, source.account.fault("size-mismatch")
    if layer is None or fault is None:
        return
    shapes = source.tops[0].shapes
    agrees = _mixed(source) is None
    if len(shapes) > 1 and not agrees and not layer.param.transform_param.crop_size:
        return  # Caffe aborts on its size before it reads its numbers
    number = source.account.counted["size-mismatch"]
    yield finding(
        source.at(),
        f"{counted(number, 'record')} of `{source.name}` {'holds' if number == 1 else 'hold'} another number of values "
        "than "
        "the size says, and Caffe reads what lies behind; write the database anew",
        evidence=f"{fault.record}: {fault.words}",
        layer=layer.name,
        phase=source.phase,
        severity=sure(source, fault.at),
    )


@rule("DAT407", "undecodable-record", ERROR, effect=Effect.RUN_FAILURE)
def undecodable_record(source: Source) -> Iterator[Problem]:
    """A record is no Datum, or its image cannot be decoded.

    **In Caffe** what parsing says is dropped (data_layer.cpp), and a record that cannot be decoded has no channels:
    `Could not decode datum`, then the next check on its size aborts (data_transformer.cpp). The first record is read
    while the net is built.

    **Instead** write the record anew from its source.
    """
    layer = source.layer
    fault = source.account.fault(*_UNDECODABLE)
    if layer is None or fault is None or source.kind not in _DATABASES:
        return
    number = sum(source.account.counted.get(kind, 0) for kind in _UNDECODABLE)
    first = fault.at == 0
    yield finding(
        source.at(),
        f"{counted(number, 'record')} of `{source.name}` cannot be decoded, and Caffe aborts on reading "
        f"{'it' if number == 1 else 'them'}; write {'it' if number == 1 else 'them'} anew",
        evidence=f"{fault.record}: {fault.words}",
        layer=layer.name,
        phase=source.phase,
        severity=None if first else sure(source, fault.at),
        effect=Effect.SETUP_FAILURE if first else None,
    )


@rule("DAT301", "mean-shape", ERROR, effect=Effect.RUN_FAILURE)
def mean_shape(source: Source) -> Iterator[Problem]:
    """The mean file has another size than the images.

    **In Caffe** it must be as large as the stored image, not as the crop: `Check failed: datum_height ==
    data_mean_.height()` when the first record is read (data_transformer.cpp, Transform).

    **Instead** compute the mean of these images (`compute_image_mean`), or write `mean_value`.
    """
    layer, content = source.layer, source.account.content
    if source.kind != "mean" or layer is None or source.net is None or not isinstance(content, Matrix):
        return
    if source.account.faults:
        return
    image = _image_of(source)
    if image is None or not content.shape:
        return
    mean = ((1,) * (4 - len(content.shape)) + content.shape)[1:]
    if mean == image:
        return
    yield finding(
        source.at(),
        f"the mean file `{source.name}` is {' x '.join(map(str, mean))} and the images of `{layer.name}` are "
        f"{' x '.join(map(str, image))}: Caffe aborts at the first record; compute the mean of these images, or write "
        "`mean_value`",
        layer=layer.name,
        phase=source.phase,
        severity=ERROR if source.net.runs else WARNING,
    )


def _image_of(source: Source) -> tuple[int, ...] | None:
    """channels x height x width of what the mean is taken from, where all records agree."""
    layer = source.layer
    assert layer is not None
    shape = source.data.tops[0].shape if source.data is not None and source.data.tops else None
    if shape is None or len(shape) != 3 or not (layer.facts.holds_pixels and layer.facts.labels_on_top):
        return None
    images = layer.param.image_data_param
    if layer.type == "ImageData" and images.new_height and images.new_width:
        return shape[0], images.new_height, images.new_width
    return shape


@rule("DAT403", "mean-value-count", ERROR, effect=Effect.RUN_FAILURE)
def mean_value_count(source: Source) -> Iterator[Problem]:
    """`mean_value` is neither written once nor once for each channel of the images.

    **In Caffe** `Check failed: mean_values_.size() == 1 || mean_values_.size() == img_channels` at the first record
    (data_transformer.cpp, Transform).

    **Instead** write one, or as many as there are channels.
    """
    layer = source.layer
    if layer is None or source.kind not in (*_DATABASES, "images") or not source.tops:
        return
    means, shape = len(layer.param.transform_param.mean_value), source.tops[0].first_shape
    if means < 2 or shape is None or len(shape) != 3 or shape[0] == means:
        return
    yield finding(
        layer.at("transform_param.mean_value[0]"),
        f"`{layer.name}` has {means} `mean_value`s and images of {counted(shape[0], 'channel')}: Caffe aborts at the "
        "first "
        f"record; write one, or {shape[0]}",
        related=[Related("the images", source.at())],
        layer=layer.name,
        phase=source.phase,
        severity=ERROR if source.net is None or source.net.runs else WARNING,
    )

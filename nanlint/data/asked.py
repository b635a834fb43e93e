"""From the settings of a data layer to the request for what it reads, and to the shapes that its tops then have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nanlint.data.places import Places
from nanlint.data.records import Account, Top, Windows
from nanlint.data.request import Request, Transform

if TYPE_CHECKING:
    from nanlint.schema.caffe_pb2 import LayerParameter

BLOCKS = {
    "Data": "data_param",
    "AnnotatedData": "data_param",
    "ImageData": "image_data_param",
    "HDF5Data": "hdf5_data_param",
    "WindowData": "window_data_param",
}
"""The types of layers whose data is read, each with the block of settings that names it."""

_LEVELDB, _LMDB = 0, 1
_OWN_FIELDS = 100_000
"""Fields from here on are those of forks."""

Shape = tuple[int | None, ...]


def source_name(param: LayerParameter) -> str:
    """The source that a layer names; empty where it names none, or is of another type."""
    block = BLOCKS.get(param.type)
    return str(getattr(param, block).source) if block else ""


def batch_size(param: LayerParameter) -> int:
    """The batch size that a data layer states; 0 for other layers."""
    block = BLOCKS.get(param.type)
    return int(getattr(param, block).batch_size) if block else 0


def backend(param: LayerParameter) -> str:
    return "lmdb" if param.data_param.backend == _LMDB else "leveldb"


def request(param: LayerParameter, places: Places) -> Request | None:
    """What is to be read for a layer; None where it reads nothing, or its source is not there."""
    name = source_name(param)
    found = places.find(name) if name else None
    if found is None:
        return None
    tops = tuple(param.top)
    common = Request(
        kind(param), found.path, found.root, tops, frozenset(tops), transform_of(param, places), prints=True
    )
    if param.type == "AnnotatedData":
        return _but(common, annotated=True)
    if param.type == "ImageData":
        images = param.image_data_param
        return _but(common, is_color=images.is_color, root_folder=images.root_folder)
    if param.type == "WindowData":
        windows = param.window_data_param
        return _but(
            common,
            root_folder=windows.root_folder,
            thresholds=(windows.fg_threshold, windows.bg_threshold),
            clipped=windows.context_pad > 0 or windows.crop_mode == "square",
        )
    return common


def _but(common: Request, **changes: object) -> Request:
    from dataclasses import replace

    return replace(common, **changes)  # type: ignore[arg-type]


def kind(param: LayerParameter) -> str:
    """The kind of source that a layer reads."""
    kinds = {"ImageData": "images", "HDF5Data": "hdf5", "WindowData": "windows"}
    return kinds.get(param.type) or backend(param)


def transform_of(param: LayerParameter, places: Places) -> Transform:
    """What a layer does to its numbers; `known` is False where a fork's settings do more."""
    given = param.transform_param
    if param.type == "HDF5Data":
        return Transform()
    mean = places.find(given.mean_file) if given.HasField("mean_file") else None
    forks = any(field.number >= _OWN_FIELDS for field, _ in given.ListFields())
    scale = param.window_data_param.scale if param.type == "WindowData" else given.scale
    return Transform(
        scale,
        tuple(given.mean_value),
        mean.path if mean else "",
        given.force_color,
        given.force_gray,
        not forks and (mean is not None or not given.HasField("mean_file")),
    )


def shapes(param: LayerParameter, account: Account) -> dict[str, Shape]:
    """The shapes of the tops, as the first record sets them; a top of which that is not known is left out."""
    batch = batch_size(param)
    if batch < 1 or not account.tops:
        return {}
    first = account.tops[0]
    labels = {account.tops[1].name: (batch,)} if len(account.tops) > 1 else {}
    if param.type == "HDF5Data":
        return {top.name: (batch, *top.first_shape) for top in account.tops if top.first_shape is not None}
    if param.type == "WindowData":
        crop, content = param.transform_param.crop_size, account.content
        known = isinstance(content, Windows) and content.channels > 0 and crop > 0
        return {first.name: (batch, content.channels, crop, crop), **labels} if known else {}  # type: ignore[union-attr]
    image = _image(param, first)
    if param.type == "AnnotatedData":
        return {first.name: (batch, *image)} if image else {}
    return {first.name: (batch, *image), **labels} if image else {}


def _image(param: LayerParameter, first: Top) -> tuple[int, ...] | None:
    """channels x height x width after resizing and cropping; None where it is not known, or Caffe aborts."""
    shape, transform = first.first_shape, param.transform_param
    if shape is None or len(shape) != 3:
        return None
    channels, height, width = shape
    if param.type == "ImageData" and param.image_data_param.new_height and param.image_data_param.new_width:
        height, width = param.image_data_param.new_height, param.image_data_param.new_width
    if any(field.number >= _OWN_FIELDS for field, _ in transform.ListFields()):
        sizes = {(one.height, one.width) for one in transform.resize_param if one.height and one.width}
        others = [
            field.name for field, _ in transform.ListFields()
            if field.number >= _OWN_FIELDS and field.name not in ("resize_param", "noise_param", "distort_param",
                                                                  "expand_param", "emit_constraint")
        ]
        if others or len(sizes) != 1:
            return None
        height, width = sizes.pop()
    crop = transform.crop_size
    if crop:
        return (channels, crop, crop) if height >= crop and width >= crop else None
    return channels, height, width

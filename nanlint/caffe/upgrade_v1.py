"""V1 `layers { type: CONVOLUTION blobs_lr: 1 }` made into today's `layer` (UpgradeV1LayerParameter)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from nanlint.caffe.model import Origin
from nanlint.schema.descriptors import enum, new_layer
from nanlint.schema.forks import FIRST_FORK_NUMBER

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumValueDescriptor

    from nanlint.schema.bind import Bound
    from nanlint.schema.caffe_pb2 import LayerParameter, V1LayerParameter

Renames = tuple[tuple[str, str], ...]

_IRREGULAR_TYPES = {
    "NONE": "",
    "ABSVAL": "AbsVal",
    "ARGMAX": "ArgMax",
    "BNLL": "BNLL",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "LRN": "LRN",
    "MVN": "MVN",
    "RELU": "ReLU",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "TANH": "TanH",
}
# list of a V1 layer -> the field of a param spec that its entries become, in Caffe's order
SPEC_LISTS = {
    "param": "name",
    "blob_share_mode": "share_mode",
    "blobs_lr": "lr_mult",
    "weight_decay": "decay_mult",
}
DATA_TYPES = {"Data": "data_param", "ImageData": "image_data_param", "WindowData": "window_data_param"}
TRANSFORM_FIELDS = ("scale", "mean_file", "crop_size", "mirror")
_HANDLED = {*SPEC_LISTS, "type", "layer"}


@cache
def fork_types() -> dict[str, EnumValueDescriptor]:
    """The V1 types that only forks have, by the name that `type_name` gives them."""
    values = enum("V1LayerParameter.LayerType").values
    return {type_name(value.number): value for value in values if value.number >= FIRST_FORK_NUMBER}


def type_name(number: int) -> str:
    """Today's type of a V1 enum number (UpgradeV1LayerType)."""
    name = enum("V1LayerParameter.LayerType").values_by_number[number].name
    regular = "".join(word.capitalize() for word in name.split("_"))
    return _IRREGULAR_TYPES.get(name, regular)


def upgrade_layer(
    bound: Bound, route: str, written: V1LayerParameter, earlier: Renames = ()
) -> tuple[LayerParameter, Origin]:
    """A V1 layer in the format of today. `earlier`: where fields of `written` were before it was a V1
    layer."""
    layer = new_layer()
    renames: list[tuple[str, str]] = []
    if written.HasField("type"):
        layer.type = type_name(written.type)
    fields = layer.DESCRIPTOR.fields_by_name
    for field, value in written.ListFields():
        if field.name in _HANDLED or field.name not in fields:
            continue
        if field.is_repeated:
            getattr(layer, field.name).extend(value)
        elif field.message_type is not None:
            getattr(layer, field.name).MergeFromString(value.SerializeToString())
        else:
            setattr(layer, field.name, value)
    _move_param_specs(written, layer, renames)
    _move_transform(layer, renames)
    return layer, Origin(bound, route, (*((new, follow(old, earlier)) for new, old in renames), *earlier))


def follow(route: str, renames: Renames) -> str:
    """A route through the first rename that holds for it."""
    for renamed, written in renames:
        if route == renamed or route.startswith((renamed + ".", renamed + "[")):
            return written + route[len(renamed) :]
    return route


def _move_param_specs(
    written: V1LayerParameter, layer: LayerParameter, renames: list[tuple[str, str]]
) -> None:
    whole: dict[int, str] = {}
    for old, new in SPEC_LISTS.items():
        for index, value in enumerate(getattr(written, old)):
            while len(layer.param) <= index:
                layer.param.add()
            setattr(layer.param[index], new, value)
            renames.append((f"param[{index}].{new}", f"{old}[{index}]"))
            whole.setdefault(index, f"{old}[{index}]")
    renames.extend((f"param[{index}]", written_as) for index, written_as in whole.items())


def _move_transform(layer: LayerParameter, renames: list[tuple[str, str]]) -> None:
    """Fields that data layers once held themselves override `transform_param`
    (UpgradeNetDataTransformation)."""
    holder = DATA_TYPES.get(layer.type)
    if holder is None or not layer.HasField(holder):
        return
    data = getattr(layer, holder)
    for field in TRANSFORM_FIELDS:
        if data.HasField(field):
            setattr(layer.transform_param, field, getattr(data, field))
            data.ClearField(field)
            renames.append((f"transform_param.{field}", f"{holder}.{field}"))

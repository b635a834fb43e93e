"""Whether two layers compute the same from the same weights: their types and the settings that matter in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

from nanlint.caffe.model import count
from nanlint.schema.suggest import is_fork_field

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

    from nanlint.caffe.model import Layer

Value = object

# blocks that say how a net is fed, trained or shown, and nothing of what it computes
_NOT_COMPUTING = frozenset(
    """
    transform_param loss_param data_param image_data_param hdf5_data_param hdf5_output_param memory_data_param
    window_data_param input_param dummy_data_param parameter_param dropout_param accuracy_param python_param
    annotated_data_param detection_output_param detection_evaluate_param
    """.split()
)
# fields that fill weights, choose code, or only matter while the net learns
_NOT_IN_USE = frozenset("engine moving_average_fraction stable_prod_grad use_global_stats".split())

_DEPTHWISE = ("DepthwiseConvolution", "ConvolutionDepthwise")

_AXES = ("kernel", "stride", "pad")
_WINDOWED = ("convolution_param", "pooling_param")


class Difference(NamedTuple):
    """A setting of which two layers have different values: its route, and the value on each side as text."""

    route: str
    here: str
    there: str


def same_type(here: Layer, there: Layer) -> bool:
    """Whether two layers are of one type, by whichever of its names."""
    return _type(here) == _type(there)


def differences(here: Layer, there: Layer) -> Iterator[Difference]:
    """The settings in which two layers of one type differ and that change what they compute."""
    if whole_map(here) and whole_map(there):
        mine, theirs = (layer.param.pooling_param for layer in (here, there))
        if mine.pool != theirs.pool:
            names = mine.PoolMethod.Name
            yield Difference("pooling_param.pool", names(mine.pool), names(theirs.pool))
        return
    for block in _blocks(here, there):
        mine, theirs = getattr(here.param, block), getattr(there.param, block)
        found = dict(_settings(block, mine))
        other = dict(_settings(block, theirs))
        for name in dict.fromkeys((*found, *other)):
            if name == "group" and here.type != there.type:
                continue
            one, two = found.get(name), other.get(name)
            if one != two:
                yield Difference(f"{block}.{_field(mine, name)}", _shown(one), _shown(two))


def whole_map(layer: Layer) -> bool:
    """Whether a layer pools its whole map into one element."""
    if layer.type != "Pooling":
        return False
    if layer.param.pooling_param.global_pooling:
        return True
    top = layer.tops[0].shape if layer.tops else None
    return count(top, 2) == 1 and not any(_pair(layer.param.pooling_param, "pad"))


def _type(layer: Layer) -> str:
    param = layer.param.convolution_param
    if layer.type in _DEPTHWISE or (layer.type == "Convolution" and 1 < param.group == param.num_output):
        return "depthwise convolution"
    return layer.type


def _blocks(here: Layer, there: Layer) -> Iterator[str]:
    fields = [field for layer in (here, there) for field, _ in layer.param.ListFields()]
    names = [field.name for field in fields if not is_fork_field(field)]
    for name in dict.fromkeys(names):
        if name.endswith("_param") and name not in _NOT_COMPUTING:
            yield name


def _settings(block: str, message: Message) -> Iterator[tuple[str, Value]]:
    """What holds for each field that changes the output; kernels, strides and pads as one pair each."""
    windowed = block in _WINDOWED
    if windowed:
        for name in _AXES:
            yield name, _pair(message, name)
    for field in message.DESCRIPTOR.fields:
        name = field.name
        if name in _NOT_IN_USE or name.endswith("_filler") or is_fork_field(cast("FieldDescriptor", field)):
            continue
        if windowed and name.removesuffix("_size").removesuffix("_h").removesuffix("_w") in _AXES:
            continue
        if block == "reshape_param" and name == "shape":
            yield name, tuple(message.shape.dim)[1:]  # type: ignore[attr-defined]
        elif field.message_type is None:
            value = getattr(message, name)
            if field.enum_type is not None:
                value = field.enum_type.values_by_number[value].name
            yield name, _plain(name, tuple(value) if field.is_repeated else value)


def _plain(name: str, value: Value) -> Value:
    """A list as Caffe reads it: ones say what no list says."""
    neutral = {"dilation": 1, "coeff": 1.0}.get(name)
    return () if isinstance(value, tuple) and neutral is not None and all(one == neutral for one in value) else value


def _pair(message: Message, name: str) -> tuple[int, ...]:
    """Height and width of a kernel, stride or pad, however they are written."""
    plain = "kernel_size" if name == "kernel" else name
    high, wide = getattr(message, f"{name}_h"), getattr(message, f"{name}_w")
    if high or wide:
        return (high, wide)
    value = getattr(message, plain)
    values = tuple(value) if not isinstance(value, int) else (value,)
    default = 1 if name == "stride" else 0
    values = values or (default,)
    return values * 2 if len(values) == 1 else values


def _field(message: Message, name: str) -> str:
    """The field that gives a pair, as it is written."""
    if name not in _AXES:
        return name
    plain = "kernel_size" if name == "kernel" else name
    return f"{name}_h" if message.HasField(f"{name}_h") and not _written(message, plain) else plain


def _written(message: Message, name: str) -> bool:
    return any(field.name == name for field, _ in message.ListFields())


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        distinct = value if len(set(value)) > 1 else value[:1]
        return " x ".join(map(_shown, distinct)) or "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)

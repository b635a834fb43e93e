"""Pooling, and where its windows lie."""

from __future__ import annotations

import math
from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

from nanlint.caffe.layers.base import (
    Arity,
    Blobs,
    Dim,
    InPlace,
    LayerSetup,
    LayerType,
    Shape,
    between,
    exactly,
)
from nanlint.caffe.layers.pooling_volume import pools_volume, volume
from nanlint.caffe.layers.sizes import LEGACY_AXES, int32, legacy_shape, needs_four_axes, reshaped
from nanlint.caffe.layers.volumes import FORK_GEOMETRY, volume_window
from nanlint.caffe.model import count
from nanlint.numbers.combining import highest, hull
from nanlint.numbers.draws import anything, constant
from nanlint.numbers.float32 import FLOAT_MAX, f32
from nanlint.numbers.moments import Gradient, Moment, Moments
from nanlint.numbers.values import NAN, Part, Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import LayerParameter, PoolingParameter

PARAM = "pooling_param"
MAX, AVE, STOCHASTIC = range(3)
CEIL, FLOOR = range(2)


class Window(NamedTuple):
    """The window along one axis, height or width. `kernel` is None where it spans an unknown size."""

    kernel: Dim
    stride: int
    pad: int


# fields of forks that give pooling another geometry than BVLC Caffe's
FORK_FIELDS = FORK_GEOMETRY | frozenset(
    "axis bin_h bin_size bin_w dilation kernel_size_3d pad_3d stride_3d torch_pooling".split()
)


def fork_geometry(param: PoolingParameter) -> bool:
    """Whether a fork's own fields say how the windows move, so that the output size is not known here."""
    return any(field.name in FORK_FIELDS for field, _ in param.ListFields())


def round_mode(param: PoolingParameter) -> int:
    """Up or down: `round_mode`, or some forks' `ceil_mode`."""
    if param.HasField("ceil_mode") and not param.HasField("round_mode"):
        return CEIL if param.ceil_mode else FLOOR
    return param.round_mode


def windows(param: PoolingParameter, height: Dim, width: Dim) -> tuple[Window, Window]:
    """The windows along height and width, read as PoolingLayer::LayerSetUp reads them (pooling_layer.cpp)."""
    kernel_h: Dim
    kernel_w: Dim
    if param.global_pooling:
        kernel_h, kernel_w = height, width
    elif param.HasField("kernel_size"):
        kernel_h = kernel_w = int32(param.kernel_size)
    else:
        kernel_h, kernel_w = int32(param.kernel_h), int32(param.kernel_w)
    pad_h, pad_w = (param.pad_h, param.pad_w) if param.HasField("pad_h") else (param.pad, param.pad)
    stride_h, stride_w = (
        (param.stride_h, param.stride_w) if param.HasField("stride_h") else (param.stride, param.stride)
    )
    return (
        Window(kernel_h, int32(stride_h), int32(pad_h)),
        Window(kernel_w, int32(stride_w), int32(pad_w)),
    )


def pooled(size: Dim, window: Window, rounding: int, padded: bool) -> Dim:
    """How many windows fit on an axis (PoolingLayer::Reshape); the stride must not be 0.

    With a pad on either axis, a last window that would start past the padded border is taken off.
    """
    kernel, stride, pad = window
    if size is None or kernel is None:
        return None
    rounded = floor if rounding == FLOOR else ceil
    number = rounded((size + 2 * pad - kernel) / stride) + 1
    if padded and (number - 1) * stride >= size + pad:
        number -= 1
    return number


class Pooling(LayerType):
    """Top: the bottom with height and width pooled; for MAX a second top with the places of the maxima."""

    engine_block = PARAM
    tops = between(1, 2)
    keeps_symmetry = True
    in_place = InPlace.WRONG_OUTPUT

    def arities(self, param: LayerParameter) -> tuple[Arity, Arity]:
        return exactly(1), between(1, 2 if param.pooling_param.pool == MAX else 1)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.pooling_param
        shape = layer.bottoms[0].shape
        if fork_geometry(param):
            return Blobs((_as_in_forks(param, shape),) * len(layer.top_names))
        if pools_volume(layer):
            return volume(layer, shape) if shape is not None else Blobs((None,) * len(layer.top_names))
        _check_fields(layer, param)
        sizes = legacy_shape(layer, 0) if param.global_pooling else None
        height, width = sizes[2:] if sizes else (None, None)
        high, wide = windows(param, height, width)
        _check_numbers(layer, param, high, wide)
        needs_four_axes(layer)
        if shape is None:
            return Blobs((None,) * len(layer.top_names))
        top = pooled_shape(param, shape)
        for size, window, made in zip(shape[2:], (high, wide), top[2:], strict=True):
            if made is not None and made < 0 and size is not None:
                raise layer.refuse(
                    "negative-size",
                    field_route(param, "kernel"),
                    f"`kernel_size: {window.kernel}` of `{layer.name}` exceeds the {size} of "
                    f"`{layer.bottoms[0].name}` ({size + 2 * window.pad} with `pad: {window.pad}`) by more "
                    "than its stride, so the output size is negative and Caffe aborts; write a smaller "
                    "kernel",
                    related=layer.origins(0),
                )
        reshaped(layer, top, PARAM, f"the top of `{layer.name}`")
        return Blobs((top,) * len(layer.top_names))

    def values(self, step: Step) -> list[Value]:
        x, param = step.bottoms[0], step.layer.param.pooling_param
        outputs = step.top_count()
        outside = windows_outside(param, step.layer.bottoms[0].shape)
        if param.pool == AVE and any(last.start == last.size for last in outside):
            return [Value(-math.inf, math.inf, True, x.known, outputs, found=(NAN,))]
        if param.pool == MAX:
            top = _maxima(x, outputs, _pool_covers(step.layer))
            if outside:
                lost = _lost_elements(step.layer, {last.side for last in outside})
                sure = (Part(-FLOAT_MAX, -FLOAT_MAX, 1.0),) if lost else ()
                top = hull([top, constant(-FLOAT_MAX, 1)], outputs).but(parts=sure, number=lost)
            return [top, Value(-1.0, float(x.count or FLOAT_MAX), count=outputs, integer=True)]
        if param.pool != AVE:
            return []
        padded = bool(param.pad or param.pad_h or param.pad_w)
        low, high = (min(x.low, 0.0), max(x.high, 0.0)) if padded and x.low == x.low else (x.low, x.high)
        found = []
        if _pool_covers(step.layer):
            found = [NAN] if x.surely_nan else []
            for bad in ((math.inf, math.inf), (-math.inf, -math.inf)):
                if x.surely(lambda a, b, bad=bad: (a, b) == bad) and not x.nan:  # type: ignore[misc]
                    found.append(bad if x.low != -bad[0] and x.high != -bad[0] else NAN)
        if x.constant is not None and not padded:
            exact = x.constant == 0 or x.constant != x.constant
            return [constant(x.constant, outputs) if exact else x.bounds(outputs)]
        nan = x.nan or bool(found)
        return [Value(low, high, nan, x.known, outputs, found=tuple(found))]

    def gradients(self, step: Step) -> list[Value]:
        grad, x, outputs = step.grads[0], step.bottoms[0], step.layer.tops[0].count
        if windows_outside(step.layer.param.pooling_param, step.layer.bottoms[0].shape):
            return [anything(x.count).but(nan=grad.nan)]
        if grad.low != grad.low:
            return [Value(0.0, 0.0, True, count=x.count, found=(NAN,))]
        if outputs is None or x.count is None:
            return [anything(x.count)]
        overlap = float(outputs)
        low, high = min(0.0, grad.low * overlap), max(0.0, grad.high * overlap)
        found = (NAN,) if grad.surely_nan else ()
        return [Value(f32(low), f32(high), grad.nan, grad.known, x.count, found=found)]

    def moment(self, layer: Layer, bottoms: list[Moment]) -> Moment:
        """AVE averages away what neighbours do not share; MAX of k multiplies E[x^2] by about 1 + ln(k) / 4."""
        window = window_elements(layer) or 49
        moment = bottoms[0]
        if not _is_average(layer):
            return moment.scaled(math.log(1 + math.log(window) / 4))
        kept = moment.common + (1 - moment.common) / window
        if kept <= 0 or moment.log == -math.inf:
            return moment
        return Moment(moment.log + math.log(kept), min(1.0, moment.common / kept), min(1.0, moment.mean / kept))

    def carried(self, layer: Layer, bottoms: Moments, top: Gradient) -> Gradient | None:
        """MAX hands a gradient to one element, AVE a share to each of the window."""
        if not _is_average(layer):
            return top
        window = window_elements(layer)
        if window is None:
            return None
        param = layer.param.pooling_param
        if param.global_pooling:
            return Gradient(top.log - math.log(window), top.common, 1.0)
        stride = (param.stride_h or param.stride) * (param.stride_w or param.stride) or 1
        overlap = max(1.0, window / stride)
        flat = 1.0 if count(layer.tops[0].shape, 2) == 1 else top.flat
        return Gradient(top.log - math.log(window) + math.log(1 + top.flat * (overlap - 1)), top.common, flat)

    def map_step(self, layer: Layer) -> float | None:
        param = layer.param.pooling_param
        high, wide = windows(param, None, None)
        return float(high.stride) if high.stride == wide.stride and not param.global_pooling else None

    def gpu_only(self, param: LayerParameter) -> str:
        return f"{PARAM}.pool" if param.pooling_param.pool == STOCHASTIC else ""


class NdPooling(Pooling):
    """Pooling whose window is written as `kernel_shape` (cudnn_ndpooling_layer.cpp of video-caffe)."""

    engine_block = ""

    def map_step(self, layer: Layer) -> float | None:
        return None


def _as_in_forks(param: PoolingParameter, shape: Shape) -> Shape:
    """The top where a fork's own fields say how the windows move, as far as it is known."""
    if shape is None:
        return None
    sizes = shape[2:]
    window = None if param.global_pooling else volume_window(param, len(sizes))
    if window is None:
        return (*shape[:2], *(None,) * len(sizes))
    padded = any(window.pad)
    moves = (Window(*numbers) for numbers in zip(*window, strict=True))
    made = (pooled(size, move, CEIL, padded) for size, move in zip(sizes, moves, strict=True))
    return (*shape[:2], *made)


def pooled_shape(param: PoolingParameter, shape: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """The top of a bottom with four axes, once the settings are checked."""
    number, channels, height, width = shape
    high, wide = windows(param, height, width)
    padded = bool(high.pad or wide.pad)
    return (
        number,
        channels,
        pooled(height, high, round_mode(param), padded),
        pooled(width, wide, round_mode(param), padded),
    )


def _check_fields(layer: LayerSetup, param: PoolingParameter) -> None:
    """Which of size, height and width may stand together (pooling_layer.cpp, LayerSetUp)."""
    size, high, wide = (param.HasField(name) for name in ("kernel_size", "kernel_h", "kernel_w"))
    if param.global_pooling:
        if size or high or wide:
            raise layer.refuse(
                "conflicting-fields",
                field_route(param, "kernel"),
                f"`{layer.name}` has both `global_pooling: true` and a kernel, and Caffe aborts; write one of the two",
            )
    elif size and high and wide:
        raise layer.refuse(
            "conflicting-fields",
            f"{PARAM}.kernel_size",
            f"`{layer.name}` has `kernel_size: {param.kernel_size}` beside `kernel_h: {param.kernel_h}` and "
            f"`kernel_w: {param.kernel_w}`, and Caffe aborts; write one of the two",
        )
    elif not size and not (high and wide):
        missing = "`kernel_size`" if not (high or wide) else "`kernel_w`" if high else "`kernel_h`"
        raise layer.refuse(
            "missing-field",
            field_route(param, "kernel"),
            f"`{layer.name}` has no {missing}, and Caffe aborts; write `kernel_size`, or `kernel_h` and `kernel_w`",
        )
    for name in ("pad", "stride"):
        both, one, other = (param.HasField(field) for field in (name, f"{name}_h", f"{name}_w"))
        if (one or other) and (both or one != other):
            raise layer.refuse(
                "conflicting-fields",
                f"{PARAM}.{name}_{'h' if one else 'w'}",
                f"`{layer.name}` must have either `{name}`, or `{name}_h` and `{name}_w` together, and Caffe "
                "aborts on any other mix; write one of the two",
            )


def _check_numbers(layer: LayerSetup, param: PoolingParameter, high: Window, wide: Window) -> None:
    """What the numbers must be, once it is clear where they stand."""
    for window in (high, wide):
        if window.kernel is not None and window.kernel <= 0:
            what = (
                f"`global_pooling: true` of `{layer.name}` makes the kernel as large as {layer.bottom(0)}"
                if param.global_pooling
                else f"the kernel of `{layer.name}` is {high.kernel} x {wide.kernel}"
            )
            raise layer.refuse(
                "value-out-of-range",
                field_route(param, "kernel"),
                f"{what}, and Caffe aborts on a kernel of {window.kernel}; write at least 1",
            )
    padded = high.pad != 0 or wide.pad != 0
    if param.global_pooling and (padded or high.stride != 1 or wide.stride != 1):
        raise layer.refuse(
            "conflicting-fields",
            field_route(param, "pad" if padded else "stride"),
            f"`{layer.name}` has `global_pooling: true` with pad {high.pad} x {wide.pad} and stride "
            f"{high.stride} x {wide.stride}, and Caffe aborts unless the pad is 0 and the stride 1; leave "
            "them out",
        )
    if padded and param.pool == STOCHASTIC:
        raise layer.refuse(
            "conflicting-fields",
            field_route(param, "pad"),
            f"`{layer.name}` pads `pool: STOCHASTIC`, and Caffe aborts: only MAX and AVE can be padded; "
            "leave the pad out",
        )
    for window in (high, wide):
        if padded and window.kernel is not None and window.pad >= window.kernel:
            raise layer.refuse(
                "value-out-of-range",
                field_route(param, "pad"),
                f"the pad of `{layer.name}` ({high.pad} x {wide.pad}) must be smaller than its kernel "
                f"({high.kernel} x {wide.kernel}) along both axes, and Caffe aborts at {window.pad} in "
                f"{window.kernel}; write less pad",
            )
    if 0 in (high.stride, wide.stride):
        raise layer.refuse(
            "division-by-zero",
            field_route(param, "stride"),
            f"`stride: 0` of `{layer.name}`: Caffe divides by it, gets a hugely negative size and aborts; "
            "write at least 1",
        )


def field_route(param: PoolingParameter, name: str) -> str:
    """The field that says kernel, stride or pad; the block where none does."""
    for field in (f"{name}_size", name, f"{name}_h", f"{name}_w"):
        if field in param.DESCRIPTOR.fields_by_name and param.HasField(field):
            return f"{PARAM}.{field}"
    return PARAM


class LastWindow(NamedTuple):
    """The last window along one axis (0: height, 1: width): which of how many, and where it starts."""

    side: int
    number: int
    start: int
    size: int
    window: Window


def windows_outside(param: PoolingParameter, shape: Shape) -> list[LastWindow]:
    """The axes on which the last window starts at the border or beyond; none where the layer is padded.

    Only rounding up (`round_mode: CEIL`) with a stride beyond the kernel leaves such a window.
    """
    if shape is None or len(shape) != LEGACY_AXES or count(shape) == 0 or fork_geometry(param):
        return []
    found = []
    sides = windows(param, shape[2], shape[3])
    if any(window.pad for window in sides):
        return []
    for side, (window, size) in enumerate(zip(sides, shape[2:], strict=True)):
        number = pooled(size, window, round_mode(param), False) if window.stride > 0 else None
        if size is not None and number is not None and (number - 1) * window.stride >= size:
            found.append(LastWindow(side, number, (number - 1) * window.stride, size, window))
    return found


def window_elements(layer: Layer) -> int | None:
    """How many elements a pooling window covers; None if it is global over an unknown map."""
    param = layer.param.pooling_param
    if param.global_pooling:
        return count(layer.bottoms[0].shape, 2)
    return (param.kernel_h or param.kernel_size) * (param.kernel_w or param.kernel_size) or 1


def _is_average(layer: Layer) -> bool:
    param = layer.param.pooling_param
    return param.pool == param.AVE


def _lost_elements(layer: Layer, sides: set[int]) -> int:
    """How many windows lie outside: those of the last row, the last column, or both."""
    shape = layer.tops[0].shape
    if shape is None or len(shape) != 4 or None in shape:
        return 0
    images, channels, rows, columns = (side or 0 for side in shape)
    inside = (rows - (0 in sides)) * (columns - (1 in sides))
    return images * channels * (rows * columns - inside)


def _maxima(x: Value, outputs: int | None, covering: bool) -> Value:
    if x.constant is not None and x.finite:
        return constant(x.constant, outputs)
    if x.low != x.low:
        return constant(-FLOAT_MAX, outputs)
    low = x.low if not x.nan else -FLOAT_MAX
    reached = highest(x) if covering else -math.inf
    found = ((reached, x.high),) if reached > -math.inf else ()
    return Value(max(low, -FLOAT_MAX), x.high, False, x.known, outputs, found=found, integer=x.integer)


def _pool_covers(layer: Layer) -> bool:
    """Whether every element lies in some window: global, or no stride beyond the kernel."""
    param, shape = layer.param.pooling_param, layer.bottoms[0].shape
    if param.global_pooling:
        return True
    if shape is None or len(shape) != 4 or param.round_mode != CEIL:
        return False
    return all((window.kernel or 0) >= window.stride for window in windows(param, *shape[2:]))

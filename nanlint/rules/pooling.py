"""Pooling windows that hold nothing, lie outside, or leave gaps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.caffe.edits import written
from nanlint.caffe.layers.pooling import (
    AVE,
    CEIL,
    MAX,
    LastWindow,
    Window,
    field_route,
    fork_geometry,
    round_mode,
    windows,
    windows_outside,
)
from nanlint.findings import Applicability, Effect, Fix, Problem, Related
from nanlint.rules.registry import ERROR, INFO, WARNING, finding, rule

if TYPE_CHECKING:
    from nanlint.caffe.model import Dim, Layer

SIDES = (("rows", "height"), ("columns", "width"))


def _evidence(last: LastWindow) -> str:
    """The window as the witness of a finding."""
    kernel, stride, _ = last.window
    start, size = last.start, last.size
    held = f"from {start} to {min(start + (kernel or 0), size)} of {size} {SIDES[last.side][0]}"
    return (
        f"{SIDES[last.side][1]}: ceil(({size} - {kernel}) / {stride}) + 1 = {last.number} windows, "
        f"the last {held}: {max(0, size - start)} elements"
    )


@rule("POOL001", "empty-pooling-window", ERROR, effect=Effect.NON_FINITE, layers=("Pooling",))
def empty_pooling_window(layer: Layer) -> Iterator[Problem]:
    """The last window of AVE pooling starts exactly at the border and holds no element.

    **In Caffe** the number of windows is rounded up (`round_mode: CEIL`), and the last one is taken off only
    where the layer is padded (pooling_layer.cpp, Reshape). With a stride larger than the kernel that divides
    the size, the last window starts at the border. AVE divides its sum by the elements that it covers: 0/0,
    NaN, in every image and channel. A window that starts beyond the border divides by a negative number
    and gives 0 instead.

    **Instead** write a stride of at most the kernel, or `round_mode: FLOOR`.
    """
    param = layer.param.pooling_param
    if param.pool != AVE:
        return
    for last in _outside(layer):
        if last.start != last.size:
            continue
        fix = _covering(layer, last)
        yield finding(
            layer.at(field_route(param, "stride")),
            f"{_stride(layer, last)} divides the {last.size} {SIDES[last.side][0]} of "
            f"`{layer.bottoms[0].name}`, so the last window of `{layer.name}` holds no element and AVE "
            f"divides 0 by 0: NaN; {_remedy(layer, last, fix)} or `round_mode: FLOOR`",
            evidence=_evidence(last),
            related=_origin(layer),
            fix=fix,
            layer=layer.name,
            phase=layer.net.phase,
        )
        return


@rule("POOL002", "pooling-window-outside", ERROR, effect=Effect.MEMORY_ERROR, layers=("Pooling",))
def pooling_window_outside(layer: Layer) -> Iterator[Problem]:
    """The last window of MAX pooling lies outside the map.

    **In Caffe** MAX starts each window from -3.4e38 and index -1 and keeps both where the window covers no
    element (pooling_layer.cpp, Forward_cpu). Backward adds the gradient at that index: for the first channel
    of the first image 4 bytes before the buffer, often noticed only when memory is freed (SIGABRT after all
    iterations), for all others in the channel before. Without a backward pass the top holds -3.4e38.

    **Instead** write a stride of at most the kernel, or `round_mode: FLOOR`.
    """
    param = layer.param.pooling_param
    if param.pool != MAX:
        return
    backward = layer.runs_backward and bool(layer.propagates) and layer.propagates[0]
    for last in _outside(layer):
        does = (
            "backward writes at index -1, before the buffer of the gradient"
            if backward
            else "MAX leaves -3.4e38 there"
        )
        fix = _covering(layer, last)
        yield finding(
            layer.at(field_route(param, "stride")),
            f"{_stride(layer, last)}, so the last window of `{layer.name}` starts at {last.start} of the "
            f"{last.size} {SIDES[last.side][0]} of `{layer.bottoms[0].name}` and covers none: {does}; "
            f"{_remedy(layer, last, fix)} or `round_mode: FLOOR`",
            evidence=_evidence(last),
            related=_origin(layer),
            fix=fix,
            layer=layer.name,
            phase=layer.net.phase,
            effect=None if backward else Effect.NONE,
        )
        return


@rule("POOL003", "pooling-gaps", INFO, effect=Effect.NONE, layers=("Pooling",))
def pooling_gaps(layer: Layer) -> Iterator[Problem]:
    """The stride of a pooling layer is larger than its kernel, so it skips elements.

    **In Caffe** the elements between two windows are not read and get no gradient. Depending on the size of
    the map the last window can also fall outside it (empty-pooling-window, pooling-window-outside): where the
    size is not known from the files, nanlint cannot rule that out and says so with a warning.

    **Instead** write a stride of at most the kernel. A kernel of 1 is taken for deliberate subsampling.
    """
    param = layer.param.pooling_param
    if layer.refused or fork_geometry(param) or param.global_pooling or not layer.bottoms or _outside(layer):
        return
    for side, (window, size) in enumerate(_sides(layer)):
        if window.kernel is None or not 0 < window.kernel < window.stride:
            continue
        undecided = size is None and round_mode(param) == CEIL and not _padded(layer)
        if not undecided and window.kernel == 1:
            continue
        gap = window.stride - window.kernel
        said = f"skips {gap} of every {window.stride} {SIDES[side][0]}"
        if undecided:
            said += (
                f" and, at some sizes of `{layer.bottoms[0].name}`, makes a last window without any element"
            )
        yield finding(
            layer.at(field_route(param, "stride")),
            f"stride {window.stride} over kernel {window.kernel} of `{layer.name}` {said}; write `stride: "
            f"{window.kernel}`",
            layer=layer.name,
            phase=layer.net.phase,
            severity=WARNING if undecided else None,
        )
        return


def _sides(layer: Layer) -> list[tuple[Window, Dim]]:
    """The window along height and width, each with the size of the map."""
    shape = layer.bottoms[0].shape
    height, width = (shape[2], shape[3]) if shape is not None and len(shape) == 4 else (None, None)
    high, wide = windows(layer.param.pooling_param, height, width)
    return [(high, height), (wide, width)]


def _padded(layer: Layer) -> bool:
    return any(window.pad for window, _ in _sides(layer))


def _outside(layer: Layer) -> list[LastWindow]:
    """The axes on which the last window starts at the border or beyond."""
    if layer.refused or not layer.bottoms or layer.in_place(0):
        return []
    return windows_outside(layer.param.pooling_param, layer.bottoms[0].shape)


def _stride(layer: Layer, last: LastWindow) -> str:
    """The stride and the kernel, each as the file has it."""
    param = layer.param.pooling_param
    letter = "hw"[last.side]
    stride = f"stride_{letter}" if param.HasField("stride_h") else "stride"
    kernel = "kernel_size" if param.HasField("kernel_size") else f"kernel_{letter}"
    return f"`{stride}: {last.window.stride}` exceeds `{kernel}: {last.window.kernel}`" + (
        " and" if param.pool == AVE else ""
    )


def _origin(layer: Layer) -> list[Related]:
    bottom = layer.bottoms[0]
    place = bottom.producer.at(f"top[{bottom.top_index}]")
    return [Related(f"`{bottom.name}` is made here", place)]


def _covering(layer: Layer, last: LastWindow) -> Fix | None:
    """The kernel as the stride, or the stride as the kernel where the layers above then fit better."""
    param = layer.param.pooling_param
    if not param.HasField("stride") or not param.HasField("kernel_size"):
        return None
    from nanlint.analysis.settings import with_values
    from nanlint.analysis.trial import Trial

    alike = [other for other in layer.net.layers if other.type == layer.type and other.param.pooling_param == param]

    def lasting(option: tuple[str, int]) -> float:
        refused = Trial(layer.net, {other: with_values(other, [option]) for other in alike}).run().refused
        return min((other.index for other in refused), default=math.inf)

    options = [("pooling_param.stride", param.kernel_size), ("pooling_param.kernel_size", param.stride)]
    route, value = max(options, key=lasting)
    edits = tuple(written(other, route, value) for other in alike)
    return Fix(f"write `{route.rpartition('.')[2]}: {value}`", edits, Applicability.UNSAFE)


def _remedy(layer: Layer, last: LastWindow, fix: Fix | None) -> str:
    return fix.title if fix is not None else f"write `stride: {last.window.kernel}`"

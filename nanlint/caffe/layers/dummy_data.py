"""DummyData: constants or random numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nanlint.caffe.fillers import FILLERS, filler_failure
from nanlint.caffe.initial import filled, filled_moment
from nanlint.caffe.layers.base import Blobs, LayerSetup, LayerType, Shape, at_least, exactly
from nanlint.caffe.layers.sizes import dims, int32, needs_elements, reshaped
from nanlint.caffe.model import count
from nanlint.findings import Effect
from nanlint.numbers.draws import constant, unknown
from nanlint.numbers.moments import Moment, Moments
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer
    from nanlint.schema.caffe_pb2 import FillerParameter

PARAM = "dummy_data_param"
LEGACY = ("num", "channels", "height", "width")


class DummyData(LayerType):
    """Tops: one shape for all, or one each; a constant is filled in at setup, all else at each forward
    (dummy_data_layer.cpp).
    """

    reshapes = False
    bottoms = exactly(0)
    tops = at_least(1)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.dummy_data_param
        tops = len(layer.top_names)
        fillers = len(param.data_filler)
        if fillers not in (0, 1, tops):
            raise layer.refuse(
                "conflicting-fields",
                f"{PARAM}.data_filler[0]",
                f"`{layer.name}` has {fillers} `data_filler` for {tops} tops, and Caffe aborts; "
                "write none, one for all, or one for each",
            )
        shapes = _shapes(layer, tops)
        for i, shape in enumerate(shapes):
            filler = param.data_filler[i if fillers > 1 else 0] if fillers else None
            if filler is None or filler.type == "constant":
                needs_elements(layer, count(shape), _route(layer, i), f"`{layer.top_names[i]}`, a top")
            if filler is not None:
                _check_filler(layer, i, filler, shape)
        return Blobs(tuple(shapes))

    def values(self, step: Step) -> list[Value]:
        """Each top by its filler: one serves all tops, none is constant 0 (dummy_data_layer.cpp, LayerSetUp)."""
        fillers = step.layer.param.dummy_data_param.data_filler
        tops = []
        for index, blob in enumerate(step.layer.tops):
            if not fillers:
                tops.append(constant(0.0, blob.count))
            elif len(fillers) == 1 or index < len(fillers):
                tops.append(filled(fillers[index if len(fillers) > 1 else 0], blob.shape))
            else:
                tops.append(unknown(blob.count))
        return tops

    def moments(self, layer: Layer, bottoms: Moments) -> Moments:
        return [_moment(layer, index) for index in range(len(layer.tops))]


def _check_filler(layer: LayerSetup, top: int, filler: FillerParameter, shape: Shape) -> None:
    """An unknown type and a bad constant abort at setup, all else in the first forward pass."""
    failure = filler_failure(filler, shape)
    if failure is None:
        return
    at_setup = filler.type not in FILLERS or filler.type == "constant"
    at = top if len(layer.param.dummy_data_param.data_filler) > 1 else 0
    when = "" if at_setup else ": the net is built, and Caffe aborts in the first forward pass"
    layer.report(
        failure.kind,
        f"{PARAM}.data_filler[{at}].{failure.field}".rstrip("."),
        f"`{failure.quote}` in the filler of `{layer.top_names[top]}` {failure.reason}{when}; {failure.remedy}",
        effect=Effect.SETUP_FAILURE if at_setup else Effect.RUN_FAILURE,
    )


def _shapes(layer: LayerSetup, tops: int) -> list[Shape]:
    """The shapes of the tops, in the fields of today or the four old ones."""
    param = layer.param.dummy_data_param
    old: list[Sequence[int]] = [getattr(param, field) for field in LEGACY]
    if any(old):
        if param.shape:
            raise layer.refuse(
                "conflicting-fields",
                f"{PARAM}.shape[0]",
                f"`{layer.name}` has `shape` beside the older `num`, `channels`, `height`, `width`, and "
                "Caffe aborts; write `shape` alone",
            )
        for field, values in zip(LEGACY, old, strict=True):
            _check_number(layer, field, len(values), tops)
        made: list[Shape] = [tuple(int32(v[i if len(v) > 1 else 0]) for v in old) for i in range(tops)]
    else:
        _check_number(layer, "shape", len(param.shape), tops)
        made = [dims(param.shape[i if len(param.shape) > 1 else 0]) for i in range(tops)]
    return [reshaped(layer, shape, _route(layer, i), f"`{layer.top_names[i]}`") for i, shape in enumerate(made)]


def _check_number(layer: LayerSetup, field: str, number: int, tops: int) -> None:
    if number in (1, tops):
        return
    raise layer.refuse(
        "conflicting-fields" if number else "missing-field",
        f"{PARAM}.{field}[0]" if number else PARAM,
        f"`{layer.name}` has {number or 'no'} `{field}` for {tops} tops, and Caffe aborts; "
        f"write it once{', or once for each top' if tops > 1 else ''}",
    )


def _route(layer: LayerSetup, top: int) -> str:
    shapes = len(layer.param.dummy_data_param.shape)
    return f"{PARAM}.shape[{top if shapes > 1 else 0}]" if shapes else PARAM


def _moment(layer: Layer, index: int) -> Moment | None:
    fillers = layer.param.dummy_data_param.data_filler
    if not fillers:
        return Moment(-math.inf, 1.0, 1.0)
    filler = fillers[index if len(fillers) > 1 and index < len(fillers) else 0]
    weights = filled_moment(filler, layer.tops[index].shape)
    return None if weights is None else Moment(weights.log, weights.mean, weights.mean)

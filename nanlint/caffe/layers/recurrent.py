"""RNN, LSTM and LSTMUnit: sequences of T steps and N streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nanlint.caffe.layers.base import (
    Arity,
    Blobs,
    Dim,
    LayerSetup,
    LayerType,
    Param,
    Shape,
    between,
    exactly,
    shown,
)
from nanlint.caffe.layers.sizes import int32, needs_elements, reshaped, size_of
from nanlint.caffe.layers.weights import weights
from nanlint.caffe.model import count, same_shape
from nanlint.numbers.draws import anything
from nanlint.numbers.values import Value

if TYPE_CHECKING:
    from nanlint.caffe.layers.step import Step
    from nanlint.schema.caffe_pb2 import FillerParameter, LayerParameter

PARAM = "recurrent_param"


class Recurrent(LayerType):
    """Top: T x N x num_output, and with expose_hidden the last hidden state, 1 x N x num_output
    (recurrent_layer.cpp).
    """

    states: ClassVar[int] = 1

    def arities(self, param: LayerParameter) -> tuple[Arity, Arity]:
        hidden = self.states if param.recurrent_param.expose_hidden else 0
        return between(2 + hidden, 3 + hidden), exactly(1 + hidden)

    def setup(self, layer: LayerSetup) -> Blobs:
        param = layer.param.recurrent_param
        hidden = self.states if param.expose_hidden else 0
        steps, streams = _sequence(layer)
        static = len(layer.bottoms) > 2 + hidden
        if static:
            _needs_size(layer, 2, 0, streams, "streams")
        outputs = int32(param.num_output)
        if outputs <= 0:
            raise layer.refuse(
                "value-out-of-range" if param.HasField("num_output") else "missing-field",
                f"{PARAM}.num_output",
                f"`num_output` of `{layer.name}` is {outputs}, and Caffe aborts; write at least 1",
            )
        size_of(layer, 0, 2)
        if static:
            size_of(layer, 2, 1)
        params = self.params(layer, outputs, static)
        needs_elements(layer, count((steps, streams)), "bottom[0]", "the sequence")
        state: Shape = (1, streams, outputs)
        for i in range(hidden):
            _needs_state(layer, 2 + static + i, state)
        top = reshaped(layer, (steps, streams, outputs), PARAM, f"the top of `{layer.name}`")
        return Blobs((top, *(state,) * hidden), params)

    def params(self, layer: LayerSetup, outputs: int, static: bool) -> tuple[Param, ...]:
        """The parameters of the unrolled net, in the order in which it makes them."""
        raise NotImplementedError

    def may_propagate(self, bottom: int) -> bool:
        return bottom != 1

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return bottom == 1

    def fixed_at_setup(self, layer: LayerSetup) -> Shape:
        return (size_of(layer, 0, 0),)

    def values(self, step: Step) -> list[Value]:
        """tanh or o * tanh: within -1..1 unless an input is NaN."""
        nan = any(x.nan for x in step.bottoms)
        tops = [Value(-1.0, 1.0, nan, count=step.top_count())]
        return tops if not nan else [anything(step.top_count())]


class RNN(Recurrent):
    """Blobs: input weights and bias, static and hidden weights, output weights and bias (rnn_layer.cpp)."""

    def params(self, layer: LayerSetup, outputs: int, static: bool) -> tuple[Param, ...]:
        return (
            *_inputs(layer, outputs, static),
            _weights(layer, (outputs, outputs)),
            _weights(layer, (outputs, outputs)),
            _bias(layer, outputs),
        )


class LSTM(Recurrent):
    """Blobs: input weights and bias, static weights, hidden weights, for four gates each (lstm_layer.cpp)."""

    states = 2

    def params(self, layer: LayerSetup, outputs: int, static: bool) -> tuple[Param, ...]:
        gates = 4 * outputs
        return (*_inputs(layer, gates, static), _weights(layer, (gates, outputs)))


class LSTMUnit(LayerType):
    """One step: cell 1 x N x D, gates 1 x N x 4D, cont 1 x N; tops: cell and hidden state
    (lstm_unit_layer.cpp).
    """

    bottoms = exactly(3)
    tops = exactly(2)

    def setup(self, layer: LayerSetup) -> Blobs:
        streams = size_of(layer, 0, 1)
        for i, axes in enumerate((3, 3, 2)):
            _needs_axes(layer, i, axes)
            _needs_size(layer, i, 0, 1, "steps")
            _needs_size(layer, i, 1, streams, "streams")
        cell = size_of(layer, 0, 2)
        _needs_size(layer, 1, 2, None if cell is None else 4 * cell, "gate inputs, four for each cell,")
        return Blobs((layer.bottoms[0].shape,) * 2)

    def may_propagate(self, bottom: int) -> bool:
        return bottom != 2

    def aborts_on_gradient(self, bottom: int, bottoms: int) -> bool:
        return bottom == 2


def _sequence(layer: LayerSetup) -> tuple[Dim, Dim]:
    """T and N, which x (at least 2 axes) and cont (exactly 2) must agree on."""
    steps, streams = size_of(layer, 0, 0), size_of(layer, 0, 1)
    _needs_axes(layer, 1, 2)
    _needs_size(layer, 1, 0, steps, "steps")
    _needs_size(layer, 1, 1, streams, "streams")
    return (
        steps if steps is not None else size_of(layer, 1, 0),
        streams if streams is not None else size_of(layer, 1, 1),
    )


def _inputs(layer: LayerSetup, outputs: int, static: bool) -> tuple[Param, ...]:
    made = [_weights(layer, (outputs, count(layer.bottoms[0].shape, 2))), _bias(layer, outputs)]
    if static:
        made.append(_weights(layer, (outputs, count(layer.bottoms[2].shape, 1))))
    return tuple(made)


def _weights(layer: LayerSetup, shape: Shape) -> Param:
    filler: FillerParameter = layer.param.recurrent_param.weight_filler
    return weights(layer, shape, filler, f"{PARAM}.weight_filler")


def _bias(layer: LayerSetup, outputs: int) -> Param:
    return weights(layer, (outputs,), layer.param.recurrent_param.bias_filler, f"{PARAM}.bias_filler")


def _needs_axes(layer: LayerSetup, index: int, axes: int) -> None:
    shape = layer.bottoms[index].shape
    if shape is not None and len(shape) != axes:
        raise layer.refuse(
            "axis-out-of-range",
            f"bottom[{index}]",
            f"`{layer.name}` wants {axes} axes in {layer.bottom(index)}, which has {len(shape)}, and Caffe "
            "aborts; put a `Reshape` layer before it",
            related=layer.origins(index),
        )


def _needs_size(layer: LayerSetup, index: int, axis: int, wanted: Dim, what: str) -> None:
    size = size_of(layer, index, axis)
    if size is not None and wanted is not None and size != wanted:
        raise layer.refuse(
            "shape-mismatch",
            f"bottom[{index}]",
            f"`{layer.name}` wants {wanted} {what} along axis {axis} of {layer.bottom(index)}, which has "
            f"{size}, and Caffe aborts; make it {wanted}",
            related=layer.origins(0, index) if index else layer.origins(0),
        )


def _needs_state(layer: LayerSetup, index: int, state: Shape) -> None:
    if same_shape(layer.bottoms[index].shape, state) is False:
        raise layer.refuse(
            "shape-mismatch",
            f"bottom[{index}]",
            f"`{layer.name}` wants its hidden state {layer.bottom(index)} to be {shown(state)}, and Caffe "
            "aborts; give it that shape",
            related=layer.origins(0, index),
        )

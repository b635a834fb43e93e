"""Which part of a training net is its deploy net: what weights and predictions need, and nothing that needs labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from nanlint.analysis.channels import likely_channels, likely_size
from nanlint.analysis.reach import below

if TYPE_CHECKING:
    from nanlint.caffe.model import Blob, Layer, Net, Shape

_NO_DATA = ("Input", "Parameter")
_NO_PREDICTION = ("Silence", "HDF5Output")


class Prediction(NamedTuple):
    """What takes the place of a loss: a layer of a type, over what the loss reads."""

    loss: Layer
    type: str
    bottom: Blob


class Plan(NamedTuple):
    """The layers that stay, in order; the data blobs that become inputs, with their shapes; what becomes of losses."""

    kept: tuple[Layer, ...]
    inputs: tuple[tuple[Blob, Shape], ...]
    predictions: tuple[Prediction, ...]


def plan(net: Net, batch: int, trained: Net | None = None) -> Plan:
    """The deploy net of a built net. A size of an input that nothing tells is None.

    `trained`: the net of the same file that is trained, whose losses say what is predicted where `net` has none.
    """
    data = [blob for layer in net.layers if is_data(layer) for blob in layer.tops]
    weighted = [layer for layer in net.layers if layer.params]
    fed = {blob for layer in weighted for blob in _sources(layer)}
    supervised = {layer for layer in net.layers if not fed.issuperset(_sources(layer)) or is_loss(layer)}
    supervised |= {layer for layer in net.layers if not supervised.isdisjoint(below(layer))}
    heads = _main([layer for layer in net.layers if layer in supervised])
    read = [blob for head in heads for blob in head.bottoms if blob.producer not in supervised and _is_predicted(blob)]
    ends = [blob for blob in net.blobs if not blob.consumers and _may_be_an_output(blob, supervised)]
    kept = {layer for blob in (*read, *ends) for layer in (blob.producer, *below(blob.producer))}
    order = tuple(layer for layer in net.layers if layer in kept and not is_data(layer))
    needed = [blob for blob in data if any(reader in kept for reader, _ in blob.consumers)]
    inputs = tuple((blob, input_shape(blob, batch)) for blob in needed)
    predictions = _predictions(heads, order)
    if not predictions and trained is not None:
        predictions = _predicted_in_training(trained, order)
    return Plan(order, inputs, tuple(predictions))


def is_data(layer: Layer) -> bool:
    """Whether a layer reads, or makes up, data of its own."""
    return not layer.param.bottom and layer.type not in _NO_DATA


def input_shape(blob: Blob, batch: int) -> Shape:
    """The shape of an input for so many examples; what the files leave open as the names of its data tell."""
    shape = blob.shape
    channels, size = likely_channels(blob.producer), likely_size(blob.producer)
    if shape is None and blob.top_index == 0 and blob.producer.type in ("Data", "ImageData", "AnnotatedData"):
        shape = (None, None, None, None)
    if shape is None:
        return None
    if not shape:
        return shape
    sizes = list(shape)
    sizes[0] = batch
    if len(sizes) == 4:
        sizes[1] = sizes[1] if sizes[1] is not None else channels and channels[0]
        for axis in (2, 3):
            sizes[axis] = sizes[axis] if sizes[axis] is not None else size
    return tuple(sizes)


def _sources(layer: Layer) -> set[Blob]:
    """The data blobs that a layer's outputs depend on."""
    return {blob for one in (layer, *below(layer)) for blob in one.bottoms if is_data(blob.producer)}


def is_loss(layer: Layer) -> bool:
    """Whether a layer compares with what the net shall give, for the gradient's sake or not."""
    declared = layer.spec is not None and layer.spec.is_loss
    named = "Loss" in layer.type or "Accuracy" in layer.type
    return bool(layer.bottoms) and (any(layer.loss_weights) or declared or named)


def _is_predicted(blob: Blob) -> bool:
    """Whether weights have a part in a blob."""
    return any(layer.params for layer in (blob.producer, *below(blob.producer)))


def _may_be_an_output(blob: Blob, supervised: set[Layer]) -> bool:
    maker = blob.producer
    return maker not in supervised and not is_data(maker) and maker.type not in _NO_PREDICTION and _is_predicted(blob)


def _main(heads: list[Layer]) -> list[Layer]:
    """The heads without the losses that only help training: those of a lower written weight than another's."""
    weights = {layer: max(map(abs, layer.loss_weights)) for layer in heads if any(layer.loss_weights)}
    most = max(weights.values(), default=0.0)
    helping = {layer for layer, weight in weights.items() if weight < most and layer.param.loss_weight}
    helped = {blob.producer for layer in helping for blob in layer.bottoms if _is_predicted(blob)}
    return [
        layer
        for layer in heads
        if layer not in helping and not (layer not in weights and helped & {blob.producer for blob in layer.bottoms})
    ]


def _predictions(heads: Iterable[Layer], kept: tuple[Layer, ...]) -> list[Prediction]:
    found = []
    for head in heads:
        form = head.facts.inference_form
        if not form or not head.bottoms or head.bottoms[0].producer not in kept:
            continue
        blob = head.bottoms[0]
        if not any(reader in kept and reader.type == form for reader, _ in blob.consumers):
            found.append(Prediction(head, form, blob))
    return found


def _predicted_in_training(trained: Net, kept: tuple[Layer, ...]) -> list[Prediction]:
    """What the losses of the training net predict, of blobs that end the deploy net."""
    made = {blob.name: blob for layer in kept for blob in layer.tops}
    found = []
    for loss in _main([layer for layer in trained.layers if is_loss(layer)]):
        form, blob = loss.facts.inference_form, made.get(loss.bottoms[0].name)
        if form and blob is not None and not any(reader in kept for reader, _ in blob.consumers):
            found.append(Prediction(loss, form, blob))
    return found

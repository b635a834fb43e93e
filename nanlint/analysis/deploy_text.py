"""The deploy net of a training net as text: the training net's own, without what only training and tests need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from nanlint.analysis.deploying import Plan, is_data, plan
from nanlint.caffe.load import NET, Files
from nanlint.caffe.model import TEST, TRAIN, ends_setup, same_shape
from nanlint.caffe.net import build
from nanlint.caffe.printing import lines, quoted
from nanlint.caffe.state import state_in
from nanlint.caffe.upgrade_text import CannotUpgradeError, upgraded_net_text
from nanlint.data.asked import batch_size
from nanlint.findings import Edit
from nanlint.text.edits import edited, whole_line
from nanlint.text.source import Place, Source, Span
from nanlint.text.tree import Block, Field

if TYPE_CHECKING:
    from nanlint.caffe.model import Layer, Net, Shape
    from nanlint.caffe.options import Options
    from nanlint.schema.bind import Bound

_OF_TRAINING = ("include", "exclude", "phase", "loss_weight", "propagate_down")
_OF_NET = ("state", "force_backward", "debug_info")


class CannotDeployError(ValueError):
    """The deploy net cannot be written; says why, and what the caller can tell."""


def deploy_net_text(source: Source, options: Options, batch: int = 1) -> str:
    """The deploy net of a training net's file.

    Raises CannotDeployError where the net cannot be built, or the size of an input is not known.
    """
    try:
        text = upgraded_net_text(source, options.dialect)
    except CannotUpgradeError as wrong:
        raise CannotDeployError(str(wrong)) from wrong
    net = _built(Source(source.path, text), replace(options, inputs={}), (TEST, TRAIN))
    if options.inputs:
        sizes = _in_training(net, options.inputs)
        net = _built(Source(source.path, text), replace(options, inputs=sizes), (TEST, TRAIN))
    if net.refused:
        raise CannotDeployError(f"Caffe cannot build the training net: {_first_refusal(net)}")
    trained = _built(Source(source.path, text), options, (TRAIN,)) if net.phase == TEST else None
    chosen = plan(net, batch, trained)
    if not chosen.kept:
        raise CannotDeployError("no layer of it has weights, so there is nothing to deploy")
    for blob, shape in chosen.inputs:
        if shape is None or None in shape:
            raise CannotDeployError(
                f"the files do not tell the shape of `{blob.name}`{_as_far_as_known(shape)}; give it: "
                f"`--input {blob.name}:{batch},3,HEIGHT,WIDTH`"
            )
    written = edited(text, _edits(net, chosen))
    _check(net, chosen, _built(Source(source.path, written), options, (TEST,)))
    return written


def _built(source: Source, options: Options, phases: tuple[str, ...]) -> Net:
    """The net of a text in the first of the phases in which Caffe can build it, else in the last."""
    files = Files()
    files.add(source)
    bound = files.bound(source.path, NET, options)
    upgraded = files.upgraded(bound)
    for phase in phases:
        net = build(bound, upgraded, state_in(phase, upgraded.param.state), options)
        if not net.refused and any(layer.params for layer in net.layers):
            break
    return net


def _in_training(net: Net, inputs: Mapping[str, Shape]) -> dict[str, Shape]:
    """The given shapes of inputs with the batch that the training net has: labels go with it."""
    found = dict(inputs)
    for blob in net.blobs:
        given = inputs.get(blob.name)
        rows = blob.shape[0] if blob.shape else batch_size(blob.producer.param)
        if given and rows is not None and is_data(blob.producer):
            found[blob.name] = (rows, *given[1:])
    return found


def _edits(net: Net, chosen: Plan) -> Iterator[Edit]:
    bound = net.bound
    kept = {layer.origin.route: layer for layer in chosen.kept}
    data = {layer.origin.route: layer for layer in net.layers if is_data(layer)}
    losses = {one.loss.origin.route: one for one in chosen.predictions}
    taken = {layer.name for layer in chosen.kept} | {blob.name for layer in chosen.kept for blob in layer.tops}
    count = 0
    for field in bound.root.fields:
        if field.name in _OF_NET:
            yield _without(bound, field)
        if field.name != "layer":
            continue
        for value in field.values:
            route, count = f"layer[{count}]", count + 1
            if not isinstance(value, Block):
                continue
            if route in kept:
                yield from _for_use(bound, value, kept[route])
                continue
            made: list[str] = []
            if route in data:
                inputs = [one for one in chosen.inputs if one[0].producer is data[route]]
                made = [line for blob, shape in inputs for line in _input(blob.name, shape, data[route])]
            elif route in losses:
                one = losses[route]
                name = "prob" if "prob" not in taken and len(losses) == 1 else f"{one.loss.name}_prob"
                made = _prediction(name, one.type, one.bottom.name, one.loss)
            yield _replaced(bound, field, made) if made else _without(bound, field, with_comments=True)


def _for_use(bound: Bound, block: Block, layer: Layer) -> Iterator[Edit]:
    """What a layer that stays has for training alone, taken away."""
    for field in block.fields:
        if field.name in _OF_TRAINING:
            yield _without(bound, field)
        elif field.name == "batch_norm_param" and layer.param.batch_norm_param.HasField("use_global_stats"):
            inner = field.values[0]
            fields = inner.fields if isinstance(inner, Block) else []
            wanted = [one for one in fields if one.name == "use_global_stats"]
            if not layer.param.batch_norm_param.use_global_stats:
                yield from (_without(bound, one) for one in wanted)


def _input(name: str, shape: Shape, source: Layer) -> list[str]:
    dims = " ".join(f"dim: {size}" for size in shape or ())
    transform = source.param.transform_param
    said = []
    if transform.HasField("mean_file") or transform.mean_value:
        means = ", ".join(f"{value:g}" for value in transform.mean_value)
        said.append(f"minus {means or f'the mean in {transform.mean_file}'}")
    if transform.scale != 1:
        said.append(f"times {transform.scale:g}")
    told = [f"# as in training: pixels {', '.join(said)}"] if said else []
    head = [f"  name: {quoted(name)}", '  type: "Input"', f"  top: {quoted(name)}"]
    return [*told, "layer {", *head, f"  input_param {{ shape {{ {dims} }} }}", "}"]


def _prediction(name: str, kind: str, bottom: str, loss: Layer) -> list[str]:
    settings = []
    if kind == "Softmax" and loss.param.softmax_param.HasField("axis"):
        inner = list(lines(loss.param.softmax_param, 2))
        settings = ["  softmax_param {", *inner, "  }"]
    fields = [f"  name: {quoted(name)}", f"  type: {quoted(kind)}", f"  bottom: {quoted(bottom)}"]
    return ["layer {", *fields, f"  top: {quoted(name)}", *settings, "}"]


def _replaced(bound: Bound, field: Field, written: list[str]) -> Edit:
    text = bound.source.text
    newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    return Edit(Place(bound.source, Span(field.start, field.end)), newline.join(written))


def _without(bound: Bound, field: Field, with_comments: bool = False) -> Edit:
    """A field removed, with the comment lines right above it if they are its own."""
    text = bound.source.text
    start, end = whole_line(text, field.start, field.end)
    while with_comments and start > 0:
        line = text.rfind("\n", 0, start - 1) + 1
        if not text[line:start].lstrip().startswith("#"):
            break
        start = line
    return Edit(Place(bound.source, Span(start, end)), "")


def _check(net: Net, chosen: Plan, deploy: Net) -> None:
    """Raises AssertionError unless the text is the net that was planned: same weights, no loss, no data."""
    made = {layer.name: layer for layer in deploy.layers}
    for layer in chosen.kept:
        other = made.get(layer.name)
        if other is None or len(other.params) != len(layer.params):
            raise AssertionError(f"the deploy net has lost the weights of `{layer.name}`")
        for one, two in zip(layer.params, other.params, strict=True):
            if same_shape(one.param.shape, two.param.shape) is False:
                raise CannotDeployError(
                    f"with inputs of this size `{layer.name}` has other weights than in training; give the size of "
                    "the training net's data with `--input`"
                )
    if any(map(is_data, deploy.layers)) or any(weight for layer in deploy.layers for weight in layer.loss_weights):
        raise AssertionError("the deploy net has data or a loss")
    if deploy.refused:
        raise CannotDeployError(
            f"{_first_refusal(deploy)}; if the size of the input is not that of the training data, give `--input`"
        )


def _first_refusal(net: Net) -> str:
    return next((problem.message for problem in net.problems if ends_setup(problem)), "a layer is refused")


def _as_far_as_known(shape: Shape) -> str:
    return "" if shape is None else f" ({' x '.join('?' if size is None else str(size) for size in shape)})"

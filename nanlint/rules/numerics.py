"""NaN and infinity in activations and gradients, proved from fillers, data ranges and settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.ranges import ranges
from nanlint.findings import Effect, Problem, Severity
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import is_finite
from nanlint.rules.explanations import FIRST, LAST, explains, of_kind
from nanlint.rules.proof import Cause, comes_to_light, joined, spelled, spread, sure_of
from nanlint.rules.registry import ERROR, finding, rule

if TYPE_CHECKING:
    from nanlint.analysis.ranges import Birth
    from nanlint.caffe.layers.step import Step
    from nanlint.caffe.model import Layer, Net



@rule("NUM001", "non-finite-source", ERROR, effect=Effect.NON_FINITE)
def non_finite_source(net: Net) -> Iterator[Problem]:
    """A filler, a written blob or a data scale puts NaN or infinity into the net.

    **In Caffe** float fields take `nan`, `inf`, and numbers over 3.4e38, which read as infinite; fillers and
    the `blobs` of a layer hand them on (filler.hpp; blob.cpp, FromProto).

    **Instead** write a finite number.
    """
    yield from of_kind(net, "non-finite-source")
    for step in ranges(net).steps:
        if not step.layer.refused:
            yield from _weights(step)


def _weights(step: Step) -> Iterator[Problem]:
    layer = step.layer
    for index, (learned, value) in enumerate(zip(layer.params, step.weights, strict=False)):
        if learned.owner is not None or not value.surely_bad:
            continue
        filler = learned.param.filler
        written = index < len(layer.param.blobs)
        field = "" if written or filler is None else filler_field(filler)
        route = f"blobs[{index}]" if written else f"{learned.param.route}.{field}"
        what = "NaN" if value.surely_nan else "infinity"
        said = "`blobs`" if written else f"`{field}: {spelled(getattr(filler, field))}`" if field else "the filler"
        yield finding(
            layer.at(route),
            f"{said} of `{layer.name}` puts {what} into parameter {index}, and its sums are not finite; "
            "write a finite number",
            layer=layer.name,
            phase=layer.net.phase,
            severity=sure_of(layer.net),
        )


@rule("NUM005", "overflow", ERROR, effect=Effect.NON_FINITE)
def overflow(net: Net) -> Iterator[Problem]:
    """A sum or a product surely exceeds the largest 32-bit float.

    **In Caffe** activations are 32-bit floats: above 3.4e38 they are infinite, and infinity minus infinity,
    or times 0, is NaN.

    **Instead** scale inputs or weights down.
    """
    yield from of_kind(net, "overflow")


@rule("NUM006", "non-finite-setting", ERROR, effect=Effect.NON_FINITE)
def non_finite_setting(net: Net) -> Iterator[Problem]:
    """A number in a layer's settings is NaN or infinite, and what it is multiplied with becomes so too.

    **In Caffe** no layer checks its float settings for being finite: an infinite slope times 0 is NaN, a NaN
    margin or weight makes the loss NaN. (A NaN or 0 that scales a whole blob gives zeros in OpenBLAS.)

    **Instead** write a finite number.
    """
    yield from of_kind(net, "non-finite-setting")
    for layer in net.layers:
        for index, weight in enumerate(layer.loss_weights):
            if not is_finite(f32(weight)) and not layer.refused:
                yield _loss_weight(layer, index, f32(weight))


def _loss_weight(layer: Layer, index: int, weight: float) -> Problem:
    return finding(
        layer.at(f"loss_weight[{index}]"),
        f"`loss_weight` of `{layer.name}` reads as {spelled(weight)}, and so does the reported loss, "
        "with most of the "
        "gradients below it; write a finite weight",
        layer=layer.name,
        phase=layer.net.phase,
        severity=None if comes_to_light(ranges(layer.net)) else Severity.WARNING,
    )


@rule("NUM007", "dropout-of-everything", ERROR, effect=Effect.NON_FINITE)
def dropout_of_everything(net: Net) -> Iterator[Problem]:
    """A `dropout_ratio` that reads as 1 makes every element NaN.

    **In Caffe** kept elements are multiplied by 1 / (1 - ratio) (dropout_layer.cpp). At ratio 1 none is kept,
    and the 0 of the mask meets the infinite factor. Ratios over 0.99999997 read as 1.

    **Instead** write a ratio below 1.
    """
    yield from of_kind(net, "dropout-of-everything")


@rule("NUM009", "infinite-gradient", ERROR, effect=Effect.NON_FINITE)
def infinite_gradient(net: Net) -> Iterator[Problem]:
    """A gradient surely is infinite or NaN although the values of the forward pass are finite.

    **In Caffe** the first update then writes it into the weights. `clip_gradients` cannot mend it: infinity
    times 0 is NaN.

    **Instead** keep the layer away from the values where its slope is infinite.
    """
    yield from of_kind(net, "infinite-gradient")


@explains(order=FIRST, backward=None)
def _bad_setting(birth: Birth) -> Cause | None:
    layer = birth.step.layer
    for route in layer.facts.finite:
        message, name = route.split(".")
        number = f32(getattr(getattr(layer.param, message), name))
        if not is_finite(number):
            return Cause(
                "non-finite-setting",
                route,
                f"`{name}` of `{layer.name}` reads as {spelled(number)}, and what it is multiplied or "
                f"compared with becomes NaN or infinite; {layer.facts.finite_remedy}",
            )
    return None


@explains(of=lambda layer: layer.type == "DummyData" or layer.facts.holds_pixels)
def _source(birth: Birth) -> Cause:
    layer, index = birth.step.layer, birth.step.layer.tops.index(birth.blob)
    if layer.type == "DummyData":
        fillers = layer.param.dummy_data_param.data_filler
        at = index if len(fillers) > 1 else 0
        name = filler_field(fillers[at])
        route = f"dummy_data_param.data_filler[{at}].{name}"
        quoted = f"`{name}: {spelled(f32(getattr(fillers[at], name)))}`"
        words = f"{quoted} fills `{birth.blob.name}` with {birth.what}; write a finite number"
        return Cause("non-finite-source", route, words)
    return Cause(
        "non-finite-source",
        "transform_param.scale",
        f"`scale` of `{layer.name}` reads as {spelled(f32(layer.param.transform_param.scale))}, and "
        "every number of "
        f"`{birth.blob.name}` becomes {birth.what}; write a finite scale",
    )


def filler_field(filler: object) -> str:
    """The field of a filler that is not finite."""
    fields = {"constant": ("value",), "uniform": ("min", "max"), "gaussian": ("mean", "std")}
    for name in fields.get(filler.type, ()):  # type: ignore[attr-defined]
        if not is_finite(f32(getattr(filler, name))):
            return name
    return "type"


@explains("Dropout", backward=None)
def _dropout(birth: Birth) -> Cause:
    layer = birth.step.layer
    ratio = layer.param.dropout_param.dropout_ratio
    if f32(1 - f32(ratio)) == 0:
        return Cause(
            "dropout-of-everything",
            "dropout_param.dropout_ratio",
            f"`dropout_ratio: {spelled(f32(ratio))}` of `{layer.name}` drops every element, and Caffe "
            "then multiplies 0 by "
            "1 / (1 - 1) = infinity: NaN everywhere; write a ratio below 1",
        )
    return _overflow(birth)


@explains(order=LAST)
def _overflow(birth: Birth) -> Cause:
    """Products and sums beyond the largest float."""
    step, layer = birth.step, birth.step.layer
    inputs = [
        f"`{b.name}` ({spread((v.low, v.high))})" for b, v in zip(layer.bottoms, step.bottoms, strict=False)
    ]
    weights = [spread((v.low, v.high)) for v in step.weights[:1]]
    of = " and ".join(inputs) + (f" with weights in {weights[0]}" if weights else "")
    return Cause(
        "overflow",
        "type",
        f"`{layer.name}` ({layer.type}) of {of} surely exceeds the 3.4e38 of a 32-bit float: {birth.what}; "
        "scale its inputs or weights down",
    )


@explains(backward=True, order=LAST)
def _gradient(birth: Birth) -> Cause:
    layer = birth.step.layer
    return Cause(
        "infinite-gradient",
        "type",
        f"the gradient that `{layer.name}` ({layer.type}) passes to `{birth.blob.name}` surely is "
        f"{birth.what}; " + _gradient_remedy(layer),
    )


def _gradient_remedy(layer: Layer) -> str:
    if layer.type == "Log":
        return "keep its argument away from 0 with a `shift`"
    return f"keep {joined([b.name for b in layer.bottoms])} away from the values where the slope is infinite"

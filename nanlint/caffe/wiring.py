"""What can be wrong with the wiring of a net: bottoms, tops, counts, weights of losses (net.cpp,
layer.hpp)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nanlint.caffe.fillers import FillerFailure
from nanlint.caffe.layers.base import Arity, LayerSetup, LayerType, Refusal, shown
from nanlint.caffe.model import Layer, Param
from nanlint.caffe.splits import Plan, Step
from nanlint.findings import Effect, Fix, Problem, Related

if TYPE_CHECKING:
    from nanlint.caffe.model import Origin
    from nanlint.schema.caffe_pb2 import BlobProto, LayerParameter


def layer_problem(
    layer: Layer,
    kind: str,
    route: str,
    message: str,
    *related: Related,
    evidence: str | None = None,
    fix: Fix | None = None,
) -> Problem:
    return Problem(
        layer.at(route),
        message,
        kind,
        evidence=evidence,
        related=related,
        fix=fix,
        layer=layer.name,
        phase=layer.net.phase,
        effect=Effect.SETUP_FAILURE,
    )


def include_and_exclude(origin: Origin, param: LayerParameter) -> Problem:
    return Problem(
        origin.place("exclude[0]"),
        f"`{param.name}` has both `include` and `exclude` rules, and Caffe refuses such a layer in any "
        "phase; keep the `include` rules",
        "conflicting-fields",
        related=(Related("the `include` rule", origin.place("include[0]")),),
        layer=param.name,
        effect=Effect.SETUP_FAILURE,
    )


# bottoms


def wrong_propagate_down(layer: Layer) -> Problem:
    written, bottoms = len(layer.param.propagate_down), len(layer.param.bottom)
    return layer_problem(
        layer,
        "wrong-propagate-down-count",
        "propagate_down[0]",
        f"{layer.called} has {_times(written, '`propagate_down`')} for {_times(bottoms, 'bottom')}, and "
        "Caffe aborts; write one for each bottom, or none",
    )


def forget_missing_inputs(layer: Layer) -> None:
    """Leave the shape open of a net's input that has been given none: what is read in its place is chance."""
    if layer.type != "Input" or layer.index:
        return
    for problem in layer.net.found("missing-input-shape"):
        for top in layer.tops:
            if layer.at(f"top[{top.top_index}]").span == problem.place.span:
                top.shape = None


# tops


def duplicate_top(layer: Layer, index: int, plan: Plan) -> Problem:
    """A top whose name is taken, where in-place does not apply (net.cpp, AppendTop)."""
    name = layer.param.top[index]
    if index < len(layer.param.bottom) and layer.param.bottom[index] == name:
        return _split_in_place(layer, index, name, plan)
    for other in layer.net.layers[: layer.index + 1]:
        for slot, top in enumerate(other.param.top):
            if top == name and (other is not layer or slot < index):
                where = other.at(f"top[{slot}]")
                remedy = "write another name"
                if name in layer.param.bottom:
                    at = list(layer.param.bottom).index(name)
                    remedy = (
                        f"to work in place, top {index} must be named like bottom {index}, and `{name}` is "
                        f"bottom {at}; write another name"
                    )
                return layer_problem(
                    layer,
                    "duplicate-top",
                    f"top[{index}]",
                    f"{layer.called} makes `{name}`, which {other.called} makes already ({where}), "
                    f"and Caffe aborts; {remedy}",
                    Related(f"`{name}` is made here first", where),
                )
    return layer_problem(
        layer,
        "duplicate-top",
        f"top[{index}]",
        f"{layer.called} makes `{name}`, a name that Caffe has given to a copy of a blob which is read "
        "twice, and aborts; write another name",
    )


def _split_in_place(layer: Layer, index: int, name: str, plan: Plan) -> Problem:
    source = plan.sources[layer.index, index]
    maker = layer.net.layers[source[0]]
    others = [slot for slot in plan.readers[source] if slot != (layer.index, index)]
    if not others:
        return layer_problem(
            layer,
            "duplicate-top",
            f"top[{index}]",
            f"{layer.called} works in place on `{name}`, which has a `loss_weight` "
            f"({maker.at('loss_weight[0]')}): Caffe splits a weighted blob that is read, the layer is no "
            "longer in place, and Caffe aborts on two blobs of one name; write another `top` in "
            f"{layer.called}",
            Related("the loss weight", maker.at("loss_weight[0]")),
        )
    reader, bottom = layer.net.layers[others[0][0]], others[0][1]
    who = "it reads in another bottom too" if reader is layer else f"{reader.called} reads too"
    where = reader.at(f"bottom[{bottom}]")
    return layer_problem(
        layer,
        "duplicate-top",
        f"top[{index}]",
        f"{layer.called} works in place on `{name}`, which {who} ({where}): Caffe splits a blob "
        "that is read twice, the layer is no longer in place, and Caffe aborts on two blobs of one name; "
        f"write another `top` in {layer.called}, or let the other reader come after it",
        Related(f"`{name}` is also read here", where),
    )


def split_name_taken(layer: Layer, index: int, name: str) -> Problem:
    return layer_problem(
        layer,
        "duplicate-top",
        f"top[{index}]",
        f"`{layer.param.top[index]}` of {layer.called} is read more than once, so Caffe makes a copy named "
        f"`{name}`, a name that is taken, and aborts; rename that blob",
    )


def refused_in_place(setup: LayerSetup, index: int) -> Refusal:
    name = setup.top_names[index]
    return setup.refuse(
        "refused-in-place",
        f"top[{index}]",
        f"`{setup.name}` writes `{name}` over its own bottom, which a {setup.param.type} layer refuses: "
        "Caffe aborts; write another `top`",
    )


# counts


def wrong_counts(layer: Layer, spec: LayerType) -> Problem | None:
    """The first count that Layer::CheckBlobCounts refuses."""
    bottoms, tops = spec.arities(layer.param)
    given = len(layer.param.bottom)
    if _outside(bottoms, given):
        return _wrong_count(layer, "bottom", bottoms, given)
    if _outside(tops, len(layer.tops)):
        return _wrong_count(layer, "top", tops, len(layer.param.top))
    if spec.equal_counts and given != len(layer.tops):
        return layer_problem(
            layer,
            "wrong-top-count",
            "top[0]",
            f"{layer.called} has {_times(given, 'bottom')} and {_times(len(layer.tops), 'top')}, but a "
            f"{layer.type} layer makes one top of each bottom, and Caffe aborts; write as many tops as "
            "bottoms",
        )
    return None


def _outside(arity: Arity, number: int) -> bool:
    return number < arity.least or (arity.most is not None and number > arity.most)


def _wrong_count(layer: Layer, what: str, arity: Arity, given: int) -> Problem:
    if arity.most == arity.least:
        wanted = f"exactly {arity.least}" if arity.least else "none"
    elif given < arity.least:
        wanted = f"at least {arity.least}"
    else:
        wanted = f"at most {arity.most}"
    at = f"{what}[{arity.most}]" if arity.most is not None and given > arity.most else ""
    remedy = "leave out the rest" if at else f"add the missing `{what}`"
    verb = "takes" if what == "bottom" else "makes"
    return layer_problem(
        layer,
        f"wrong-{what}-count",
        at,
        f"{layer.called} has {_times(given, what)}, but a {layer.type} layer {verb} {wanted}, and Caffe "
        f"aborts; {remedy}",
    )


def _times(number: int, what: str) -> str:
    plural = what if number == 1 or what.endswith("`") else f"{what}s"
    return f"{number or 'no'} {plural}"


# losses


def wrong_loss_weights(layer: Layer, weights: Sequence[float]) -> Problem:
    written = len(layer.param.loss_weight)
    if written:
        has = f"{written} `loss_weight` for {_times(len(layer.tops), 'top')}"
        return layer_problem(
            layer,
            "wrong-loss-weight-count",
            "loss_weight[0]",
            f"{layer.called} has {has}, and Caffe aborts; write one for each top, or none",
        )
    return layer_problem(
        layer,
        "wrong-loss-weight-count",
        "top[0]",
        f"{layer.called} has {len(layer.tops)} tops and, as a loss, one weight of its own, and Caffe aborts; "
        "write a `loss_weight` for each top",
    )


def put_back_split_weights(layer: Layer, plan: Plan, step: Step) -> None:
    """Where a Split has taken over a loss weight, show it on the top itself: that is the weight in the
    gradient."""
    if step.loss_weights or not layer.param.loss_weight:
        return
    for index, weight in enumerate(layer.param.loss_weight[: len(layer.tops)]):
        if weight and plan.readers.get((layer.index, index)):
            layer.loss_weights[index] = weight


# parameters


def learns(layer: Layer) -> bool:
    """Whether a parameter has a rate that is not multiplied by 0, as the net's own copy of the layer says it.

    That copy alone decides on backward: the rates of a BatchNorm without specs count as 1 (net.cpp, Init).
    """
    specs = layer.param.param
    return len(specs) < len(layer.params) or any(spec.lr_mult != 0 for spec in specs[: len(layer.params)])


def may_learn(layer: Layer) -> bool:
    """Whether a layer with unknown parameters can have one that learns."""
    return any(spec.lr_mult != 0 for spec in layer.param.param)


def inline_shape(blob: BlobProto) -> tuple[int, ...]:
    """The shape of a blob in the prototxt; num, channels, height, width make it four axes
    (Blob::FromProto)."""
    if any(blob.HasField(name) for name in ("num", "channels", "height", "width")):
        return blob.num, blob.channels, blob.height, blob.width
    return tuple((size + 2**31) % 2**32 - 2**31 for size in blob.shape.dim)


def inline_params(param: LayerParameter) -> tuple[Param, ...]:
    """The blobs that a layer without parameters of its own is given, and keeps."""
    return tuple(Param(inline_shape(blob), None, f"blobs[{index}]") for index, blob in enumerate(param.blobs))


def bad_inline_blobs(layer: Layer) -> Iterator[Problem]:
    """`blobs` whose numbers do not fill their shape (Blob::FromProto)."""
    for index, blob in enumerate(layer.param.blobs):
        shape = inline_shape(blob)
        size = 1
        for axis in shape:
            size *= axis
        route = f"blobs[{index}]"
        if any(axis < 0 for axis in shape) or size > 2**31 - 1 or len(shape) > 32:
            yield _inline(layer, f"{route}.shape", f"`blobs` {index} of {layer.called} is {shown(shape)}, no shape")
            continue
        if size == 0:
            yield _inline(layer, route, f"`blobs` {index} of {layer.called} is {shown(shape)} and holds no number")
            continue
        for field in _data_fields(blob):
            given = len(getattr(blob, field))
            if given != size:
                what = f"`blobs` {index} of {layer.called} has {given} numbers in `{field}`"
                yield _inline(layer, f"{route}.{field}[0]", f"{what} and its shape {shown(shape)} {size}")


def _data_fields(blob: BlobProto) -> Iterator[str]:
    yield "double_data" if blob.double_data else "data"
    if blob.double_diff:
        yield "double_diff"
    elif blob.diff:
        yield "diff"


def _inline(layer: Layer, route: str, what: str) -> Problem:
    return layer_problem(
        layer,
        "param-mismatch",
        route,
        f"{what}, and Caffe aborts; write a shape and as many numbers as it holds, or leave `blobs` out",
    )


def bad_filler(layer: Layer, param: Param, failure: FillerFailure) -> Problem:
    route = f"{param.route}.{failure.field}" if failure.field else param.route
    field = param.route.rsplit(".", 1)[-1]
    return layer_problem(
        layer,
        failure.kind,
        route,
        f"`{failure.quote}` in the `{field}` of {layer.called} {failure.reason}, and Caffe aborts as it "
        f"fills {shown(param.shape)}; {failure.remedy}",
    )

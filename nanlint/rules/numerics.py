"""NaN and infinity in activations and gradients, proved from fillers, data ranges and settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanlint.analysis.ranges import ranges
from nanlint.findings import Effect, Problem, Severity
from nanlint.numbers.float32 import f32
from nanlint.numbers.intervals import is_finite
from nanlint.rules.causes import filler_field, of_kind
from nanlint.rules.proof import comes_to_light, spelled, sure_of
from nanlint.rules.registry import ERROR, finding, rule

if TYPE_CHECKING:
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


@rule("NUM002", "log-domain", ERROR, effect=Effect.NON_FINITE)
def log_domain(net: Net) -> Iterator[Problem]:
    """A Log layer surely takes the logarithm of 0 or of a negative number.

    **In Caffe** ln 0 is minus infinity and its gradient 1/0; the logarithm of a negative number is NaN
    (log_layer.cpp). ReLU, Threshold and Dropout make exact zeros, Sigmoid does below -38.1, Softmax where a
    score lies 104 below the largest. Of numbers that fillers draw at random, what fails with a chance below 1e-9
    counts as certain: 100 normal numbers surely hold a negative one.

    **Instead** add a positive `shift`, or clip the bottom. For log of Sigmoid or Softmax use
    SigmoidCrossEntropyLoss or SoftmaxWithLoss, which never form the logarithm of 0.
    """
    yield from of_kind(net, "log-domain")


@rule("NUM003", "exp-overflow", ERROR, effect=Effect.NON_FINITE)
def exp_overflow(net: Net) -> Iterator[Problem]:
    """An Exp layer surely exceeds the largest 32-bit float.

    **In Caffe** base^(shift + scale x) is computed as exp(ln(base) scale x) times base^shift
    (exp_layer.cpp); each factor is infinite on its own above 3.4e38, which is e^88.72.

    **Instead** scale the bottom down or clip it.
    """
    yield from of_kind(net, "exp-overflow")


@rule("NUM004", "power-domain", ERROR, effect=Effect.NON_FINITE)
def power_domain(net: Net) -> Iterator[Problem]:
    """A Power layer surely takes a root of a negative number, divides by 0, or overflows.

    **In Caffe** (shift + scale x)^power is C's pow (power_layer.cpp): NaN for a fractional power of a
    negative number, infinite for a negative power of 0.

    **Instead** keep shift + scale x positive.
    """
    yield from of_kind(net, "power-domain")


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


@rule("NUM008", "zero-over-zero-gradient", ERROR, effect=Effect.NON_FINITE)
def zero_over_zero_gradient(net: Net) -> Iterator[Problem]:
    """A gradient is computed as a quotient whose two sides are surely 0.

    **In Caffe** Power with any power but 0, 1 and 2 multiplies with power * top / bottom
    (power_layer.cpp, Backward_cpu): at exactly 0 that is 0/0, also where the true gradient is 0 (power 3).
    Eltwise PROD with `stable_prod_grad: false` divides the product by the bottom (eltwise_layer.cpp).

    **Instead** shift the argument away from 0; leave `stable_prod_grad` at its default.
    """
    yield from of_kind(net, "zero-over-zero-gradient")


@rule("NUM009", "infinite-gradient", ERROR, effect=Effect.NON_FINITE)
def infinite_gradient(net: Net) -> Iterator[Problem]:
    """A gradient surely is infinite or NaN although the values of the forward pass are finite.

    **In Caffe** the first update then writes it into the weights. `clip_gradients` cannot mend it: infinity
    times 0 is NaN.

    **Instead** keep the layer away from the values where its slope is infinite.
    """
    yield from of_kind(net, "infinite-gradient")


@rule("NUM010", "filter-drops-every-row", ERROR, effect=Effect.NON_FINITE, layers=("Filter",))
def filter_drops_every_row(layer: Layer) -> Iterator[Problem]:
    """The selector of a Filter is 0 throughout, so that no row is left.

    **In Caffe** a row passes where its selector is not 0 (filter_layer.cpp). With none left the tops are
    empty: their mean in the debug log is 0/0, NaN, backward divides by 0, and many layers abort on an empty
    blob.

    **Instead** make the selector 1 for the rows to keep.
    """
    if layer.refused or len(layer.bottoms) < 2 or ranges(layer.net).step(layer).bottoms[-1].constant != 0:
        return
    yield finding(
        layer.at(f"bottom[{len(layer.bottoms) - 1}]"),
        f"the selector `{layer.bottoms[-1].name}` is 0 throughout, so `{layer.name}` keeps no row: "
        "what it makes is "
        "empty, and its mean 0 / 0, NaN; write 1 for the rows to keep",
        layer=layer.name,
        phase=layer.net.phase,
        severity=sure_of(layer.net),
    )

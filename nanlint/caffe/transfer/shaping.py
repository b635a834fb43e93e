"""Layers that move numbers about, and those whose tops are bounded whatever comes in."""

from __future__ import annotations

from nanlint.caffe.transfer import Step, backward, forward, size
from nanlint.numbers.combining import hull
from nanlint.numbers.draws import anything, constant
from nanlint.numbers.float32 import FLOAT_MAX
from nanlint.numbers.values import NAN, Value


def selection(x: Value, count: int | None) -> Value:
    """Some of the elements, chosen by position: of independent numbers each is as good as any other."""
    if x.number and x.number == x.count and count:
        return x.but(count=count, number=count, found=(), axis=None, square=None, basis=object())
    if x.constant is not None:
        return x.but(count=count, axis=None)
    return x.bounds(count)


@forward("Flatten", "Reshape", "Split")
def moved(step: Step) -> list[Value]:
    return [step.bottoms[0].sized(size(top)) for top in step.layer.tops]


@backward("Flatten", "Reshape")
def moved_back(step: Step) -> list[Value]:
    return [step.grads[0].sized(step.bottoms[0].count)]


@backward("Split", "Tile")
def gathered_back(step: Step) -> list[Value]:
    nan = any(grad.surely_nan for grad in step.grads)
    got = anything(step.bottoms[0].count)
    return [got.but(nan=nan, found=(NAN,) if nan else ())]


@forward("Concat")
def concat(step: Step) -> list[Value]:
    if len(step.bottoms) == 1:
        return [step.bottoms[0]]
    return [hull(step.bottoms, step.top_count())]


@backward("Concat")
def concat_back(step: Step) -> list[Value]:
    return [selection(step.grads[0], x.count) for x in step.bottoms]


@forward("Slice")
def slices(step: Step) -> list[Value]:
    if len(step.layer.tops) == 1:
        return [step.bottoms[0]]
    return [selection(step.bottoms[0], size(top)) for top in step.layer.tops]


@backward("Slice")
def slices_back(step: Step) -> list[Value]:
    return [hull(step.grads, step.bottoms[0].count)]


@forward("Crop", "BatchReindex")
def chosen(step: Step) -> list[Value]:
    return [selection(step.bottoms[0], step.top_count())]


@forward("Filter")
def filtered(step: Step) -> list[Value]:
    """How many rows pass the selector is not known before it runs: perhaps none."""
    return [anything() for _ in step.bottoms[:-1]]


@forward("Tile")
def tiled(step: Step) -> list[Value]:
    return [step.bottoms[0].sized(step.top_count())]


@forward("Im2col")
def columns(step: Step) -> list[Value]:
    x = step.bottoms[0]
    return [Value(min(x.low, 0.0), max(x.high, 0.0), x.nan, x.known, step.top_count())]


@forward("SPP")
def pyramid(step: Step) -> list[Value]:
    x = step.bottoms[0]
    return [Value(max(x.low, -FLOAT_MAX), x.high, False, x.known, step.top_count())]


@forward("Embed")
def embedded(step: Step) -> list[Value]:
    """Rows of the weights, plus the bias."""
    if not step.weights:
        return []
    rows = step.weights[0]
    if len(step.weights) > 1 and step.layer.param.embed_param.bias_term:
        bias = step.weights[1]
        if bias.constant != 0:
            return [anything(step.top_count())]
    return [rows.bounds(step.top_count())]


@forward("ArgMax")
def positions(step: Step) -> list[Value]:
    if step.layer.param.argmax_param.out_max_val:
        return [anything(step.top_count())]
    return [Value(0.0, float(step.bottoms[0].count or FLOAT_MAX), count=step.top_count(), integer=True)]


@forward("Accuracy")
def share(step: Step) -> list[Value]:
    return [Value(0.0, 1.0, count=size(top)) for top in step.layer.tops]


@forward("RNN", "LSTM")
def recurrent(step: Step) -> list[Value]:
    """tanh or o * tanh: within -1..1 unless an input is NaN."""
    nan = any(x.nan for x in step.bottoms)
    tops = [Value(-1.0, 1.0, nan, count=step.top_count())]
    return tops if not nan else [anything(step.top_count())]


@backward("Silence")
def silent(step: Step) -> list[Value]:
    return [constant(0.0, x.count) for x in step.bottoms]

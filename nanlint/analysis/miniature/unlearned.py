"""The layers of a miniature that multiply by no matrix of weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from nanlint.analysis.miniature.parts import Array, Backward, Forward, Gain, Join, Largest, Part, Pointwise, Sum
from nanlint.analysis.miniature.size import JOINED, UnsupportedError, positions_of
from nanlint.caffe.initial import initial_moment
from nanlint.caffe.layers.pooling import window_elements
from nanlint.caffe.model import Layer

if TYPE_CHECKING:
    from nanlint.analysis.miniature.build import Miniature

Make: TypeAlias = "Callable[[Miniature, Layer], Sequence[Part]]"


def _one(mini: Miniature, layer: Layer, there: Forward, back: Backward) -> list[Part]:
    bottom = layer.bottoms[0]
    mini.sizes.update(dict.fromkeys(layer.tops, mini.sizes[bottom]))
    return [Pointwise(bottom, top, there, back) for top in layer.tops]


def _same(mini: Miniature, layer: Layer) -> list[Part]:
    return _one(mini, layer, lambda x: x, lambda g, x, y: g)


def _leaky(slope: float) -> tuple[Forward, Backward]:
    below = np.float32(slope)
    return lambda x: np.where(x > 0, x, below * x), lambda g, x, y: g * np.where(x > 0, np.float32(1), below)


def _relu(mini: Miniature, layer: Layer) -> list[Part]:
    return _one(mini, layer, *_leaky(layer.param.relu_param.negative_slope))


def _prelu(mini: Miniature, layer: Layer) -> list[Part]:
    """The slope stays what it begins with."""
    slope = initial_moment(layer)
    return _one(mini, layer, *_leaky(math.exp(slope.log / 2) if slope is not None and slope.log > -1e3 else 0.0))


def _elu(mini: Miniature, layer: Layer) -> list[Part]:
    alpha = np.float32(layer.param.elu_param.alpha)
    return _one(
        mini,
        layer,
        lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
        lambda g, x, y: g * np.where(x > 0, np.float32(1), y + alpha),
    )


def _tanh(mini: Miniature, layer: Layer) -> list[Part]:
    return _one(mini, layer, np.tanh, lambda g, x, y: g * (1 - y * y))


def _sigmoid(mini: Miniature, layer: Layer) -> list[Part]:
    return _one(mini, layer, lambda x: 1 / (1 + np.exp(-x)), lambda g, x, y: g * y * (1 - y))


def _absolute(mini: Miniature, layer: Layer) -> list[Part]:
    return _one(mini, layer, np.abs, lambda g, x, y: g * np.sign(x))


def _power(mini: Miniature, layer: Layer) -> list[Part]:
    param = layer.param.power_param
    if param.power != 1:
        raise UnsupportedError(f"`power: {param.power:g}` of `{layer.name}` is not part of the estimate")
    scale, shift = np.float32(param.scale), np.float32(param.shift)
    return _one(mini, layer, lambda x: scale * x + shift, lambda g, x, y: g * scale)


def _dropout(mini: Miniature, layer: Layer) -> list[Part]:
    kept = 1 - layer.param.dropout_param.dropout_ratio
    if not 0 < kept < 1:
        return _same(mini, layer)
    shape = (mini.batch, *mini.sizes[layer.bottoms[0]])
    mask = np.zeros(shape, np.float32)

    def drop(x: Array) -> Array:
        mask[...] = (mini.random.rand(*shape) < kept) / kept
        return x * mask

    return _one(mini, layer, drop, lambda g, x, y: g * mask)


def _lrn(mini: Miniature, layer: Layer) -> list[Part]:
    """x / (k + alpha * mean of squares)^beta over all units, in place of `local_size` of them."""
    param = layer.param.lrn_param
    k, alpha, beta = np.float32(param.k), np.float32(param.alpha), np.float32(param.beta)

    def base(x: Array) -> Array:
        squares: Array = k + alpha * (x * x).mean(-1, keepdims=True)
        return squares

    def back(g: Array, x: Array, y: Array) -> Array:
        below = base(x)
        shared = (2 * alpha * beta / x.shape[-1]) * (g * x).sum(-1, keepdims=True)
        sent: Array = g * below**-beta - shared * x * below ** (-beta - 1)
        return sent

    return _one(mini, layer, lambda x: x * base(x) ** -beta, back)


def _batch_norm(mini: Miniature, layer: Layer) -> list[Part]:
    param = layer.param.batch_norm_param
    if param.use_global_stats:
        return _same(mini, layer)
    eps = np.float32(param.eps)

    def spread(x: Array) -> Array:
        root: Array = np.sqrt(x.var((1, 2), keepdims=True) + eps)
        return root

    def back(g: Array, x: Array, y: Array) -> Array:
        along = y * (g * y).mean((1, 2), keepdims=True)
        sent: Array = (g - g.mean((1, 2), keepdims=True) - along) / spread(x)
        return sent

    return _one(mini, layer, lambda x: (x - x.mean((1, 2), keepdims=True)) / spread(x), back)


def _scale(mini: Miniature, layer: Layer) -> list[Part]:
    if len(layer.bottoms) > 1 or not layer.params:
        raise UnsupportedError(f"the product of two blobs in `{layer.name}` is not part of the estimate")
    bottom, top = layer.bottoms[0], layer.tops[0]
    positions, units = mini.sizes[bottom]
    level = initial_moment(layer)
    start = math.exp(min(60.0, level.log) / 2) if level is not None and level.log > -1e3 else 0.0
    flat = mini.flat.get(top, 0.0)
    weight = mini.learned(np.full((1, units), start), 1.0, layer.params[0])
    bias = None
    if len(layer.params) > 1:
        speed = 1.0 if mini.adaptive else mini.agreement(top, positions, flat)
        bias = mini.learned(np.zeros((1, units)), speed, layer.params[1])
    mini.sizes[top] = (positions, units)
    return [Gain(bottom, top, weight, bias)]


def _pooling(mini: Miniature, layer: Layer) -> list[Part]:
    """The few positions of a window stand for all: a MAX over more is larger, an AVE sends back less."""
    bottom, top = layer.bottoms[0], layer.tops[0]
    held, units = mini.sizes[bottom]
    made = min(held, positions_of(top.shape))
    window, each = window_elements(layer) or 49, held // made
    param = layer.param.pooling_param
    average = param.pool == param.AVE
    strides = (param.stride_h or param.stride) * (param.stride_w or param.stride) or 1
    overlap = 1.0 if param.global_pooling else max(1.0, window / strides)
    flat = 1.0 if param.global_pooling else mini.flat.get(top, 0.0)
    returned = np.float32(math.sqrt((1 + flat * (overlap - 1)) / window * each))
    grown = np.float32(math.sqrt((1 + math.log(window) / 4) / (1 + math.log(each) / 4)))

    def grouped(x: Array) -> Array:
        return x[:, :, : made * each].reshape(*x.shape[:2], made, each, units)

    def there(x: Array) -> Array:
        pooled: Array = grouped(x).mean(3) if average else grown * grouped(x).max(3)
        return pooled

    def back(g: Array, x: Array, y: Array) -> Array:
        spread = np.zeros_like(x)
        if average:
            spread[:, :, : made * each] = np.repeat(g * returned / each, each, 2)
            return spread
        groups = grouped(x)
        first = groups == groups.max(3, keepdims=True)
        spread[:, :, : made * each] = (first * (g * grown)[:, :, :, None]).reshape(*x.shape[:2], made * each, units)
        return spread

    mini.sizes[top] = (made, units)
    return [Pointwise(bottom, top, there, back)]


def _flatten(mini: Miniature, layer: Layer) -> list[Part]:
    bottom, top = layer.bottoms[0], layer.tops[0]
    positions, units = mini.sizes[bottom]
    mini.sizes[top] = (1, positions * units)
    return [
        Pointwise(
            bottom, top, lambda x: x.reshape(*x.shape[:2], 1, positions * units), lambda g, x, y: g.reshape(x.shape)
        )
    ]


def _reshape(mini: Miniature, layer: Layer) -> list[Part]:
    shape = layer.tops[0].shape
    return _flatten(mini, layer) if shape is not None and len(shape) == 2 else _same(mini, layer)


def _slice(mini: Miniature, layer: Layer) -> list[Part]:
    """Each top as if it were the whole: what the tops share is their scale."""
    return _same(mini, layer)


def _eltwise(mini: Miniature, layer: Layer) -> list[Part]:
    param, top = layer.param.eltwise_param, layer.tops[0]
    sizes = {mini.sizes[blob] for blob in layer.bottoms}
    if param.operation == param.PROD or len(sizes) > 1:
        raise UnsupportedError(f"what `{layer.name}` joins is not part of the estimate")
    mini.sizes[top] = sizes.pop()
    if param.operation == param.MAX:
        return [Largest(layer.bottoms, top)]
    return [Sum(layer.bottoms, top, list(param.coeff) or [1.0] * len(layer.bottoms))]


def _concat(mini: Miniature, layer: Layer) -> list[Part]:
    top = layer.tops[0]
    sizes = [mini.sizes[blob] for blob in layer.bottoms]
    if len({positions for positions, _ in sizes}) > 1:
        raise UnsupportedError(f"maps of several sizes meet in `{layer.name}`")
    whole = sum(units for _, units in sizes)
    kept = np.sort(mini.random.permutation(whole)[:JOINED])
    mini.sizes[top] = (sizes[0][0], len(kept))
    return [Join(layer.bottoms, top, kept)]


PARTS: dict[str, Make] = {
    "AbsVal": _absolute,
    "BN": _batch_norm,
    "BatchNorm": _batch_norm,
    "Concat": _concat,
    "Crop": _same,
    "Dropout": _dropout,
    "ELU": _elu,
    "Eltwise": _eltwise,
    "Flatten": _flatten,
    "LRN": _lrn,
    "PReLU": _prelu,
    "Permute": _same,
    "Pooling": _pooling,
    "Power": _power,
    "ReLU": _relu,
    "ReLU6": _relu,
    "Reshape": _reshape,
    "Scale": _scale,
    "ShuffleChannel": _same,
    "Sigmoid": _sigmoid,
    "Slice": _slice,
    "Split": _same,
    "TanH": _tanh,
}

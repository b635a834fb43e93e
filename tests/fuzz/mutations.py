"""Changes to a prototxt as chance makes them: bytes, tokens, values, fields, layers; the same seed, the same text."""

from __future__ import annotations

import random
from collections.abc import Iterator

from nanlint.text.parser import parse
from nanlint.text.source import Source
from nanlint.text.tree import Block, Field, Scalar

EXTREMES = (
    *("0", "-1", "1", "2147483647", "-2147483648", "4294967295", "18446744073709551615", "9" * 40, "1e38", "-1e39"),
    *("1e-46", "inf", "-inf", "nan", "true", "false", "MAX", "TEST", '""', '"a"', '"data"', "0x7fffffff", "3x3"),
    *("'\\xff'", '"\\ud800"', '"' + "n" * 300 + '"', "{ }", "[1, 2]", "[]", "0.1f", "1."),
)
TOKENS: tuple[str, ...] = (
    *tuple("{}<>[]:,;#\"'\n"),
    *(" ", "layer {", "}", "\0", "\ufeff", "\u202e", "é", "param { lr_mult: 0 }", "# nanlint: ignore"),
)
TYPES = (
    *("Convolution", "Pooling", "InnerProduct", "Slice", "Concat", "Reshape", "Eltwise", "Scale", "BatchNorm", "LRN"),
    *("SoftmaxWithLoss", "EuclideanLoss", "InfogainLoss", "Crop", "Deconvolution", "Reduction", "Embed", "LSTM"),
    *("Power", "Log", "MVN", "SPP", "Tile", "ArgMax", "BatchReindex", "Filter", "Parameter", "Silence", "Split"),
    *("MultiBoxLoss", "PriorBox", "Permute", "ROIPooling", "Interp", "Bias", "PReLU", "Accuracy", "Im2col", "Data"),
)


def mutated(text: str, chance: random.Random) -> str:
    """A text with one to four changes."""
    for _ in range(chance.randint(1, 4)):
        text = chance.choice(_CHANGES)(text, chance)
    return text


def _bytes(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    byte = chr(chance.choice((0, 9, 34, 92, 123, 125, 0x80, 0xDC80, 0x202E)))
    return text[:at] + byte + text[at + chance.randint(0, 3) :]


def _tokens(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(TOKENS) + text[at:]


def _value(text: str, chance: random.Random) -> str:
    scalars = [value for field in _fields(text) for value in field.values if isinstance(value, Scalar)]
    if not scalars:
        return text
    value = chance.choice(scalars)
    return text[: value.start] + chance.choice(EXTREMES) + text[value.end :]


def _type(text: str, chance: random.Random) -> str:
    named = [field for field in _fields(text) if field.name == "type" and field.values]
    if not named:
        return text
    field = chance.choice(named)
    return f'{text[: field.start]}type: "{chance.choice(TYPES)}"{text[field.end :]}'


def _without(text: str, chance: random.Random) -> str:
    fields = list(_fields(text))
    if not fields:
        return text
    field = chance.choice(fields)
    return text[: field.start] + text[field.end :]


def _twice(text: str, chance: random.Random) -> str:
    fields = list(_fields(text))
    if not fields:
        return text
    field, other = chance.choice(fields), chance.choice(fields)
    return f"{text[: other.start]}{text[field.start : field.end]}\n{text[other.start :]}"


def _swapped(text: str, chance: random.Random) -> str:
    strings = [field for field in _fields(text) if field.name in ("bottom", "top", "name")]
    if len(strings) < 2:
        return text
    one, other = sorted(chance.sample(strings, 2), key=lambda field: field.start)
    if other.start < one.end:
        return text
    middle = text[one.end : other.start]
    return text[: one.start] + text[other.start : other.end] + middle + text[one.start : one.end] + text[other.end :]


def _fields(text: str) -> Iterator[Field]:
    return _inside(parse(Source("x", text)).root)


def _inside(block: Block) -> Iterator[Field]:
    for field in block.fields:
        yield field
        for value in field.values:
            if isinstance(value, Block):
                yield from _inside(value)


_CHANGES = (_bytes, _tokens, _value, _value, _value, _type, _without, _twice, _swapped)

"""Whatever the settings and shapes are, a layer is set up or refused: nothing else is raised."""

from __future__ import annotations

import inspect
import random
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from nanlint.caffe.layers import FORK_MODULES, MODULES, layer_type
from nanlint.caffe.layers.base import TRAIN, Arity, Bottom, LayerSetup, LayerType, Refusal, Shape
from nanlint.caffe.model import Origin
from nanlint.schema.bind import bind
from nanlint.schema.descriptors import new_layer
from nanlint.text.parser import parse
from nanlint.text.source import Source

if TYPE_CHECKING:
    from google.protobuf.message import Message

ROUNDS = 25
SIZES = (0, 1, 2, 3, 4, 8, 16, 2**31 - 1, None)
UNSIGNED = (0, 1, 2, 3, 4, 5, 8, 2**31 - 1, 2**31, 2**32 - 1)
SIGNED = (0, 1, 2, 3, 4, -1, -2, -5, 2**31 - 1, -(2**31))
NUMBERS = (0.0, 1.0, -1.0, 0.5, 1e38, float("inf"), float("nan"))
WORDS = ("", "x", "constant", "gaussian", "xavier", "bilinear")


@pytest.mark.parametrize("name", sorted({**MODULES, **FORK_MODULES}))
def test_any_settings(name: str) -> None:
    chance = random.Random(name)
    spec = layer_type(name)
    assert spec is not None
    bound = bind(parse(Source("net.prototxt", 'layer { name: "l" }')), "NetParameter")
    origin = Origin(bound, "layer[0]")
    for _ in range(ROUNDS):
        param = new_layer()
        param.name, param.type = "l", name
        for block in _blocks(spec):
            if chance.random() < 0.8:
                _fill(chance, getattr(param, block), 0)
        bottoms, tops = (_some(chance, arity) for arity in spec.arities(param))
        same = _shape(chance)
        read = [
            Bottom(f"b{i}", same if chance.random() < 0.5 else _shape(chance), origin.place("name"))
            for i in range(bottoms)
        ]
        names = [f"t{i}" for i in range(tops)]
        layer = LayerSetup(param, TRAIN, read, names, origin, [], {}, chance.random() < 0.5)
        with suppress(Refusal):
            assert len(spec.setup(layer).tops) == tops


def _blocks(spec: LayerType) -> list[str]:
    """The blocks of a layer that the type's module names."""
    text = inspect.getsource(sys.modules[type(spec).__module__])
    names = [field.name for field in new_layer().DESCRIPTOR.fields if field.name.endswith("_param")]
    return [name for name in names if name in text]


def _some(chance: random.Random, arity: Arity) -> int:
    most = arity.least + 2 if arity.most is None else min(arity.most, arity.least + 2)
    return chance.randint(arity.least, most)


def _shape(chance: random.Random) -> Shape:
    if chance.random() < 0.1:
        return None
    return tuple(chance.choice(SIZES) for _ in range(chance.choice((0, 1, 2, 3, 4, 4, 4, 5))))


def _fill(chance: random.Random, message: Message, depth: int) -> None:
    message.SetInParent()
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.55:
            continue
        old: Any = getattr(message, field.name)
        for _ in range(chance.randint(1, 3) if field.is_repeated else 1):
            if field.message_type is not None:
                if depth < 2:
                    _fill(chance, old.add() if field.is_repeated else old, depth + 1)
            elif field.is_repeated:
                old.append(_value(chance, field))
            else:
                setattr(message, field.name, _value(chance, field))


def _value(chance: random.Random, field: Any) -> Any:
    if field.enum_type is not None:
        return chance.choice(field.enum_type.values).number
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return chance.choice(WORDS)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return chance.random() < 0.5
    if field.cpp_type in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
        return chance.choice(NUMBERS)
    unsigned = field.cpp_type in (FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64)
    return chance.choice(UNSIGNED if unsigned else SIGNED)

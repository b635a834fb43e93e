"""However a net is spelt, it reads as the same net."""

from __future__ import annotations

import random
from typing import Any

import pytest

from nanlint.schema.bind import bind
from nanlint.schema.descriptors import message_class
from nanlint.schema.dialect import Dialect
from nanlint.text.parser import parse
from nanlint.text.source import Source

NET = """
name: "n"
layer {
  name: "conv1" type: "Convolution" bottom: "data" top: "conv1" top: "it's"
  param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
  convolution_param { num_output: 20 kernel_size: 5 kernel_size: 3 bias_term: false engine: CAFFE }
  loss_weight: 0.5 loss_weight: -2
  propagate_down: true propagate_down: false
  include { phase: TEST stage: "a" stage: "b" }
}
layer { name: "é\\"}{#" dummy_data_param { shape { dim: 1 dim: 300 } data_filler { value: -0.001 } } }
"""

BLANKS = ("", "", " ", "\n", "\r\n", "\t", "\f", ' # a } comment: "{\n', "#\n")
SEPARATORS = (" ", "\n", ",", ";", " ;", ", ", "# c\n")


class Speller:
    """Writes a message in the words of the text format, each time in others."""

    def __init__(self, seed: int) -> None:
        self.luck = random.Random(seed)

    def message(self, message: Any) -> str:
        parts = []
        for field, value in message.ListFields():
            is_list = not isinstance(value, (str, bytes)) and hasattr(value, "append")
            values = [self.value(field, one) for one in (value if is_list else [value])]
            block = field.message_type is not None
            if is_list and self.luck.random() < 0.3:
                listed = (self.blank() + "," + self.blank()).join(values)
                values = [f"[{self.blank()}{listed}{self.blank()}]"]
            for one in values:
                colon = self.luck.choice(("", ":")) if block else ":"
                parts.append(field.name + self.blank() + colon + self.blank() + one)
        return "".join(part + self.luck.choice(SEPARATORS) for part in parts)

    def value(self, field: Any, value: Any) -> str:
        if field.message_type is not None:
            opening, closing = self.luck.choice(("{}", "<>"))
            return opening + self.blank() + self.message(value) + self.blank() + closing
        if field.enum_type is not None:
            return self.luck.choice((field.enum_type.values_by_number[value].name, str(value), hex(value)))
        if isinstance(value, bool):
            return self.luck.choice(("true", "True", "t", "1", "0x1") if value else ("false", "False", "f", "0", "00"))
        if isinstance(value, int):
            return self.sign(value) + self.luck.choice((f"{abs(value)}", f"{abs(value):#x}", f"0{abs(value):o}"))
        if isinstance(value, float):
            return self.sign(value) + self.luck.choice((f"{abs(value)!r}", f"{abs(value):.9e}", f"{abs(value)!r}f"))
        return self.string(value)

    def sign(self, value: float) -> str:
        return "-" + self.luck.choice(("", " ", "# c\n")) if value < 0 else ""

    def string(self, value: str) -> str:
        cut = self.luck.randint(0, len(value))
        return self.quoted(value[:cut]) + self.blank() + self.quoted(value[cut:])

    def quoted(self, value: str) -> str:
        quote = self.luck.choice("'\"")
        return quote + "".join(self.character(one, quote) for one in value) + quote

    def character(self, character: str, quote: str) -> str:
        octal = "".join(f"\\{byte:03o}" for byte in character.encode())
        plain = "\\" + character if character in (quote, "\\") else character
        return self.luck.choice((plain, plain, octal, f"\\u{ord(character):04x}"))

    def blank(self) -> str:
        return self.luck.choice(BLANKS)


def check(seed: int) -> None:
    wanted = bind(parse(Source("net.prototxt", NET)), "NetParameter", Dialect.BVLC)
    assert not wanted.problems
    text = Speller(seed).message(wanted.message)
    bound = bind(parse(Source("net.prototxt", text)), "NetParameter", Dialect.BVLC)
    assert not bound.problems, text
    assert bound.message == wanted.message, text
    assert bound.message == message_class("NetParameter").FromString(wanted.message.SerializeToString())


@pytest.mark.parametrize("seed", range(40))
def test_a_net_in_other_words_is_the_same_net(seed: int) -> None:
    check(seed)


@pytest.mark.slow
def test_a_net_in_very_many_words_is_the_same_net() -> None:
    for seed in range(40, 3000):
        check(seed)

"""Whatever the bytes: no exception, spans inside the text, and what we write is read back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nanlint.schema.bind import bind
from nanlint.schema.descriptors import message_class
from nanlint.schema.tables import table_of
from nanlint.text.directives import directives
from nanlint.text.parser import parse
from nanlint.text.source import Source
from nanlint.text.tree import Block, Field

WORDS = """
layer layers name type pooling_param kernel kernel_size param loss_weight blobs
{ } < > [ ] : , ; = - + . / \\ " ' “ ” #
0 7 08 0x1 1e 1.5 -1 inf nan true TRUE MAX max "a" 'b' "\\x" "\\ud83d" é 3x3 2shift
"""
FRAGMENTS = [
    *WORDS.split(),
    *("\n", " ", "\t", "\0", "\ufeff", "\xa0", "\udcff", "\ud800", "\x1a"),
    *("# nanlint: ignore[X]\n", "9" * 40),
]

NET = """\
name: "n" # a net
layer {
  name: "pool1" type: "Pooling" bottom: "a" top: 'b'
  pooling_param { pool: AVE kernel_size: 3 stride: 2 }
  loss_weight: [1, .5, -1e-3f] param < lr_mult: 1 >
}
layer { clip_param { min: -1 max: 1 } blobs { shape { dim: 3 } data: 1 data: 0x1 } }
"""

soup = st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join)
anything = st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("utf-8", "surrogateescape"))


def fields_of(block: Block) -> Iterator[Field]:
    for field in block.fields:
        yield field
        for value in field.values:
            if isinstance(value, Block):
                yield from fields_of(value)


def lint(text: str) -> None:
    source = Source("net.prototxt", text)
    document = parse(source)
    size = len(text)
    before = -1
    for field in fields_of(document.root):
        assert 0 <= field.start <= field.name_end <= field.end <= size
        assert field.start > before
        before = field.start
        for value in field.values:
            assert field.start <= value.start <= value.end <= size
    for directive in directives(document):
        assert 0 <= directive.covers.start <= directive.covers.end <= size
    for type_name in ("NetParameter", "SolverParameter"):
        for problem in bind(document, type_name).problems:
            for place in (problem.place, *(related.place for related in problem.related)):
                assert 0 <= place.span.start <= place.span.end <= size
                assert place.start <= place.end
            for edit in problem.fix.edits if problem.fix else ():
                assert 0 <= edit.place.span.start <= edit.place.span.end <= size


@given(soup | anything)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_text_is_read(text: str) -> None:
    lint(text)


@pytest.mark.slow
@given(soup | anything)
@settings(max_examples=30_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_very_many_texts_are_read(text: str) -> None:
    lint(text)


def test_a_net_cut_anywhere_is_read() -> None:
    for end in range(len(NET)):
        lint(NET[:end])


def test_a_net_with_any_character_changed_is_read() -> None:
    luck = random.Random(0)
    for _ in range(500):
        text = list(NET)
        for _ in range(luck.randint(1, 4)):
            text[luck.randrange(len(text))] = luck.choice(FRAGMENTS)
        lint("".join(text))


@given(soup)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_what_we_read_protobuf_reads_alike(text: str) -> None:
    """Python's parser also takes a few spellings that Caffe's refuses, and no bytes but UTF-8."""
    bound = bind(parse(Source("net.prototxt", text)), "NetParameter")
    if not is_utf8(text) or any(problem.kind != "empty-file" for problem in bound.problems):
        return
    theirs = message_class("NetParameter")()
    text_format.Parse(text, theirs)
    assert bound.message == theirs


def is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def scalars(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    kind = field.type
    if kind == FieldDescriptor.TYPE_ENUM:
        assert field.enum_type is not None
        return st.sampled_from([value.number for value in field.enum_type.values])
    if kind == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if kind in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return st.floats(allow_nan=False, width=32)
    if kind == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=8)
    if kind == FieldDescriptor.TYPE_STRING:
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    bits, signed = {
        FieldDescriptor.TYPE_INT32: (31, True),
        FieldDescriptor.TYPE_INT64: (63, True),
        FieldDescriptor.TYPE_UINT32: (32, False),
        FieldDescriptor.TYPE_UINT64: (64, False),
    }[kind]
    return st.integers(-(2**bits) if signed else 0, 2**bits - 1)


def fill(draw: st.DrawFn, message: Any, depth: int) -> Any:
    table = table_of(message.DESCRIPTOR)
    names = st.lists(st.sampled_from(sorted(table.fields)), max_size=5, unique=True)
    for known in [table.fields[name] for name in draw(names)] if table.fields else []:
        if known.message is not None:
            if depth:
                held = getattr(message, known.name)
                fill(draw, held.add() if known.repeated else held, depth - 1)
        elif known.repeated:
            getattr(message, known.name).extend(draw(st.lists(scalars(known.field), max_size=3)))
        else:
            setattr(message, known.name, draw(scalars(known.field)))
    for name in table.required:
        if not message.HasField(name):
            setattr(message, name, 0)
    return message


@st.composite
def nets(draw: st.DrawFn) -> Any:
    return fill(draw, message_class("NetParameter")(), 3)


@given(nets(), st.booleans(), st.booleans())
@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_a_net_that_protobuf_writes_is_read_back(net: Any, one_line: bool, pointy: bool) -> None:
    text = text_format.MessageToString(net, as_one_line=one_line, pointy_brackets=pointy)
    bound = bind(parse(Source("net.prototxt", text)), "NetParameter")
    assert [problem.kind for problem in bound.problems] in ([], ["empty-file"])
    assert bound.message == net

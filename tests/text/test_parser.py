from __future__ import annotations

import pytest

from nanlint.text.parser import MAX_DEPTH, parse
from nanlint.text.source import Source
from nanlint.text.tree import Block, Document, Field, Kind, Scalar


def read(text: str) -> Document:
    return parse(Source("net.prototxt", text))


def outline(fields: list[Field]) -> list[object]:
    """Names and values, nested as they are."""
    return [
        (field.name, [outline(v.fields) if isinstance(v, Block) else v.text for v in field.values]) for field in fields
    ]


def messages(text: str) -> list[str]:
    return [fault.message for fault in read(text).faults]


def marked(text: str) -> list[str]:
    """The text under each fault."""
    return [text[fault.span.start : fault.span.end] for fault in read(text).faults]


@pytest.mark.parametrize(
    "text",
    [
        'layer { name: "p" }',
        'layer < name: "p" >',
        'layer: { name: "p" }',
        'layer { name: "p", }',
        "layer{name:'p';}",
        'layer [{ name: "p" }]',
        'layer: [ < name: "p" > ],',
        '# a\nlayer # b\n{ # c\nname # d\n: # e\n"p" # f\n}',
    ],
)
def test_spellings_of_one_block(text: str) -> None:
    document = read(text)
    assert not document.faults
    (field,) = document.root.fields
    (block,) = field.values
    assert isinstance(block, Block)
    assert outline(block.fields)[0][0] == "name"  # type: ignore[index]
    assert isinstance(block.fields[0].values[0], Scalar)
    assert block.fields[0].values[0].string == b"p"


def test_spans_are_those_of_the_text() -> None:
    text = 'layer {\n  top: "a" "b"\n  x: - 1 y: [1, 2]\n}'
    (layer,) = read(text).root.fields
    (block,) = layer.values
    assert isinstance(block, Block)
    assert text[layer.start : layer.name_end] == "layer"
    assert text[block.start : block.end] == text[6:]
    assert [text[f.start : f.end] for f in block.fields] == ['top: "a" "b"', "x: - 1", "y: [1, 2]"]
    assert [text[v.start : v.end] for f in block.fields for v in f.values] == ['"a" "b"', "- 1", "1", "2"]


def test_scalars_know_what_they_look_like() -> None:
    values = [field.values[0] for field in read('a: -1 b: MAX c: "x" d: 3x3 e: - inf f: 08').root.fields]
    assert [v.kind for v in values if isinstance(v, Scalar)] == [
        Kind.NUMBER, Kind.IDENTIFIER, Kind.STRING, Kind.MALFORMED, Kind.IDENTIFIER, Kind.MALFORMED,
    ]  # fmt: skip
    assert [v.text for v in values if isinstance(v, Scalar)] == ["-1", "MAX", '"x"', "3x3", "-inf", "08"]


def test_an_empty_list_has_no_values() -> None:
    (field,) = read("a: []").root.fields
    assert (field.is_list, field.values) == (True, [])


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("a 1", "expected `:` after `a`, found `1`", "1"),
        ("a = 1", "expected `:` after `a`, found `=`", "="),
        ("a:", "expected a value after `a`, found the end of the file", "a:"),
        ("a: }", "expected a value after `a`, found `}`", "a:"),
        ("a:\nb: 1", "expected a value after `a`, found `b`", "a:"),
        ("a", "expected `:` after `a`, found the end of the file", "a"),
        (": 1", "expected a field name, found `:`", ":"),
        ("// c", "expected a field name, found `//`; a comment begins with `#`", "//"),
        ("-- c", "expected a field name, found `--`; a comment begins with `#`", "--"),
        ("a: 1 % c", "expected a field name, found `%`; a comment begins with `#`", "%"),
        ('"a": 1', 'expected a field name, found `"a"`: names stand without quotes', '"a"'),
        ("7: 1", "expected a field name, found `7`", "7"),
        ("{ a: 1 }", "expected a field name, found `{`", "{"),
        ("a: [1 2]", "expected `,` or `]` in the list of `a`, found `2`", "2"),
        ("a: [1; 2]", "expected `,` or `]` in the list of `a`, found `;`", ";"),
        ("a: [1,]", "expected a value in the list of `a`, found `]`", "]"),
        ("a: [,1]", "expected a value in the list of `a`, found `,`", ","),
        ("a: [1 b: 2", "expected `,` or `]` in the list of `a`, found `b`", "b"),
        ("}", "expected a field name, found `}`, which closes nothing", "}"),
        ("a { b: 1 >", "expected `}`, found `>`", ">"),
        ("a: 1,,", "expected a field name, found `,`: a field takes one `,` or `;` after it", ","),
        ("a: 1,;,", "expected a field name, found `;,`: a field takes one `,` or `;` after it", ";,"),
        ("; a: 1", "expected a field name, found `;`: a field takes one `,` or `;` after it", ";"),
    ],
)
def test_what_was_expected_and_where(text: str, message: str, place: str) -> None:
    assert messages(text)[0] == message
    assert marked(text)[0] == place


@pytest.mark.parametrize("text", ["a: 1,", "a: 1;", "a { },", "a: [1];", "a: 1\n;b: 2"])
def test_one_separator_after_a_field_is_fine(text: str) -> None:
    assert not messages(text)


def test_several_faults_of_one_file_are_all_found_and_the_rest_is_read() -> None:
    document = read("a = 1\nb 2\n// no comment\nc: [1,]\nd { e: }\nf: 3")
    assert [document.source.position(fault.span.start).line for fault in document.faults] == [1, 2, 3, 4, 5]
    assert outline(document.root.fields) == [
        ("a", ["1"]), ("b", ["2"]), ("c", ["1"]), ("d", [[("e", [])]]), ("f", ["3"]),
    ]  # fmt: skip


def test_a_sentence_is_one_fault() -> None:
    assert len(messages("this line was meant as a comment\na: 1")) == 1
    assert len(messages("- so was this: it has a colon\na: 1")) <= 2


@pytest.mark.parametrize(
    "comment", ["// a: 1 { 'it isn't\n", "//a: 1\n", "/* a: 1\n b { \n*/", "% a: 1\n", "-- a: 1\n"]
)
def test_a_comment_of_another_language_is_one_fault_and_holds_no_field(comment: str) -> None:
    document = read(f"c: 1 {comment} d: 2")
    assert len(document.faults) == 1
    assert outline(document.root.fields) == [("c", ["1"]), ("d", ["2"])]


def test_an_unclosed_block_shows_its_brace() -> None:
    text = 'layer {\n  name: "p"\n'
    (fault,) = read(text).faults
    assert fault.message == "expected `}` before the end of the file: `layer {` of line 1 is not closed"
    ((span, _),) = fault.related
    assert text[span.start : span.end] == "layer {"


def test_a_layer_inside_a_layer_betrays_the_missing_brace() -> None:
    text = 'layer {\n  name: "a"\n  param {\n\nlayer {\n  name: "b"\n}\nlayer { name: "c" }\n'
    document = read(text)
    assert [f.message for f in document.faults] == [
        "expected `}` before this `layer`: `param {` of line 3 is not closed"
    ]
    assert [text[s.start : s.end] for s, _ in document.faults[0].related] == ["param {", "layer {"]
    assert [field.name for field in document.root.fields] == ["layer", "layer", "layer"]


def test_a_layer_inside_a_layer_stays_where_all_braces_are_closed() -> None:
    assert outline(read("layers { layer { a: 1 } } layer { layer { } }").root.fields) == [
        ("layers", [[("layer", [[("a", ["1"])]])]]),
        ("layer", [[("layer", [[]])]]),
    ]


def test_a_broken_string_does_not_also_report_the_brace_it_swallowed() -> None:
    document = read('layer { name: "p }\nlayer { name: "q" }')
    assert [fault.kind for fault in document.faults] == ["bad-string"]
    assert [field.name for field in document.root.fields] == ["layer", "layer"]


def test_nesting_beyond_any_message_is_cut_and_costs_no_stack() -> None:
    depth = 100_000
    document = read("a{" * depth + "}" * depth + "b: 1")
    assert [fault.message[:4] for fault in document.faults] == ["this"]
    assert [field.name for field in document.root.fields] == ["a", "b"]
    levels = 0
    block = document.root
    while block.fields and block.fields[0].values and isinstance(block.fields[0].values[0], Block):
        block = block.fields[0].values[0]
        levels += 1
    assert levels == MAX_DEPTH


def test_edits_of_a_fault_put_it_right() -> None:
    text = "a = 1\nb 2\nc: [1,]\nd: [1 2]\ne: 1,,\n“f”: “g”"
    edits = sorted(edit for fault in read(text).faults for edit in fault.edits)
    for (start, end), new in reversed(edits):
        text = text[:start] + new + text[end:]
    assert text.startswith("a : 1\nb: 2\nc: [1]\nd: [1, 2]\ne: 1,\n")

from __future__ import annotations

from nanlint.text.directives import Directive, directives
from nanlint.text.parser import parse
from nanlint.text.source import Place, Source, Span

NET = """\
# nanlint: ignore[POOL001]
layer {
  name: "pool1"
  pooling_param { stride: 5 } # nanlint: ignore[pool001, empty-pooling-window] the last row is padding
}

# nanlint: ignore

layer { name: "b" }
# nanlint: ignore[LR001]
# and a word of explanation
layer { name: "c" } layer { name: "d" }
"""


def read(text: str) -> tuple[Directive, ...]:
    return directives(parse(Source("net.prototxt", text)))


def covered(text: str, directive: Directive) -> str:
    return text[directive.covers.start : directive.covers.end]


def place(directive: Directive, text: str) -> Place:
    source = directive.place.source
    start = source.text.index(text)
    return Place(source, Span(start, start + len(text)))


def test_codes_and_reason() -> None:
    before, behind, lost, _ = read(NET)
    assert (before.codes, before.reason) == (("POOL001",), "")
    assert (behind.codes, behind.reason) == (("POOL001", "EMPTY-POOLING-WINDOW"), "the last row is padding")
    assert lost.codes == ()


def test_what_they_cover() -> None:
    before, behind, lost, commented = read(NET)
    assert covered(NET, before).startswith("layer {\n")
    assert covered(NET, before).endswith("\n}")
    assert covered(NET, behind).startswith("  pooling_param { stride: 5 } #")
    assert covered(NET, lost) == "# nanlint: ignore"
    assert covered(NET, commented) == 'layer { name: "c" } layer { name: "d" }'


def test_a_directive_inside_a_block_covers_the_field_below_it() -> None:
    text = 'layer {\n  # nanlint: ignore[X001]\n  param {\n    lr_mult: 0\n  }\n  top: "a"\n}'
    (directive,) = read(text)
    assert covered(text, directive) == "param {\n    lr_mult: 0\n  }"


def test_hides_by_code_by_name_and_by_place() -> None:
    before, behind, lost, _ = read(NET)
    stride = place(before, "stride: 5")
    assert before.hides(stride, "POOL001", "empty-pooling-window")
    assert behind.hides(stride, "POOL009", "empty-pooling-window")
    assert not before.hides(stride, "LR001", "poly-without-max-iter")
    assert not before.hides(place(before, '"b"'), "POOL001")
    assert not lost.hides(stride, "POOL001")


def test_the_unused_part() -> None:
    _, behind, lost, _ = read(NET)
    assert behind.unused({"POOL001", "empty-pooling-window"}) is None
    rest = behind.unused({"POOL001"})
    assert rest is not None
    assert rest.codes == ("EMPTY-POOLING-WINDOW",)
    assert lost.unused(set()) is lost
    assert lost.unused({"POOL001"}) is None


def test_removal() -> None:
    before, behind, _, _ = read(NET)
    span, text = before.removal()
    assert (NET[span.start : span.end], text) == ("# nanlint: ignore[POOL001]\n", "")
    span, text = behind.removal()
    assert NET[: span.start].endswith("{ stride: 5 }")
    assert NET[span.end :].startswith("\n}")
    part = behind.unused({"POOL001"})
    assert part is not None
    span, text = part.removal()
    assert (NET[span.start : span.end], text) == ("pool001, empty-pooling-window", "POOL001")


def test_other_comments_are_none() -> None:
    assert not read("# nanlint is good\n# ignore[X]\na: 1 # nanlint: ignored")

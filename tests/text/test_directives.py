from __future__ import annotations

from dataclasses import replace

import pytest

from nanlint.text.directives import Directive, directives, misread
from nanlint.text.parser import parse
from nanlint.text.source import Source

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


def test_removal() -> None:
    before, behind, _, _ = read(NET)
    span, text = before.removal()
    assert (NET[span.start : span.end], text) == ("# nanlint: ignore[POOL001]\n", "")
    span, text = behind.removal()
    assert NET[: span.start].endswith("{ stride: 5 }")
    assert NET[span.end :].startswith("\n}")
    span, text = replace(behind, codes=("EMPTY-POOLING-WINDOW",)).removal()
    assert (NET[span.start : span.end], text) == ("pool001, empty-pooling-window", "POOL001")


def test_other_comments_are_none() -> None:
    text = "# nanlint is good\n# ignore[X]\na: 1 # nanlint: see the README\n# the ignored"
    assert not read(text)
    assert not misread(parse(Source("net.prototxt", text)))


def test_a_whole_file() -> None:
    text = "a: 1\n# nanlint: ignore-file[POOL001] all of it\n\nb: 2\n"
    (directive,) = read(text)
    assert directive.whole
    assert covered(text, directive) == text
    assert directive.text == "# nanlint: ignore-file[POOL001]"


@pytest.mark.parametrize(
    ("comment", "meant"),
    [
        ("ignore LR006", "ignore[LR006]"),
        ("ignore[LR006", "ignore[LR006]"),
        ("ignore (LR006, POOL001): on purpose", "ignore[LR006, POOL001] on purpose"),
        ("ignroe[LR006] climbs", "ignore[LR006] climbs"),
        ("ignore_file[LR006]", "ignore-file[LR006]"),
        ("ignored[LR006]", "ignore[LR006]"),
        ("disable=LR006", ""),
        ("ignore because", ""),
        ("ignore[]", ""),
        ("ignore]", ""),
    ],
)
def test_what_means_to_be_a_directive_and_is_none(comment: str, meant: str) -> None:
    for written in (f"# nanlint: {comment}", f"#nanlint {comment}"):
        text = f"base_lr: -1 {written}\n"
        assert not read(text)
        (wrong,) = misread(parse(Source("solver.prototxt", text)))
        assert wrong.meant == (f"# nanlint: {meant}" if meant else "")


def test_a_missing_colon() -> None:
    (wrong,) = misread(parse(Source("solver.prototxt", "a: 1 # nanlint ignore[LR006] climbs")))
    assert wrong.meant == "# nanlint: ignore[LR006] climbs"


def test_many_comments_above_one_field() -> None:
    text = "# nanlint: ignore[LR001]\n" * 3 + "  # a word\na: 1\n"
    assert [covered(text, one) for one in read(text)] == ["a: 1"] * 3

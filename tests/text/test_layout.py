"""Files well laid out: the same meaning, every comment, and nothing left to do a second time."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.engine.files import Kind, classify
from nanlint.schema.bind import bind
from nanlint.text.layout import BrokenFileError, laid_out
from nanlint.text.parser import parse
from nanlint.text.source import Source


def formatted(text: str) -> str:
    return laid_out(parse(Source("net.prototxt", text)))


@pytest.mark.parametrize(
    ("written", "result"),
    [
        ("a:1,b : 2;", "a: 1\nb: 2\n"),
        ("layer{name:'x' p<q:1>}", "layer {\n  name: 'x'\n  p {\n    q: 1\n  }\n}\n"),
        ("layer: { }", "layer {}\n"),
        ("x: [1,2 , 3]", "x: [1, 2, 3]\n"),
        ("x: []", "x: []\n"),
        ("l: [{a: 1}, {b: 2}]", "l {\n  a: 1\n}\nl {\n  b: 2\n}\n"),
        ('s: "a"\n   "b"', 's: "a" "b"\n'),
        ("a: 1\n\n\n\nb: 2", "a: 1\n\nb: 2\n"),
        ("", ""),
    ],
)
def test_one_field_a_line(written: str, result: str) -> None:
    assert formatted(written) == result


@pytest.mark.parametrize(
    ("written", "result"),
    [
        ("# top\na: 1 # behind\n# last", "# top\na: 1  # behind\n# last\n"),
        ("a: 1 b: 2 # of b", "a: 1\nb: 2  # of b\n"),
        ("l { # opens\n # in\n a: 1\n} # closes", "l {  # opens\n  # in\n  a: 1\n}  # closes\n"),
        ("l { # alone\n}", "l {  # alone\n}\n"),
        ("a: # odd\n 1", "# odd\na: 1\n"),
        ("x: [1, # one\n 2]", "# one\nx: [1, 2]\n"),
    ],
)
def test_comments_stay_with_what_they_are_about(written: str, result: str) -> None:
    assert formatted(written) == result


def test_line_ends_are_those_of_the_file() -> None:
    assert formatted("a: 1\r\nb: 2\r\n") == "a: 1\r\nb: 2\r\n"


def test_a_broken_file_is_left_alone() -> None:
    with pytest.raises(BrokenFileError):
        formatted("layer { name: ")


@pytest.mark.slow
def test_real_files_mean_the_same_and_change_once(shared: Path) -> None:
    for path in sorted((shared / "corpus").rglob("*.prototxt")):
        document = parse(Source.decode(str(path), path.read_bytes()))
        try:
            text = laid_out(document)
        except BrokenFileError:
            continue
        again = parse(Source(str(path), text))
        root = "SolverParameter" if classify(document, str(path)) is Kind.SOLVER else "NetParameter"
        assert bind(again, root).message == bind(document, root).message, path
        kept, before = ([one.text.rstrip() for one in each.comments] for each in (again, document))
        assert kept == before, path
        assert laid_out(again) == text, path

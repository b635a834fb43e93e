from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.engine.files import Kind, classify, find
from nanlint.text.parser import parse
from nanlint.text.source import Source


def kind(text: str, path: str = "x.prototxt") -> Kind:
    return classify(parse(Source(path, text)), path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('net: "net.prototxt" base_lr: 1', Kind.SOLVER),
        ('layer { name: "a" }', Kind.NET),
        ("layers { }", Kind.NET),
        ('input: "data" input_dim: 1', Kind.NET),
        ('train_net_param { layer { name: "a" } } base_lr: 1', Kind.SOLVER),
        ('name: "LeNet" debug_info: true', Kind.NET),
        ("momentun: 1 base_lr: 1", Kind.SOLVER),
        ('item { name: "dog" id: 1 }', Kind.OTHER),
    ],
)
def test_fields_tell_solvers_from_nets(text: str, expected: Kind) -> None:
    assert kind(text) is expected


def test_the_name_decides_where_fields_do_not() -> None:
    assert kind("", "models/Solver.prototxt") is Kind.SOLVER
    assert kind("", "models/net.prototxt") is Kind.NET


def test_a_folder_is_searched_in_order_without_what_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.prototxt", "a.prototxt", "notes.txt", "sub/c.prototxt", ".git/d.prototxt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    assert [given.path for given in find((".",)).inputs] == ["a.prototxt", "b.prototxt", "sub/c.prototxt"]


def test_what_cannot_be_found_is_said(tmp_path: Path) -> None:
    found = find((str(tmp_path), "no/such", "a\0b"))
    assert found.inputs == ()
    assert found.failures == (
        f"no `*.prototxt` in the folder `{tmp_path}`",
        "cannot read `no/such`: no such file or directory",
        "cannot read `a\0b`: no path holds a NUL",
    )

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import engine

SOLVER = """\
net_param { layer { name: "d" type: "Input" top: "d" input_param { shape { dim: 1 } } } }
%s
lr_policy: "fixed"
max_iter: 10
display: 5
snapshot_prefix: "a"
"""


@pytest.fixture
def codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)

    def found(line: str) -> list[str]:
        Path("solver.prototxt").write_text(SOLVER % line)
        return sorted(one.code for one in engine.check(["solver.prototxt"]).findings if one.place.start.line > 1)

    return found


def test_a_negative_rate_shows(codes) -> None:  # type: ignore[no-untyped-def]
    assert codes("base_lr: -1") == ["LR006"]


@pytest.mark.parametrize(
    "line",
    [
        "base_lr: -1 # nanlint: ignore[LR006]",
        "base_lr: -1 # nanlint: ignore[LR] a family",
        "base_lr: -1 # nanlint: ignore[negative-rate]",
        "base_lr: -1 # nanlint: ignore",
        "# nanlint: ignore[LR006]\nbase_lr: -1",
        "# nanlint: ignore[LR006]\n# nanlint: ignore[LR]\nbase_lr: -1",
        "base_lr: -1\n\n# nanlint: ignore-file[LR006] climbs",
        "base_lr: -1\n\n# nanlint: ignore-file",
    ],
)
def test_hidden(codes, line: str) -> None:  # type: ignore[no-untyped-def]
    assert codes(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "base_lr: 1 # nanlint: ignore[LR006]",
        "base_lr: 1 # nanlint: ignore",
        "base_lr: 1 # nanlint: ignore-file[LR006]",
        "base_lr: 1 # nanlint: ignore[LR]",
    ],
)
def test_what_hides_nothing_is_told(codes, line: str) -> None:  # type: ignore[no-untyped-def]
    assert codes(line) == ["TXT015"]


@pytest.mark.parametrize("words", ["ignore LR006", "ignore[LR006", "ignore because", "ignroe[LR006]"])
def test_what_does_not_read_as_a_directive_hides_nothing(codes, words: str) -> None:  # type: ignore[no-untyped-def]
    assert codes(f"base_lr: -1 # nanlint: {words}") == ["LR006", "TXT016"]


def test_a_rule_that_does_not_exist(codes) -> None:  # type: ignore[no-untyped-def]
    assert codes("base_lr: -1 # nanlint: ignore[LR06]") == ["LR006", "TXT016"]
    assert codes("base_lr: -1 # nanlint: ignore[LR06, LR006]") == ["TXT016"]

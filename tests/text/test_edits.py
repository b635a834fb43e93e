from __future__ import annotations

import stat
from pathlib import Path
from typing import NamedTuple

import pytest

from nanlint.text.edits import collides, edited, whole_line, write_text
from nanlint.text.source import Place, Source, Span


class Edit(NamedTuple):
    place: Place
    text: str


TEXT = "pool: AVE stride: 5\r\n"


def edit(old: str, new: str) -> Edit:
    start = TEXT.index(old)
    return Edit(Place(Source("net.prototxt", TEXT), Span(start, start + len(old))), new)


def test_edits_in_any_order() -> None:
    assert edited(TEXT, [edit("5", "3"), edit("AVE", "MAX")]) == "pool: MAX stride: 3\r\n"
    assert edited(TEXT, []) == TEXT


def test_collisions() -> None:
    assert collides(edit("stride: 5", ""), [edit("5", "3")])
    assert collides(edit("AVE", "MAX"), [edit("AVE", "MAX")])
    assert not collides(edit("AVE", "MAX"), [edit(" stride", "x")])


@pytest.mark.parametrize(
    ("before", "removed", "after"),
    [("a: 1\n", "  b: 2 \r\n", "c: 3"), ("a: 1", " b: 2", " c: 3"), ("a: 1\n", "b: 2", ""), ("{\n", "b: 2", " }")],
)
def test_what_to_remove_with_a_field(before: str, removed: str, after: str) -> None:
    text = before + removed + after
    start = text.index("b")
    assert whole_line(text, start, start + 4) == (len(before), len(before) + len(removed))


def test_writing_keeps_mode_bytes_and_links(tmp_path: Path) -> None:
    net, link = tmp_path / "net.prototxt", tmp_path / "link.prototxt"
    net.write_bytes(b"old")
    net.chmod(0o640)
    link.symlink_to(net)
    write_text(link, "caf\udce9\r\n")
    assert net.read_bytes() == b"caf\xe9\r\n"
    assert stat.S_IMODE(net.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, net]


def test_a_failed_write_leaves_the_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text("old")

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("shutil.copymode", full)
    with pytest.raises(OSError, match="no space"):
        write_text(net, "new")
    assert net.read_text() == "old"
    assert list(tmp_path.iterdir()) == [net]

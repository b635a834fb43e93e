"""Image lists and window files, line by line, as Caffe takes them apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.data.lists import atoi, lines_of
from nanlint.data.records import Windows
from nanlint.engine.case_data import make
from tests.data.sources import account


@pytest.mark.parametrize(
    ("line", "name", "label"),
    [
        ("a.png 3", "a.png", 3),
        ("my cat.png 3\r", "my cat.png", 3),
        ("a.png", "a.png", 0),
        ("a.png\t3", "a.png\t3", 0),
        ("a.png 3 ", "a.png 3", 0),
        ("a.png cat", "a.png", 0),
        ("", "", 0),
    ],
)
def test_a_line_is_cut_at_its_last_blank(line: str, name: str, label: int) -> None:
    (found,) = lines_of(line + "\n")
    assert (found.name, found.label) == (name, label)


@pytest.mark.parametrize(("text", "number"), [("7", 7), (" -2x", -2), ("x", 0), ("", 0), ("99999999999999", 0)])
def test_atoi(text: str, number: int) -> None:
    assert atoi(text) == number


def image(folder: Path, name: str, size: str = "4x4x3") -> None:
    make("image", f"data: {size} = 0..255\n", folder / name)


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("a.png 1", []),
        ("a.png", ["line-without-label"]),
        ("a.png,1", ["line-separator", "image-missing"]),
        ("", ["line-blank", "image-missing"]),
        ("b.png 1", ["image-missing"]),
        ("page.png 1", ["image-corrupt"]),
    ],
)
def test_what_is_wrong_with_a_line(tmp_path: Path, line: str, kinds: list[str]) -> None:
    image(tmp_path, "a.png")
    (tmp_path / "page.png").write_text("<!DOCTYPE html>")
    (tmp_path / "list.txt").write_text(f"a.png 0\n{line}\n")
    faults = account("images", tmp_path / "list.txt").faults
    assert [one.kind for one in faults] == kinds
    assert all(one.at == 1 and one.where.startswith("line 2") for one in faults)


BLOCK = "# {}\na.png\n3\n4\n4\n2\n1 0.9 0 0 3 3\n0 0.1 0 0 1 1\n"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (BLOCK.format(0), []),
        (BLOCK.format(7), ["window-index"]),
        (BLOCK.format(0).replace("1 0.9", "0 0.9"), ["window-class"]),
        (BLOCK.format(0).replace("3 3", "3 4"), ["window-box"]),
        (BLOCK.format(0).replace("3\n4\n4", "3\n9\n9"), ["window-size"]),
        (BLOCK.format(0).replace("a.png", "b.png"), ["image-missing"]),
        (BLOCK.format(0)[:20], ["window-broken"]),
        ("x", ["window-broken"]),
        ("", ["windows-empty"]),
    ],
)
def test_what_is_wrong_with_a_window_file(tmp_path: Path, text: str, kinds: list[str]) -> None:
    image(tmp_path, "a.png")
    (tmp_path / "windows.txt").write_text(text)
    found = account("windows", tmp_path / "windows.txt")
    assert [one.kind for one in found.faults] == kinds
    assert isinstance(found.content, Windows)

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from nanlint.safety import reading


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_bytes(b"name: 1")
    assert reading.is_there(file)
    assert reading.is_regular(file)
    assert reading.read_regular(file) == reading.read_named(file) == b"name: 1"


def test_no_more_than_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_bytes(b"12345")
    assert reading.read_regular(file, most=5) == b"12345"
    for read in (reading.read_regular, reading.read_named):
        with pytest.raises(reading.TooLargeError):
            read(file, most=4)
    with pytest.raises(reading.TooLargeError):
        reading.read_stream(io.BytesIO(b"12345"), "-", most=4)


def test_what_is_no_regular_file_is_neither_waited_for_nor_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path("/dev/zero")):
        assert reading.is_there(path)
        assert not reading.is_regular(path)
        with pytest.raises(OSError, match="not a regular file|directory"):
            reading.read_regular(path)


@pytest.mark.parametrize("name", ["x" * 5000, "x" * 300, "a\0b", "", "missing", "net.prototxt/below"])
def test_names_of_nothing(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.prototxt").touch()
    assert not reading.is_there(name)
    assert not reading.is_regular(name)
    assert not reading.is_folder(name)
    with pytest.raises(OSError, match="."):
        reading.read_regular(name)


def test_the_first_that_is_there(tmp_path: Path) -> None:
    file = tmp_path / "net.prototxt"
    file.touch()
    assert reading.first_there([tmp_path / "no", tmp_path, file]) == tmp_path
    assert reading.first_regular([tmp_path / "no", tmp_path, file]) == file
    assert reading.first_regular([tmp_path]) is None

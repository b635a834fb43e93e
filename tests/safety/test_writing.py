from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nanlint.safety.writing import replace_file


def test_mode_bytes_and_symbolic_links_stay(tmp_path: Path) -> None:
    net, link = tmp_path / "net.prototxt", tmp_path / "link.prototxt"
    net.write_bytes(b"old")
    net.chmod(0o640)
    link.symlink_to(net)
    replace_file(link, b"caf\xe9\r\n")
    assert net.read_bytes() == b"caf\xe9\r\n"
    assert stat.S_IMODE(net.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, net]


def test_hard_links_stay(tmp_path: Path) -> None:
    net, other = tmp_path / "net.prototxt", tmp_path / "other.prototxt"
    net.write_text("a longer text than the next")
    os.link(net, other)
    replace_file(net, b"new")
    assert other.read_text() == net.read_text() == "new"
    assert net.stat().st_ino == other.stat().st_ino


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays(tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text("old")
    os.chown(net, 1234, 1235)
    net.chmod(0o4755)
    replace_file(net, b"new")
    after = net.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (1234, 1235, 0o4755)


def test_a_file_without_write_permission_is_left_alone(tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text("old")
    net.chmod(0o444)
    with pytest.raises(PermissionError):
        replace_file(net, b"new")
    assert net.read_text() == "old"


def test_a_new_file_has_the_mode_of_new_files(tmp_path: Path) -> None:
    (tmp_path / "made").touch()
    replace_file(tmp_path / "net.prototxt", b"new")
    assert (tmp_path / "net.prototxt").read_bytes() == b"new"
    assert (tmp_path / "net.prototxt").stat().st_mode == (tmp_path / "made").stat().st_mode


def test_a_folder_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no regular file"):
        replace_file(tmp_path, b"new")


@pytest.mark.parametrize("names", [1, 2])
def test_a_failed_write_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: int
) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text("old")
    if names == 2:
        os.link(net, tmp_path / "other")
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 1:
            raise OSError(28, "no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        replace_file(net, b"new and longer")
    assert net.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == names

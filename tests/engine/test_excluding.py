"""Patterns that leave files out of folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint.config import Settings, UsageError
from nanlint.engine.excluding import excluder


def left_out(folder: Path, settings: Settings, path: str, is_folder: bool = False) -> bool:
    return excluder(settings)(str(folder / path), is_folder)


def test_patterns_are_seen_from_the_configuration(tmp_path: Path) -> None:
    patterns = ("/old/", "*.deploy.prototxt", "!keep.deploy.prototxt")
    settings = Settings(exclude=patterns, file=str(tmp_path / "nanlint.toml"))
    assert left_out(tmp_path, settings, "old", is_folder=True)
    assert not left_out(tmp_path, settings, "models/old", is_folder=True)
    assert left_out(tmp_path, settings, "models/a.deploy.prototxt")
    assert not left_out(tmp_path, settings, "models/keep.deploy.prototxt")
    assert not left_out(tmp_path.parent, settings, "a.deploy.prototxt")


def test_what_is_no_pattern_is_said_in_a_configuration_and_passed_over_in_gitignore(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exclude: `!` is no pattern"):
        excluder(Settings(exclude=("!",)))
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_bytes(b"!\n\x00\xff\nold.prototxt\n")
    assert left_out(tmp_path, Settings(), "old.prototxt")
    assert not left_out(tmp_path, Settings(respect_gitignore=False), "old.prototxt")


def test_a_gitignore_that_is_no_file_ignores_nothing(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").mkdir()
    assert not left_out(tmp_path, Settings(), "a.prototxt")

"""Real files: each ends in findings or in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanlint import engine

SAMPLE = 12  # every 12th file in the default run


def corpus(shared: Path) -> list[str]:
    index = (shared / "corpus" / "index.tsv").read_text().splitlines()[1:]
    return [str(shared / "corpus" / line.split("\t", 1)[0]) for line in index]


def failures(paths: list[str]) -> list[str]:
    """What went wrong, file by file, in one process."""
    found: list[str] = []
    for path in paths:
        found += engine.check([path]).failures
    return found


def test_a_sample_of_real_files_goes_through(shared: Path) -> None:
    assert failures(corpus(shared)[::SAMPLE]) == []


@pytest.mark.slow
def test_every_real_file_goes_through(shared: Path) -> None:
    assert failures(corpus(shared)) == []


@pytest.mark.slow
def test_all_of_them_in_one_call(shared: Path) -> None:
    report = engine.check(corpus(shared))
    assert report.failures == ()
    assert len(report.files) >= len(corpus(shared))

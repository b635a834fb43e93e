"""Where the tests find the material that is kept beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-expected",
        action="store_true",
        help="write what the examples give now to tests/expected",
    )


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of facts, corpus and oracle; the test skips itself where there is none."""
    folder = Path(os.environ.get("NANLINT_SHARED", PROJECT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing: set NANLINT_SHARED to the folder of facts, corpus and oracle")
    return folder

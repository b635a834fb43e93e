"""Real editors, headless, against the real server; each skips itself where the editor is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.server.test_project import NET, SOLVER

pytest.importorskip("pygls")

DRIVERS = Path(__file__).with_name("editors")

pytestmark = pytest.mark.slow


@pytest.fixture
def net(tmp_path: Path) -> Path:
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    path = tmp_path / "net.prototxt"
    path.write_text(NET.replace("num_output: 5", "num_outputs: 5"))
    return path


def driven(command: list[str], net: Path) -> str:
    environment = {
        **os.environ,
        "HOME": str(net.parent),
        "NANLINT_FILE": str(net),
        "NANLINT_PYTHON": sys.executable,
        "PYTHONPATH": str(PROJECT),
    }
    done = subprocess.run(command, cwd=net.parent, env=environment, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def test_neovim_shows_findings_and_applies_a_fix(net: Path) -> None:
    if shutil.which("nvim") is None:
        pytest.skip("there is no Neovim on this machine")
    script = "-l" if _takes_scripts() else "-S"
    out = driven(["nvim", "--headless", "-u", "NONE", script, str(DRIVERS / "neovim.lua")], net)
    before, after = (
        {line for line in out.splitlines() if line.startswith(word) and "TXT" in line} for word in ("before", "after")
    )
    assert before, out
    assert not after, out
    assert "hover **num_output**" in out


def _takes_scripts() -> bool:
    """Whether this Neovim runs a script by `-l` (0.9 and later)."""
    shown = subprocess.run(["nvim", "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = shown.splitlines()[0].split("v")[1].split(".")[:2]
    return (int(major), int(minor)) >= (0, 9)


def test_emacs_shows_findings_and_applies_a_fix(net: Path) -> None:
    if shutil.which("emacs") is None:
        pytest.skip("there is no Emacs on this machine")
    listed = ["emacs", "-q", "--batch", "--eval", "(princ (require 'eglot nil t))"]
    if "eglot" not in subprocess.run(listed, capture_output=True, text=True, check=False).stdout:
        pytest.skip("this Emacs has no eglot")
    out = driven(["emacs", "-q", "--batch", "-l", str(DRIVERS / "emacs.el")], net)
    assert any(line.startswith("before") and "num_outputs" in line for line in out.splitlines()), out
    assert not any(line.startswith("after") and "num_outputs" in line for line in out.splitlines()), out

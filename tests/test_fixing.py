"""`--fix`, `--unsafe-fixes` and `--diff`, in files and through standard input."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

SOLVER = 'net: "net.prototxt"\nbase_lr: 0.01\nlr_policy: "Fixed"\nmax_iter: 100\ndisplay: 10\nsnapshot_prefix: "run"\n'
NET = (PROJECT / "examples" / "cases" / "net.prototxt").read_text()
WIDE = NET.replace('type: "xavier"', 'type: "gaussian" value: 0.01')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.prototxt").write_text(WIDE)
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    return tmp_path


def nanlint(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "nanlint", *arguments]
    return subprocess.run(
        command, cwd=folder, input=stdin, capture_output=True, text=True, check=False, env=environment
    )


def test_safe_fixes_leave_what_needs_a_look(folder: Path) -> None:
    done = nanlint(folder, "solver.prototxt", "net.prototxt", "--fix")
    assert 'lr_policy: "fixed"' in (folder / "solver.prototxt").read_text()
    assert (folder / "net.prototxt").read_text() == WIDE
    assert "fixed 1 finding in `solver.prototxt`" in done.stderr
    assert "(`--unsafe-fixes` does it; look at it first)" in done.stdout


def test_unsafe_fixes_make_the_others_too(folder: Path) -> None:
    done = nanlint(folder, "solver.prototxt", "net.prototxt", "--unsafe-fixes")
    assert done.returncode == 0
    assert (folder / "net.prototxt").read_text() == WIDE.replace("value: 0.01", "std: 0.01")
    again = nanlint(folder, "solver.prototxt", "net.prototxt", "--unsafe-fixes")
    assert again.stdout == "nothing found in 2 files\n"
    assert again.stderr == ""


def test_a_diff_shows_the_fixes_and_makes_none(folder: Path) -> None:
    done = nanlint(folder, "solver.prototxt", "net.prototxt", "--diff")
    assert done.returncode == 1
    assert '-lr_policy: "Fixed"\n+lr_policy: "fixed"\n' in done.stdout
    assert "std" not in done.stdout
    assert (folder / "solver.prototxt").read_text() == SOLVER
    both = nanlint(folder, "solver.prototxt", "net.prototxt", "--diff", "--unsafe-fixes")
    assert "std: 0.01" in both.stdout


def test_standard_input_is_printed_with_its_fixes(folder: Path) -> None:
    done = nanlint(folder, "-", "--stdin-filename", "solver.prototxt", "--fix", stdin=SOLVER)
    assert done.stdout == SOLVER.replace("Fixed", "fixed")
    assert (folder / "solver.prototxt").read_text() == SOLVER
    assert "in 2 files" in done.stderr


def test_standard_input_without_a_fix_is_printed_as_it_is(folder: Path) -> None:
    fixed = SOLVER.replace("Fixed", "fixed")
    assert nanlint(folder, "-", "--stdin-filename", "solver.prototxt", "--fix", stdin=fixed).stdout == fixed

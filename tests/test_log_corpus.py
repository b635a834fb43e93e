"""Logs of a real Caffe with the truth beside them, and public ones: the least shares that are to be right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

EXACT = ("losses", "lr", "tests", "outputs", "outcome", "failure", "healthy: quiet")
FLOORS = {
    **dict.fromkeys(EXACT, 100),
    "first bad: debug": 98,
    "first bad: scores": 98,
    "cause: acceptable": 92,
    "cause: first is acceptable": 85,
    "layer named": 85,
}


@pytest.mark.slow
def test_made_and_public_logs(shared: Path, tmp_path: Path) -> None:
    judge, figures = shared / "logs" / "score_logs.py", tmp_path / "figures.json"
    if not judge.is_file():
        pytest.skip(f"{judge} is missing")
    command = [sys.executable, str(judge), "--nanlint", f"{sys.executable} -m nanlint", "--json", str(figures)]
    done = subprocess.run(
        [*command, "--floors", json.dumps(FLOORS)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(figures.read_text())
    assert found["no_answer"] == found["real_no_answer"] == 0
    for kind, (right, of) in found["real"].items():
        assert right >= of * (0.95 if kind == "healthy: quiet" else 1), kind

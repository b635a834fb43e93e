"""Streams that are closed or full, a working directory that is gone, Ctrl-C: one line, and the right status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CALL = f'"{sys.executable}" -m nanlint'
NET = 'layer { name: "a" type: "Input" top: "a" input_param { shape { dim: 1 } } }\n'


def run(call: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    return subprocess.run(
        ["/bin/sh", "-c", call], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("net.prototxt >&-", "cannot write to standard output: it is closed"),
        ("- <&-", "cannot read standard input: it is closed"),
        ("net.prototxt >/dev/full", "cannot write to standard output: no space left on device"),
        ("rules >/dev/full", "cannot write to standard output: no space left on device"),
        ("shapes --output-format json net.prototxt >/dev/full", "cannot write to standard output: no space left"),
    ],
)
def test_one_line_and_status_2(tmp_path: Path, call: str, said: str) -> None:
    (tmp_path / "net.prototxt").write_text(NET)
    done = run(f"{CALL} {call}", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"nanlint: {said}")
    assert done.stderr.count("\n") == 1


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    net, gone = tmp_path / "net.prototxt", tmp_path / "gone"
    net.write_text(NET)
    gone.mkdir()
    done = run(f"rmdir {gone}; {CALL} {net}; {CALL} other.prototxt", gone)
    assert done.stdout == "nothing found in 1 file\n"
    assert done.stderr == "nanlint: the working directory exists no more; call nanlint from another\n"
    assert done.returncode == 2


def test_an_interrupt_is_silent_and_seen_by_the_caller(tmp_path: Path) -> None:
    program = (
        "import os, signal\n"
        "from nanlint.commands.console import guarded\n"
        "guarded(lambda: os.kill(os.getpid(), signal.SIGINT) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGINT
    assert done.stderr == ""

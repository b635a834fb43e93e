"""Calls of the command line in this process, in a folder with a solver that is wrong and one that is not."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from nanlint.__main__ import run

BAD = """net: "net.prototxt"
base_lr: 0.01
lr_policy: "staircase"
max_iter: 10
snapshot_prefix: "x"
display: 1
"""
GOOD = BAD.replace("staircase", "fixed")
NET = """layer {
  name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param {
    data_filler { type: "gaussian" }
    data_filler { type: "constant" }
    shape { dim: 4 dim: 3 } shape { dim: 4 }
  }
}
layer {
  name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } }
}
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }
"""



class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class Call(Protocol):
    def __call__(self, *arguments: str, folder: Path = ..., stdin: str = "", **environment: str) -> Done: ...


def small_project(folder: Path) -> Path:
    """Writes `bad.prototxt`, `good.prototxt` and their `net.prototxt`; the folder."""
    (folder / "bad.prototxt").write_text(BAD)
    (folder / "good.prototxt").write_text(GOOD)
    (folder / "net.prototxt").write_text(NET)
    return folder


def caller(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """What runs a command line, in the project's folder where the call names no other."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str, folder: Path = project, stdin: str = "", **environment: str) -> Done:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["nanlint", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with monkeypatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            with pytest.raises(SystemExit) as left:
                run()
        status = left.value.code
        return Done(status if isinstance(status, int) else 0, *capsys.readouterr())

    return call

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from nanlint.commands.check import Linted
from nanlint.commands.watching import watch


def test_a_change_lints_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("watchfiles")
    net = tmp_path / "net.prototxt"
    net.write_text("name: 'a'\n")
    runs: list[int] = []

    class Enough(Exception):  # noqa: N818
        pass

    def run() -> Linted:
        runs.append(1)
        if len(runs) == 2:
            raise Enough
        threading.Timer(0.3, net.write_text, ["name: 'b'\n"]).start()
        return Linted(0, (str(net),))

    began = time.monotonic()
    with pytest.raises(Enough):
        watch(run, [str(net)])
    assert time.monotonic() - began < 30
    assert "watching 1 file;" in capsys.readouterr().err

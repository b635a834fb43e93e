"""A running job's log, as it grows."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from nanlint.commands import log
from nanlint.logs.files import Tail
from tests.logs.samples import DONE, begun, shown

pytest.importorskip("watchfiles")


def text(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def test_lines_are_taken_as_they_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text(text(*begun(), *shown(0, 1.5)))
    tail = Tail(str(path))
    assert not tail.more()
    assert list(tail.log.losses.values) == [1.5]
    with path.open("a") as file:
        file.write(shown(10, 1.25)[0][:-2])
        file.flush()
        tail.more()
        assert list(tail.log.losses.values) == [1.5]
        file.write("25\n")
        file.flush()
        tail.more()
    assert list(tail.log.losses.values) == [1.5, 1.25]


def test_a_log_that_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text(text(*begun(), *shown(0, 1.5)))
    tail = Tail(str(path))
    tail.more()
    path.write_text(text(*shown(0, 0.5)))
    assert tail.more()
    assert list(tail.log.losses.values) == [0.5]


def test_each_loss_is_shown_within_a_second_until_the_run_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "train.log"
    path.write_text(text(*begun(), *shown(0, 1.5)))

    def work() -> None:
        for lines in (shown(10, 40.0), shown(20, "nan"), DONE):
            time.sleep(0.3)
            with path.open("a") as file:
                file.write(text(*lines))

    worker = threading.Thread(target=work)
    began = time.monotonic()
    worker.start()
    assert log.run(log.Options(str(path), follow=True)) == 1
    worker.join()
    said = capsys.readouterr().out
    assert time.monotonic() - began < 20
    assert said.index("0  loss 1.5") < said.index("10  loss 40") < said.index("20  loss nan")
    assert said.index("rate-too-high") < said.index("finished")


def test_a_run_that_has_ended_is_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.log"
    path.write_text(text(*begun(), *shown(0, 1.5), *DONE))
    assert log.run(log.Options(str(path), follow=True)) == 0
    assert "the run has ended" in capsys.readouterr().err

"""Nets held against what a real Caffe did with them: refused or built, and with which shapes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nanlint.caffe.load import load_solver
from nanlint.caffe.model import Solver, ends_setup
from nanlint.caffe.options import Options
from nanlint.schema.dialect import Dialect

PINNED = Options(Dialect.BVLC)
# a database, or a case where the judge leaves out a layer that is called like an automatic split
UNDECIDABLE = {"upgrade/0170", "net_graph/0207"}


def cases(shared: Path, family: str) -> Iterator[dict[str, Any]]:
    with (shared / "oracle" / "cases" / f"{family}.jsonl").open() as lines:
        for line in lines:
            case = json.loads(line)
            if (
                not any(case.get(key) for key in ("chancy", "args", "lmdb", "leveldb"))
                and case["id"] not in UNDECIDABLE
            ):
                yield case


def lay_out(case: dict[str, Any], folder: Path) -> None:
    for name, text in case["files"].items():
        plain = (
            text.encode("utf-8", "surrogateescape")
            if isinstance(text, str)
            else base64.b64decode(text["base64"])
        )
        (folder / name).write_bytes(plain)


def refuses(solver: Solver) -> bool:
    texts = {id(net.bound): net.bound for net in solver.nets}
    found = [*solver.bound.problems, *(problem for bound in texts.values() for problem in bound.problems)]
    return any(map(ends_setup, found)) or any(net.refused for net in solver.nets)


@pytest.mark.parametrize("family", ["net_graph", "upgrade", "fillers"])
def test_nets_are_refused_and_built_as_by_caffe(
    shared: Path, family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = []
    for number, case in enumerate(cases(shared, family)):
        folder = tmp_path / str(number)
        folder.mkdir()
        lay_out(case, folder)
        monkeypatch.chdir(folder)
        solver = load_solver("solver.prototxt", PINNED)
        outcome = case["caffe"]["outcome"]
        if outcome in ("ok", "run_error") and refuses(solver):
            wrong.append((case["id"], "refused"))
        elif outcome == "setup_error" and not refuses(solver):
            reason = case["caffe"]["failure"]["message"]
            wrong += [(case["id"], reason)] if "engine" not in reason else []
        elif outcome == "ok" and shapes(solver) != theirs(case):
            wrong.append((case["id"], "shapes"))
    assert not wrong


def shapes(solver: Solver) -> list[list[list[object]]]:
    return [
        [[layer.name, top.name, list(top.shape or ())] for layer in net.layers for top in layer.tops]
        for net in solver.nets
    ]


def theirs(case: dict[str, Any]) -> list[list[list[object]]]:
    return [net["tops"] for net in case["caffe"]["nets"]]

"""The referees: Caffe's own parser, as the oracle recorded it, and protobuf's Python parser on real files."""

from __future__ import annotations

import base64
import csv
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from google.protobuf import text_format

from nanlint.findings import Problem
from nanlint.schema.bind import bind
from nanlint.schema.descriptors import message_class
from nanlint.schema.dialect import Dialect
from nanlint.text.parser import parse
from nanlint.text.source import Source

_ERROR = re.compile(r"text-format caffe\.(\w+): (?:(\d+):(\d+): )?(.*)")
_TO_NEXT_TOKEN = re.compile(r"(?:[ \t\r\n\f\v]|#[^\n]*)*[:=]?(?:[ \t\r\n\f\v]|#[^\n]*)*")
_UNREACHED = "solver_net/0269"
"""Its solver fails before Caffe opens its net, which has a brace too few."""


class Case(NamedTuple):
    """A prototxt of the oracle, and the complaint of the parser in Caffe, if it had one."""

    id: str
    source: Source
    type_name: str
    complaint: re.Match[str] | None


def cases(folder: Path) -> Iterator[Case]:
    for family in sorted((folder / "oracle" / "cases").glob("*.jsonl")):
        for line in family.read_text(encoding="utf-8").splitlines():
            yield from files_of(json.loads(line))


def files_of(case: dict[str, Any]) -> Iterator[Case]:
    complaint = _ERROR.search(case["caffe"].get("proto_error") or "")
    files = {name: data for name, data in case["files"].items() if name.endswith(".prototxt")}
    nets = [name for name in files if "solver" not in name]
    for name, content in files.items():
        type_name = "NetParameter" if name in nets else "SolverParameter"
        mine = complaint if complaint and complaint[1] == type_name else None
        if mine and name in nets and len(nets) > 1:
            continue
        if isinstance(content, dict):
            data = base64.b64decode(content["base64"])
        else:
            data = content.encode("utf-8", "surrogateescape")
        yield Case(case["id"], Source.decode(name, data), type_name, mine)


def refusals(case: Case) -> list[Problem]:
    bound = bind(parse(case.source), case.type_name, Dialect.BVLC)
    return [problem for problem in bound.problems if problem.kind != "empty-file"]


def offset(source: Source, line: int, column: int) -> int:
    """The offset of a place as protobuf counts: columns are bytes, and a tab goes on to the next 8."""
    data = source.text.encode("utf-8", "surrogateescape").split(b"\n")
    before, row = data[: line - 1], data[line - 1] if line <= len(data) else b""
    seen = at = 0
    while at < len(row) and seen < column - 1:
        seen = (seen // 8 + 1) * 8 if row[at : at + 1] == b"\t" else seen + 1
        at += 1
    return len(b"\n".join([*before, row[:at]]).decode("utf-8", "surrogateescape"))


def test_caffe_and_nanlint_refuse_the_same_files(shared: Path) -> None:
    wrong = [
        case.id for case in cases(shared) if case.id != _UNREACHED and bool(refusals(case)) != bool(case.complaint)
    ]
    assert not wrong


def test_caffe_and_nanlint_refuse_at_the_same_place(shared: Path) -> None:
    """Caffe names the token at which it stopped: in our span, or next after it."""
    elsewhere = []
    for case in cases(shared):
        if case.complaint and case.complaint[2]:
            start, end = refusals(case)[0].place.span
            after = _TO_NEXT_TOKEN.match(case.source.text, end)
            assert after is not None
            if not start <= offset(case.source, int(case.complaint[2]), int(case.complaint[3])) <= after.end():
                elsewhere.append((case.id, case.complaint[0]))
    assert not elsewhere


def test_values_are_those_that_caffe_echoes(shared: Path) -> None:
    """Caffe prints the solver that it read, and protobuf reads that print back: the same as our message."""
    compared = 0
    for line in (shared / "oracle" / "cases" / "text_format.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        echo = (case["caffe"].get("echo") or {}).get("solver")
        written = case["files"].get("solver.prototxt")
        if not echo or not isinstance(written, str):
            continue
        theirs: Any = message_class("SolverParameter")()
        text_format.Parse(echo, theirs)
        ours: Any = bind(parse(Source("solver.prototxt", written)), "SolverParameter").message
        for field, value in ours.ListFields():
            if field.name in ("train_state", "test_state", "snapshot_prefix", "solver_type"):
                continue
            echoed = getattr(theirs, field.name)
            same = echoed == value or (isinstance(value, float) and math.isnan(value) and math.isnan(echoed))
            close = isinstance(value, float) and math.isclose(value, echoed, rel_tol=1e-5)
            assert same or close, (case["id"], field.name)
            compared += 1
    assert compared > 500


def test_sound_files_of_the_corpus_read_as_protobuf_reads_them(shared: Path) -> None:
    index = shared / "corpus" / "index.tsv"
    with index.open(encoding="utf-8", newline="") as rows:
        sound = [row for row in csv.DictReader(rows, delimiter="\t") if row["parse_ok"] == "1"]
    assert len(sound) > 400
    for row in sound[::8]:
        compare_with_protobuf(shared / "corpus" / row["path"], row["class"])


@pytest.mark.slow
def test_every_sound_file_of_the_corpus_reads_as_protobuf_reads_it(shared: Path) -> None:
    with (shared / "corpus" / "index.tsv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            if row["parse_ok"] == "1":
                compare_with_protobuf(shared / "corpus" / row["path"], row["class"])


def compare_with_protobuf(path: Path, kind: str) -> None:
    source = Source.decode(str(path), path.read_bytes())
    type_name = "SolverParameter" if kind == "solver" else "NetParameter"
    bound = bind(parse(source), type_name, Dialect.BVLC)
    assert not [problem for problem in bound.problems if problem.kind != "empty-file"], path
    theirs = message_class(type_name)()
    text_format.Parse(source.text, theirs)
    assert bound.message == theirs, path

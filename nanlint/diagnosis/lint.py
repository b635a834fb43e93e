"""The solver and the nets of a run, built and linted as any others; places lead back to lines of the log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nanlint.caffe.model import Layer, Net, Solver
from nanlint.config import Settings
from nanlint.findings import Finding, Severity
from nanlint.logs.model import TEST, TRAIN, Run

_NET = re.compile(r"^(?:net|train_net|test_net): .*$", re.MULTILINE)
_TESTS = re.compile(r"^(?:test_\w+): .*$", re.MULTILINE)
_MODELS = re.compile(r"^(?:weights|snapshot): .*$", re.MULTILINE)
_OF_SOLVERS = ("SOL", "LR", "OPT", "TXT")


class Linted(NamedTuple):
    """What nanlint knows of a run before it starts. `starts`: the log's line of each echo, by path."""

    findings: tuple[Finding, ...] = ()
    solver: Solver | None = None
    train: Net | None = None
    starts: dict[str, int] = {}  # noqa: RUF012

    def line(self, finding: Finding) -> int | None:
        """The line of the log that a finding is about; None where it is about a file."""
        start = self.starts.get(finding.place.source.path)
        return None if start is None else start + finding.place.start.line - 1

    def of(self, names: Sequence[str], layer: str | None = None) -> Iterator[Finding]:
        """The findings of rules, in the order of their names; with a layer its own alone."""
        for name in names:
            for finding in self.findings:
                if finding.name == name and (layer is None or finding.layer == layer):
                    yield finding

    def first(self, names: Sequence[str], layer: str | None = None) -> Finding | None:
        """The surest finding of these rules: of the layer if one is, else of any."""
        found = [*self.of(names, layer)] if layer else []
        found = found or [*self.of(names)]
        sure = [finding for finding in found if finding.severity is Severity.ERROR]
        return next(iter(sure or found), None)

    def layer(self, name: str) -> Layer | None:
        """A layer of the training net."""
        return next((layer for layer in self.train.layers if layer.name == name), None) if self.train else None


def lint_run(run: Run, log_path: str) -> Linted:
    """Lint what a run echoes. A net of which the echo breaks off is built as far as it goes, and not judged."""
    train = next((net for net in run.nets if net.phase == TRAIN), None)
    tests = [net for net in run.nets if net.phase == TEST]
    findings: list[Finding] = []
    starts: dict[str, int] = {}
    echoed = f"{log_path}: echo"  # no folder, so nothing lies beside it
    solver: Solver | None = None
    net: Net | None = None
    if run.solver is not None:
        path = f"{echoed}/solver"
        starts[path] = run.solver.start
        alone = _lint(path, {path: _unread(run.solver.text, log_path)}, {})
        solver = alone.solver
        findings += [one for one in alone.findings if one.code.startswith(_OF_SOLVERS)]
    if train is not None:
        path = called = f"{echoed}/training net"
        starts[path] = train.start
        texts = {path: train.text}
        if run.solver is not None:
            called = f"{echoed}/solver of the training net"
            starts[called] = run.solver.start
            texts[called] = _training(run.solver.text, path)
        linted = _lint(called, texts, train.shapes)
        net = linted.train
        if train.whole:
            findings += [one for one in linted.findings if not one.code.startswith("SOL")]
    for number, test in enumerate(tests):
        path = f"{echoed}/test net #{number}"
        starts[path] = test.start
        if test.whole:
            findings += _lint(path, {path: test.text}, test.shapes).findings
    return Linted(tuple(_distinct(findings, starts)), solver, net, starts)


def lint_files(solver_path: str) -> Linted:
    """Lint a solver on disk with its nets."""
    return _lint(solver_path, {}, {})


def _lint(path: str, texts: dict[str, str], shapes: dict[str, tuple[int, ...]]) -> Linted:
    from nanlint import engine
    from nanlint.engine.load import open_all

    settings = Settings(inputs={blob: shape for blob, shape in shapes.items() if shape}, data="no")
    opened = open_all([path], settings, distinct=True, overlays=texts)
    report = engine.judged(opened, settings)
    if not opened.loaded:
        return Linted(report.findings)
    solver = opened.loaded[0].solver
    train = solver.train_net if solver else next(iter(opened.loaded[0].nets), None)
    return Linted(report.findings, solver, train)


def _unread(solver: str, log_path: str) -> str:
    """The solver with nets of which nothing is known, line for line."""

    def renamed(line: re.Match[str]) -> str:
        return f'{line[0].partition(":")[0]}: "{_quoted(log_path)}: not read"'

    return _NET.sub(renamed, _MODELS.sub("", solver))


def _training(solver: str, path: str) -> str:
    """The solver with the echoed training net alone, line for line."""
    without = _NET.sub("", _TESTS.sub("", _MODELS.sub("", solver)))
    return f'{without.rstrip()} train_net: "{_quoted(path)}"'


def _quoted(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _distinct(findings: Sequence[Finding], starts: dict[str, int]) -> Iterator[Finding]:
    """Each claim about a line of the log once."""
    seen = set()
    for finding in findings:
        place = finding.place
        key = (finding.code, finding.layer, starts.get(place.source.path, 0) + place.start.line)
        if key not in seen:
            seen.add(key)
            yield finding

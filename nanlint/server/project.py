"""The open texts of an editor, and what the last run over each of them found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from nanlint import config
from nanlint.caffe.model import Layer, Net, Solver
from nanlint.engine import judged
from nanlint.engine.files import Kind, classify
from nanlint.engine.load import Loaded, open_all
from nanlint.findings import Finding
from nanlint.text.parser import parse
from nanlint.text.source import Source
from nanlint.text.tree import Document


class Ran(NamedTuple):
    """One run over a file: its findings, the files that it met, and what was built."""

    findings: tuple[Finding, ...]
    files: frozenset[str]
    loaded: Sequence[Loaded]
    failures: tuple[str, ...]


_one_at_a_time = Lock()
"""A run sets which schema is in use, so no two may run at once."""

NOTHING = Ran((), frozenset(), (), ())


class Project:
    """Paths are absolute. The texts are those that an editor holds open, saved or not."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._ran: dict[str, Ran] = {}
        self._parsed: dict[str, Document] = {}

    def opened(self, path: str, text: str) -> None:
        self.texts[path] = text

    def closed(self, path: str) -> None:
        """Forget an open text; what its run found elsewhere goes with it."""
        self.texts.pop(path, None)
        self._ran.pop(path, None)
        self._parsed.pop(path, None)

    def roots(self, path: str) -> list[str]:
        """The open files whose runs meet a file: those to lint again when it changes."""
        through = [root for root, ran in self._ran.items() if path in ran.files and root in self.texts]
        return list(dict.fromkeys([*([path] if path in self.texts else []), *through]))

    def keep(self, root: str, ran: Ran) -> set[str]:
        """Take in what a run found; the files whose findings may now be others."""
        before = self._ran.get(root, NOTHING)
        self._ran[root] = ran
        return {root, *before.files, *ran.files}

    def findings(self, path: str) -> list[Finding]:
        """What the runs found in a file, each finding once, in the order of their places."""
        seen: dict[tuple[object, ...], Finding] = {}
        for ran in self._ran.values():
            for one in ran.findings:
                if one.place.source.path == path:
                    seen.setdefault((one.code, one.place.span, one.message), one)
        return sorted(seen.values(), key=lambda one: one.place.span)

    def document(self, path: str) -> Document | None:
        """A file as it stands in the editor, or on the disk, parsed; None where it cannot be read."""
        text = self.texts.get(path)
        if text is None:
            try:
                text = Source.decode(path, Path(path).read_bytes()).text
            except OSError:
                return None
        known = self._parsed.get(path)
        if known is None or known.source.text != text:
            known = self._parsed[path] = parse(Source(path, text))
        return known

    def loaded(self, path: str) -> list[Loaded]:
        """What was built of a file as it stands now: through the solvers of the runs that met it, or alone.

        While another lint is at work, what was built of an earlier text, if there is any.
        """
        of_text = self._built(path, self.texts.get(path))
        if of_text:
            return of_text
        earlier = self._built(path, None)
        if earlier and _one_at_a_time.locked():
            return earlier
        self.keep(path, lint(path, dict(self.texts)))
        return self._built(path, None)

    def _built(self, path: str, text: str | None) -> list[Loaded]:
        """What the runs built of a file, where it had this text (None: any)."""
        found = {
            id(one): one
            for ran in self._ran.values()
            for one in ran.loaded
            for bound in one.bounds
            if bound.source.path == path and (text is None or bound.source.text == text)
        }
        return list(found.values())

    def nets(self, path: str) -> list[Net]:
        """The nets that a file is the text of."""
        found = [net for one in self.loaded(path) for net in one.nets if net.bound.source.path == path]
        return list({id(net): net for net in found}.values())

    def layers(self, path: str, route: str) -> list[Layer]:
        """The layers that stand at a route of a file (`layer[3]`): one a net that keeps it."""
        return [layer for net in self.nets(path) for layer in net.layers if layer.origin.route == route]

    def solver(self, path: str) -> Solver | None:
        """The solver that a file is, if it is one."""
        return next((one.solver for one in self.loaded(path) if one.solver is not None and one.path == path), None)

    def kind(self, path: str) -> Kind:
        document = self.document(path)
        return classify(document, path) if document is not None else Kind.OTHER


def lint(root: str, texts: Mapping[str, str]) -> Ran:
    """Lint one file with the open texts in place of what is on the disk, under the nearest configuration.

    A configuration that is wrong is a failure, and the defaults hold.
    """
    with _one_at_a_time:
        return _lint(root, texts)


def _lint(root: str, texts: Mapping[str, str]) -> Ran:
    failures: Iterable[str] = ()
    try:
        settings = config.load(Path(root).parent)
    except config.UsageError as wrong:
        settings, failures = config.Settings(), [str(wrong)]
    opened = open_all([root], settings, distinct=True, overlays=texts)
    try:
        report = judged(opened, settings)
    except config.UsageError as wrong:
        report, failures = judged(opened, config.Settings()), [str(wrong)]
    files = frozenset(os.path.normpath(path) for path in report.files)
    return Ran(report.findings, files, opened.loaded, (*failures, *report.failures))

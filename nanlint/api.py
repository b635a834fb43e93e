"""nanlint from Python: what the command line finds, the nets as Caffe would build them, and rules of one's own.

These names stay: what is not among them may change from one version to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike, fspath

from nanlint import engine
from nanlint.caffe.model import Layer, Net, Solver
from nanlint.config import Settings
from nanlint.engine.load import Loaded, open_all
from nanlint.findings import Effect, Finding, Fix, Problem, Report, Severity
from nanlint.rules.registry import finding, rule

__all__ = [
    "Effect",
    "Finding",
    "Fix",
    "Layer",
    "Net",
    "Problem",
    "Report",
    "Severity",
    "Solver",
    "check",
    "finding",
    "load",
    "rule",
]


def check(
    *paths: str | PathLike[str],
    caffe: str | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    roots: Iterable[str] = (),
    inputs: Mapping[str, tuple[int, ...]] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    overlays: Mapping[str, str] | None = None,
) -> Report:
    """Lint solvers, nets and folders of them, without any configuration file.

    `inputs` gives shapes to blobs that depend on data (`{"data": (64, 3, 227, 227)}`), `ranges` their least
    and greatest values; `overlays` are unsaved texts by path, which stand for what is on the disk. What could
    not be read is in the report's `failures`. Raises UsageError for a rule or a Caffe that there is none of.
    """
    settings = Settings(
        select=tuple(select),
        ignore=tuple(ignore),
        caffe=caffe,
        roots=tuple(roots),
        inputs=inputs or {},
        ranges=ranges or {},
    )
    return engine.check([fspath(path) for path in paths], settings, overlays=overlays)


def load(
    path: str | PathLike[str],
    *,
    caffe: str | None = None,
    roots: Iterable[str] = (),
    inputs: Mapping[str, tuple[int, ...]] | None = None,
    overlays: Mapping[str, str] | None = None,
) -> Loaded:
    """A solver with its nets in the order in which Caffe creates them; of a net, its TRAIN and its TEST net.

    `.solver` is None for a net. Each of `.nets` has layers, blobs with their shapes (None: unknown),
    parameters, the problems that setting it up met, and `.graph`, a networkx digraph. Raises OSError for a
    file that cannot be read.
    """
    settings = Settings(caffe=caffe, roots=tuple(roots), inputs=inputs or {})
    opened = open_all([fspath(path)], settings, overlays=overlays)
    if opened.failures:
        raise OSError(opened.failures[0])
    return opened.loaded[0]

"""One run: find the files, load them, run the rules, merge, suppress, sort."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nanlint.caffe.load import Files, load_net, load_solver
from nanlint.caffe.model import Net
from nanlint.caffe.options import Options
from nanlint.config import Settings
from nanlint.engine.files import STDIN, Input, Kind, classify, find, reason
from nanlint.engine.fix import apply
from nanlint.engine.merge import in_order, merged
from nanlint.engine.run import Run
from nanlint.engine.select import ignored_in_file, selected
from nanlint.engine.suppress import suppress
from nanlint.findings import Report
from nanlint.schema.dialect import Dialect
from nanlint.text.source import Source

__all__ = ["check"]


_MOST_FIX_ROUNDS = 10


def check(
    paths: Sequence[str],
    settings: Settings | None = None,
    *,
    stdin: bytes = b"",
    stdin_name: str = "<stdin>",
    fix: bool = False,
) -> Report:
    """Lint files and folders; `-` is `stdin`, shown as `stdin_name`.

    With `fix` the safe fixes are made in the files, and what is left is reported. A file that cannot be
    read, a folder without prototxts or a rule that breaks is among the report's `failures`; the rest is
    linted. Raises UsageError for a setting that names no rule.
    """
    settings = settings or Settings()
    report = _once(paths, settings, stdin, stdin_name)
    rounds = _MOST_FIX_ROUNDS if fix else 0
    while rounds and apply(report.findings):
        report = _once(paths, settings, stdin, stdin_name)
        rounds -= 1
    return report


def _once(paths: Sequence[str], settings: Settings, stdin: bytes, stdin_name: str) -> Report:
    run = Run(selected(settings))
    found = find(tuple(paths))
    files = Files()
    if STDIN in paths:
        files.add(Source.decode(stdin_name, stdin))
    unreadable = _check_all([_named(given, stdin_name) for given in found.inputs], settings, files, run)
    findings = suppress(merged(run.findings), files.documents(), run)
    findings = [one for one in findings if not ignored_in_file(one, settings.per_file_ignores)]
    return Report(
        tuple(in_order(findings)),
        tuple(sorted(document.source.path for document in files.documents())),
        (*found.failures, *unreadable, *run.failures),
    )


def _named(given: Input, stdin_name: str) -> Input:
    return Input(stdin_name) if given.path == STDIN else given


def _check_all(inputs: Sequence[Input], settings: Settings, files: Files, run: Run) -> list[str]:
    """Solvers first: a net that one of them uses is linted as that solver runs it. Gives what failed."""
    options = options_of(settings)
    unreadable = []
    solvers, nets = [], []
    for given in {os.path.realpath(given.path): given for given in reversed(inputs)}.values():
        try:
            document = files.document(given.path)
        except (OSError, ValueError) as wrong:
            unreadable.append(f"cannot read `{given.path}`: {reason(wrong)}")
            continue
        kind = classify(document, given.path)
        if kind is Kind.SOLVER:
            solvers.append(given.path)
        elif kind is Kind.NET or given.listed:
            nets.append(given.path)
    for path in reversed(solvers):
        _check_solver(path, options, files, run)
    for path in reversed(nets):
        if path not in run.checked:
            _check_net(path, options, files, run)
    return unreadable[::-1]


def _check_solver(path: str, options: Options, files: Files, run: Run) -> None:
    try:
        solver = load_solver(path, options, files)
    except OSError as wrong:
        run.failures.append(f"cannot read `{wrong.filename}`: {reason(wrong)}")
        return
    except Exception as error:  # loaders record what is wrong with a file, so this is a bug
        run.broke("loading", path, error)
        return
    run.bound(solver.bound)
    run.solver(solver)
    _check_nets(solver.nets, run)


def _check_net(path: str, options: Options, files: Files, run: Run) -> None:
    try:
        nets = load_net(path, options, files)
    except Exception as error:  # loaders record what is wrong with a file, so this is a bug
        run.broke("loading", path, error)
        return
    _check_nets(nets, run)


def options_of(settings: Settings) -> Options:
    """How the loaders are to read the files."""
    dialect = Dialect(settings.caffe) if settings.caffe else Dialect.ANY
    return Options(dialect, settings.roots, settings.inputs)


def _check_nets(nets: Sequence[Net], run: Run) -> None:
    for net in nets:
        run.bound(net.bound)
        run.net(net)

"""One run: find the files, load them, run the rules, merge, suppress, sort."""

from __future__ import annotations

from collections.abc import Sequence

from nanlint.caffe.load import load_net, load_solver
from nanlint.caffe.model import Net
from nanlint.caffe.options import Options
from nanlint.config import Settings
from nanlint.engine.files import Input, Kind, classify, find, reason
from nanlint.engine.fix import apply
from nanlint.engine.merge import in_order, merged
from nanlint.engine.reader import Reader
from nanlint.engine.run import Run
from nanlint.engine.select import ignored_in_file, selected
from nanlint.findings import Report

__all__ = ["check"]


_MOST_FIX_ROUNDS = 10


def check(
    paths: Sequence[str],
    settings: Settings | None = None,
    *,
    stdin: bytes = b"",
    stdin_name: str | None = None,
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


def _once(paths: Sequence[str], settings: Settings, stdin: bytes, stdin_name: str | None) -> Report:
    run = Run(selected(settings))
    found = find(tuple(paths))
    read = Reader([given.path for given in found.inputs], stdin, stdin_name)
    unreadable = _check_all(found.inputs, settings, read, run)
    findings = [one for one in merged(run.findings) if not ignored_in_file(one, settings.per_file_ignores)]
    return Report(
        tuple(in_order(findings)),
        tuple(sorted(document.source.path for document in read)),
        (*found.failures, *unreadable, *run.failures),
    )


def _check_all(inputs: Sequence[Input], settings: Settings, read: Reader, run: Run) -> list[str]:
    """Solvers first: a net that one of them uses is linted as that solver runs it. Gives what failed."""
    options = Options(settings.caffe, settings.roots, settings.inputs)
    unreadable = []
    nets: dict[str, str] = {}
    for identity, given in {read.identity(given.path): given for given in reversed(inputs)}.items():
        try:
            document = read(given.path)
        except (OSError, ValueError) as wrong:
            unreadable.append(f"cannot read `{given.path}`: {reason(wrong)}")
            continue
        kind = classify(document, given.path)
        if kind is Kind.SOLVER:
            _check_solver(given.path, options, read, run)
        elif kind is Kind.NET or given.listed:
            nets[identity] = given.path
    for path in nets.values():
        if read.shown(path) not in run.checked:
            _check_net(path, options, read, run)
    return unreadable


def _check_solver(path: str, options: Options, read: Reader, run: Run) -> None:
    try:
        solver = load_solver(path, options, read)
    except Exception as error:  # loaders record what is wrong with a file, so this is a bug
        run.broke("loading", path, error)
        return
    run.bound(solver.bound)
    run.solver(solver)
    _check_nets(solver.nets, run)


def _check_net(path: str, options: Options, read: Reader, run: Run) -> None:
    try:
        nets = load_net(path, options, read)
    except Exception as error:  # loaders record what is wrong with a file, so this is a bug
        run.broke("loading", path, error)
        return
    _check_nets(nets, run)


def _check_nets(nets: Sequence[Net], run: Run) -> None:
    for net in nets:
        run.bound(net.bound)
        run.net(net)

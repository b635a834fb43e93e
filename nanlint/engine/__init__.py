"""One run: find the files, load them, run the rules, merge, suppress, sort."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from nanlint.config import Settings
from nanlint.engine.alike import alike, repeated
from nanlint.engine.causes import with_causes
from nanlint.engine.files import STDIN, Input
from nanlint.engine.load import Opened, open_all
from nanlint.engine.merge import in_order, merged
from nanlint.engine.run import Run
from nanlint.engine.select import ignored_in_file, selected, with_severities
from nanlint.engine.suppress import suppress
from nanlint.engine.told import with_told_fixes
from nanlint.findings import Report, Severity
from nanlint.text.lexer import encoded

if TYPE_CHECKING:
    from nanlint.data.beside import Source
    from nanlint.engine.fix import Fixes
    from nanlint.engine.reading import Progress

__all__ = ["check", "check_data", "judged"]

_MOST_FIX_ROUNDS = 10

NOTHING: Mapping[str, str] = {}

Relinted = Callable[..., tuple[Opened, Report]]
"""Opens and judges the files of the call again, some with other texts than they hold."""


def check(
    paths: Sequence[str | Input],
    settings: Settings | None = None,
    *,
    stdin: bytes = b"",
    stdin_name: str = "<stdin>",
    fix: bool = False,
    unsafe_fixes: bool = False,
    rehearse: bool = False,
    overlays: Mapping[str, str] | None = None,
    ignore_because: str | None = None,
) -> Report:
    """Lint files and folders; `-` is `stdin`, shown as `stdin_name`.

    `overlays` are texts by path that are not saved: they stand for what is on the disk, wherever the run meets
    the file.

    With `fix` the safe fixes are made in the files that the call names or that lie in folders it names, with
    `unsafe_fixes` all fixes, and what is left is reported; `notes` say what was changed and `rewritten` how. With
    `rehearse` no file is written; what was given as `stdin` never is. A file that cannot be read or written, a folder
    without prototxts or a rule that breaks is among the report's `failures`; the rest is linted. Raises UsageError for
    a setting that names no rule. With `ignore_because` a comment with that reason is written beside each finding, in
    the same files, and what no comment can hide is reported.
    """
    settings = settings or Settings()

    def relinted(changed: Mapping[str, str] = NOTHING) -> tuple[Opened, Report]:
        texts = {**(overlays or {}), **changed}
        given = encoded(changed[stdin_name]) if stdin_name in changed else stdin
        opened = open_all(paths, settings, stdin=given, stdin_name=stdin_name, distinct=True, overlays=texts)
        return opened, judged(opened, settings)

    opened, report = relinted()
    if fix or unsafe_fixes:
        from nanlint.engine.fix import Fixes, Fixing

        only_here = frozenset({stdin_name} if STDIN in paths else ())
        fixes = Fixes(Fixing.ALL if unsafe_fixes else Fixing.SAFE, rehearse, only_here)
        opened, report = _fixed(opened, report, fixes, relinted)
        report = report._replace(rewritten=fixes.rewritten(dict.fromkeys(only_here, stdin)))
    return report if ignore_because is None else _ignored(opened, report, ignore_because, relinted)


def _fixed(opened: Opened, report: Report, fixes: Fixes, relinted: Relinted) -> tuple[Opened, Report]:
    from nanlint.engine.fix import apply

    rounds = _MOST_FIX_ROUNDS
    while rounds and apply(report.findings, opened.found, fixes):
        opened, report = relinted(fixes.unwritten_texts)
        rounds -= 1
    failures = (*report.failures, *fixes.failures.values())
    return opened, report._replace(failures=failures, notes=(*report.notes, *fixes.notes()))


def _ignored(opened: Opened, report: Report, reason: str, relinted: Relinted) -> Report:
    from nanlint.engine.fix import Fixes, apply
    from nanlint.engine.ignore import with_comments

    fixes = Fixes()
    apply(with_comments(report.findings, opened.files.documents(), reason), opened.found, fixes)
    _, after = relinted()
    written = [f"`{path}`: comments written in {number} of its lines" for path, number in fixes.made.items()]
    unnamed = [f"`{path}` is not named by this call, so no comment is written in it" for path in fixes.unnamed]
    failures = (*after.failures, *fixes.failures.values())
    return after._replace(failures=failures, notes=(*report.notes, *written, *unnamed))


def check_data(
    paths: Sequence[str],
    settings: Settings,
    *,
    stdin: bytes = b"",
    weights: Sequence[str] = (),
    progress: Progress | None = None,
) -> tuple[list[Source], Report]:
    """The data, means and weights beside solvers and nets, and what is wrong with them or keeps Caffe from running.

    `weights` stand in place of the solver's own. Raises UsageError as `check` does.
    """
    opened = open_all(paths, settings, stdin=stdin, distinct=True, weights=weights, progress=progress)
    report = judged(opened, settings)
    sources = [source for one in opened.loaded if one.beside is not None for source in one.beside.sources]
    kept = [one for one in report.findings if one.code.startswith("DAT") or one.severity is Severity.ERROR]
    return sources, report._replace(findings=tuple(kept))


def judged(opened: Opened, settings: Settings) -> Report:
    """What the rules find in files that were opened with `distinct`. Raises UsageError as `check` does."""
    run = Run(selected(settings))
    for one in opened.loaded:
        if one.solver is not None:
            run.bound(one.solver.bound)
            run.solver(one.solver)
        pairs = (one.find_deployments and one.find_deployments()) or []
        for pair in pairs:
            run.deployment(pair)
        if settings.target:
            from nanlint.caffe.deployment import Targeted

            for net in [pair.deploy for pair in pairs] or one.nets[-1:]:
                run.target(Targeted(net, settings.target))
        for net in one.nets:
            run.bound(net.bound, net.opened)
            found = run.net(net)
            test_net = one.make_test_net() if found and one.make_test_net is not None else None
            if test_net is not None:  # whatever is wrong with it is wrong with the TRAIN net too
                test_net.given_ranges = net.given_ranges
                run.net(test_net)
        if one.beside is not None:
            run.beside(one.beside)
    documents = opened.files.documents()
    sifted = suppress(merged(run.results()), documents, run)
    findings = [one for one in sifted.shown if not ignored_in_file(one, settings.per_file_ignores)]
    findings = with_severities(findings, settings.severity) if settings.severity else findings
    return Report(
        tuple(alike(with_causes(in_order(with_told_fixes(repeated(findings), opened.loaded)), opened.loaded))),
        tuple(sorted(document.source.path for document in documents)),
        (*opened.failures, *run.failures),
        tuple(opened.notes),
        tuple(sifted.hidden),
    )

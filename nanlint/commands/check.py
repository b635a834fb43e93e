"""`nanlint check`, which a call without a command is short for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from nanlint.commands import COMMANDS
from nanlint.commands.calls import standard_input
from nanlint.commands.console import FINDINGS, OK, status, tell
from nanlint.commands.projects import Project, projects
from nanlint.commands.reporting import write_differences, write_fixed, write_report
from nanlint.config import SEVERITIES, UsageError
from nanlint.config.settings import suggestion
from nanlint.findings import Report
from nanlint.options import (
    AddIgnore,
    Baseline,
    Caffe,
    Colour,
    ConfigFile,
    Data,
    Deploy,
    Diff,
    ExitZero,
    FailOn,
    Fix,
    Ignore,
    Inputs,
    OutputFile,
    Paths,
    Proto,
    Quiet,
    Ranges,
    ReportFormat,
    Roots,
    Select,
    ShowFiles,
    ShowSettings,
    Statistics,
    StdinFilename,
    Target,
    UnsafeFixes,
    Watch,
    WriteBaseline,
)


class Options(NamedTuple):
    paths: Paths
    output_format: ReportFormat = "text"
    fail_on: FailOn = None
    select: Select = ()
    ignore: Ignore = ()
    caffe: Caffe = None
    proto: Proto = None
    deploy: Deploy = ()
    target: Target = None
    roots: Roots = ()
    inputs: Inputs = ()
    ranges: Ranges = ()
    data: Data = None
    fix: Fix = False
    unsafe_fixes: UnsafeFixes = False
    diff: Diff = False
    baseline: Baseline = None
    write_baseline: WriteBaseline = False
    add_ignore: AddIgnore = None
    output_file: OutputFile = None
    statistics: Statistics = False
    quiet: Quiet = False
    exit_zero: ExitZero = False
    show_settings: ShowSettings = False
    show_files: ShowFiles = False
    watch: Watch = False
    stdin_filename: StdinFilename = None
    color: Colour = "auto"
    config_file: ConfigFile = None


def run(options: Options) -> int:
    """Lint solvers and nets. `nanlint PATH...` is short for this."""
    first = options.paths[0]
    if first.isalpha() and not Path(first).exists() and (meant := suggestion(first, COMMANDS)):
        raise UsageError(f"no command and no file `{first}`{meant}")
    if "-" in options.paths:
        for option, wanted in _NEEDS_FILES.items():
            if wanted(options):
                raise UsageError(f"`{option}` needs files, and `-` is none")
    if options.show_settings or options.show_files:
        from nanlint.commands.asked import shown

        return shown(options)
    if options.watch:
        from nanlint.commands.watching import watch

        return watch(lambda: _linted(options), options.paths)
    return _linted(options).status


class Linted(NamedTuple):
    """A run's exit status, and the files that it read."""

    status: int
    files: tuple[str, ...]


def _linted(options: Options) -> Linted:
    reports, found = [], False
    for project in projects(options):
        report = _checked(project, options)
        if options.write_baseline:
            from nanlint.commands.accepted import write_baseline

            report = Report((), report.files, report.failures + write_baseline(report, project.settings))
        elif project.settings.baseline:
            from nanlint.commands.accepted import accepted

            report = accepted(report, project.settings)
        failing = SEVERITIES[: SEVERITIES.index(project.settings.fail_on) + 1]
        found = found or any(finding.severity.value in failing for finding in report.findings)
        reports.append(report)
    report = reports[0] if len(reports) == 1 else _together(reports)
    if options.diff:
        write_differences(report)
        changed = any(one.before != one.after for one in report.rewritten) and not options.exit_zero
        return Linted(status(report.failures, FINDINGS if changed else OK), report.files)
    if not options.write_baseline:
        if "-" in options.paths and (options.fix or options.unsafe_fixes):
            write_fixed(report, options, options.stdin_filename or "<stdin>")
        else:
            write_report(report, options)
        for note in report.notes:
            tell(f"nanlint: {note}")
    return Linted(status(report.failures, FINDINGS if found and not options.exit_zero else OK), report.files)


def _checked(project: Project, options: Options) -> Report:
    from nanlint import engine

    report = engine.check(
        project.inputs,
        project.settings,
        stdin=standard_input(project.inputs),
        stdin_name=options.stdin_filename or "<stdin>",
        fix=options.fix or options.diff,
        unsafe_fixes=options.unsafe_fixes,
        rehearse=options.diff,
        ignore_because=options.add_ignore,
    )
    return report._replace(failures=(*project.failures, *report.failures))


def _together(reports: list[Report]) -> Report:
    """One report of several projects; what a solver of one shares with another's nets is there once."""
    from nanlint.engine.merge import in_order, merged

    return Report(
        tuple(in_order(merged(finding for report in reports for finding in report.findings))),
        tuple(sorted({path for report in reports for path in report.files})),
        tuple(dict.fromkeys(failure for report in reports for failure in report.failures)),
        tuple(dict.fromkeys(note for report in reports for note in report.notes)),
        tuple(hidden for report in reports for hidden in report.hidden),
        tuple(rewritten for report in reports for rewritten in report.rewritten),
    )


_NEEDS_FILES: dict[str, Callable[[Options], bool]] = {
    "--add-ignore": lambda options: options.add_ignore is not None,
    "--write-baseline": lambda options: options.write_baseline,
    "--watch": lambda options: options.watch,
}

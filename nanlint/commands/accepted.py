"""The findings that a project has accepted: left out of a report, or listed anew."""

from __future__ import annotations

from pathlib import Path

from nanlint.commands.console import tell
from nanlint.config import Settings
from nanlint.engine import baseline
from nanlint.engine.baseline import Entry
from nanlint.engine.select import selected
from nanlint.findings import Report

DEFAULT = "nanlint-baseline.json"

_SHOWN = 5


def accepted(report: Report, asked: Settings) -> Report:
    """The report without what the baseline lists; a note says what of the list is gone. Raises UsageError."""
    path = Path(asked.baseline or DEFAULT)
    shown, gone = baseline.without(report, baseline.read(path), path, _codes(asked))
    if not gone:
        return shown
    what = f"{_counted(len(gone), 'finding')} of `{path}` {'is' if len(gone) == 1 else 'are'} gone"
    note = f"{what} ({_some(gone)}); `--write-baseline` prunes it"
    return shown._replace(notes=(*shown.notes, note))


def write_baseline(report: Report, asked: Settings) -> tuple[str, ...]:
    """List what was found, and say so. Raises UsageError where that cannot be written."""
    path = Path(asked.baseline or DEFAULT)
    if report.failures:
        return ("no baseline is written, since not everything could be linted",)
    changes = baseline.write(report, path, _codes(asked))
    tell(f"`{path}`: {_counted(changes.held, 'finding')}, {changes.added} new, {len(changes.gone)} pruned")
    if changes.gone:
        tell(f"pruned: {_some(changes.gone)}")
    if not asked.baseline:
        tell(f"to use it, write `baseline = \"{path}\"` in nanlint.toml, or give `--baseline {path}`")
    return ()


def _codes(asked: Settings) -> list[str]:
    return [rule.code for rule in selected(asked)]


def _some(entries: list[Entry] | tuple[Entry, ...]) -> str:
    more = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    return ", ".join(map(str, entries[:_SHOWN])) + more


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

"""The baseline: findings that a project has accepted, each known by rule, layer and route, not by line."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from nanlint.config import UsageError
from nanlint.findings import Finding, Hidden, Report
from nanlint.safety.reading import read_regular, reason
from nanlint.safety.writing import replace_file

VERSION = 1


class Entry(NamedTuple):
    """A finding as the baseline keeps it. `path`: from the baseline's own folder, with forward slashes."""

    path: str
    code: str
    layer: str
    route: str

    def __str__(self) -> str:
        layer = f" (layer `{self.layer}`)" if self.layer else ""
        return f"{self.code} in {self.path}{layer}"


class Changes(NamedTuple):
    """How writing changed a baseline: what it holds now, how many are new, and those that are gone."""

    held: int
    added: int
    gone: tuple[Entry, ...]


def read(path: Path) -> Counter[Entry]:
    """The entries of a baseline, each with how often it is found. Raises UsageError for what is none."""
    try:
        document = json.loads(read_regular(path))
        if document["version"] != VERSION:
            raise ValueError(f"version {document['version']!r}")
        entries = Counter[Entry]()
        for kept in document["findings"]:
            words = [kept[name] for name in Entry._fields]
            if not all(isinstance(word, str) for word in words):
                raise ValueError(f"{kept}")
            entries[Entry(*words)] += int(kept.get("count", 1))
    except OSError as wrong:
        remedy = "" if path.exists() else "; `--write-baseline` writes it"
        raise UsageError(f"cannot read the baseline `{path}`: {reason(wrong)}{remedy}") from wrong
    except (ValueError, KeyError, TypeError) as wrong:
        raise UsageError(f"`{path}` is no baseline ({wrong}); `--write-baseline` writes one") from wrong
    return entries


def without(report: Report, known: Counter[Entry], path: Path, codes: Iterable[str]) -> tuple[Report, list[Entry]]:
    """The report without the findings of a baseline, and the entries of which nothing is left.

    `codes` are those of the rules that ran: entries of others, and of files that were not read, say nothing.
    """
    left = Counter(known)
    shown, hidden = [], list(report.hidden)
    for finding in report.findings:
        entry = _entry(finding, path)
        if left[entry] > 0:
            left[entry] -= 1
            hidden.append(Hidden(finding, by_comment=False, reason="in the baseline"))
        else:
            shown.append(finding)
    seen = _seen(report, path, codes)
    gone = sorted(entry for entry, number in left.items() if number > 0 and seen(entry))
    return report._replace(findings=tuple(shown), hidden=tuple(hidden)), gone


def write(report: Report, path: Path, codes: Iterable[str]) -> Changes:
    """Write the findings of a report as the baseline; entries that the run could not see stay.

    Raises UsageError where it cannot be written, or what is there is no baseline.
    """
    before = read(path) if path.exists() else Counter[Entry]()
    seen = _seen(report, path, codes)
    found = Counter(_entry(finding, path) for finding in report.findings)
    after = found + Counter({entry: number for entry, number in before.items() if not seen(entry)})
    document = {"version": VERSION, "findings": [_kept(entry, after[entry]) for entry in sorted(after)]}
    try:
        replace_file(path, (json.dumps(document, indent=1) + "\n").encode())
    except OSError as wrong:
        raise UsageError(f"cannot write the baseline `{path}`: {reason(wrong)}") from wrong
    return Changes(sum(after.values()), sum((after - before).values()), tuple(sorted(before - after)))


def _kept(entry: Entry, number: int) -> dict[str, str | int]:
    return {**entry._asdict(), **({"count": number} if number > 1 else {})}


def _entry(finding: Finding, path: Path) -> Entry:
    code, _, layer, route = finding.identity
    return Entry(_relative(finding.place.source.path, path), code, layer, route)


def _seen(report: Report, path: Path, codes: Iterable[str]) -> Callable[[Entry], bool]:
    """Whether a run would have found an entry, were it still there."""
    files, ran = {_relative(file, path) for file in report.files}, {*codes}
    return lambda entry: entry.path in files and entry.code in ran


def _relative(file: str, path: Path) -> str:
    return os.path.relpath(file, path.parent).replace("\\", "/")

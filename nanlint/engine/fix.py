"""Safe fixes made in the files that the call names."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from nanlint.findings import Applicability, Edit, Finding
from nanlint.safety.reading import read_regular, reason
from nanlint.safety.writing import replace_file
from nanlint.text.edits import collides, edited
from nanlint.text.lexer import encoded
from nanlint.text.source import Source


@dataclass
class Fixes:
    """What `--fix` did over its rounds: fixes made by path, files that were not written, and why."""

    made: dict[str, int] = field(default_factory=dict)
    unnamed: dict[str, int] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def notes(self) -> list[str]:
        """What was changed and what was not, one sentence a file."""
        changed = [f"fixed {_counted(number)} in `{path}`" for path, number in self.made.items()]
        left = [
            f"`{path}` is not named by this call, so {_counted(number)} in it {'is' if number == 1 else 'are'} not "
            "fixed; give it to `--fix` too"
            for path, number in self.unnamed.items()
        ]
        return changed + left


def apply(findings: Iterable[Finding], named: Collection[str], fixes: Fixes) -> bool:
    """Make the safe fixes of findings in the files, each whole or not at all; whether a file was changed.

    Only files whose real path is among the `named` are written. Of two fixes that touch the same text the first is
    made: lint again for the other. A file that has changed since it was read is left alone, and one that cannot be
    written is among the failures.
    """
    taken: dict[Source, list[Edit]] = {}
    made: dict[Source, int] = {}
    fixes.unnamed.clear()
    for finding in findings:
        fix = finding.fix
        if fix is None or fix.applicability is not Applicability.SAFE:
            continue
        wanted = [edit for edit in fix.edits if edit not in taken.get(edit.place.source, ())]
        if not wanted or any(collides(edit, taken.get(edit.place.source, ())) for edit in wanted):
            continue
        source = finding.place.source
        foreign = [edit.place.source for edit in wanted if os.path.realpath(edit.place.source.path) not in named]
        if foreign:
            fixes.unnamed[foreign[0].path] = fixes.unnamed.get(foreign[0].path, 0) + 1
            continue
        for edit in wanted:
            taken.setdefault(edit.place.source, []).append(edit)
        made[source] = made.get(source, 0) + 1
    written = False
    for source, edits in taken.items():
        if source.path not in fixes.failures and _write(source, edits, fixes):
            fixes.made[source.path] = fixes.made.get(source.path, 0) + made.get(source, 0)
            written = True
    return written


def _write(source: Source, edits: list[Edit], fixes: Fixes) -> bool:
    try:
        if read_regular(source.path) != encoded(source.text):
            return False
        replace_file(source.path, encoded(edited(source.text, edits)))
    except OSError as wrong:
        fixes.failures[source.path] = f"cannot write `{source.path}`: {reason(wrong)}"
        return False
    return True


def _counted(number: int) -> str:
    return f"{number} finding" if number == 1 else f"{number} findings"

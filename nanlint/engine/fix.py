"""Fixes made in the files that the call names, or in their texts alone."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from nanlint.findings import Applicability, Edit, Finding, Rewritten
from nanlint.safety.reading import read_regular, reason
from nanlint.safety.writing import replace_file
from nanlint.text.edits import collides, edited
from nanlint.text.lexer import encoded
from nanlint.text.source import Source


class Fixing(Enum):
    """Which fixes are made: none, those that keep what the author meant, or all."""

    NONE = "none"
    SAFE = "safe"
    ALL = "all"

    def takes(self, applicability: Applicability) -> bool:
        return self is Fixing.ALL or (self is Fixing.SAFE and applicability is Applicability.SAFE)


@dataclass
class Fixes:
    """What fixing did over its rounds: fixes made by path, files that were not written, and why.

    `which`: the fixes that are made. `texts`: each changed text, as it was and as it is now. `unwritten`: the paths
    of texts that are changed here alone, which no file holds; `rehearsed`: all are.
    """

    which: Fixing = Fixing.SAFE
    rehearsed: bool = False
    unwritten: frozenset[str] = frozenset()
    texts: dict[str, Rewritten] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)
    unnamed: dict[str, int] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def unwritten_texts(self) -> dict[str, str]:
        """The changed texts that no file holds, by path."""
        return {path: one.after for path, one in self.texts.items() if self.rehearsed or path in self.unwritten}

    def rewritten(self, given: Mapping[str, bytes]) -> tuple[Rewritten, ...]:
        """The changed texts, and those given that no file holds, changed or not."""
        sources = (Source.decode(path, data) for path, data in given.items() if path not in self.texts)
        return (*self.texts.values(), *(Rewritten(one.path, one.text, one.text) for one in sources))

    def notes(self) -> list[str]:
        """What was changed and what was not, one sentence a file."""
        fixed = "would fix" if self.rehearsed else "fixed"
        changed = [f"{fixed} {_counted(number)} in `{path}`" for path, number in self.made.items()]
        left = [
            f"`{path}` is not named by this call, so {_counted(number)} in it {'is' if number == 1 else 'are'} not "
            "fixed; give it to `--fix` too"
            for path, number in self.unnamed.items()
        ]
        return changed + left


def apply(findings: Iterable[Finding], named: Collection[str], fixes: Fixes) -> bool:
    """Make fixes of findings in the files, each whole or not at all; whether a text was changed.

    Only files whose real path is among the `named` are written. Of two fixes that touch the same text the first is
    made: lint again for the other. A file that has changed since it was read is left alone, and one that cannot be
    written is among the failures.
    """
    taken: dict[Source, list[Edit]] = {}
    made: dict[Source, int] = {}
    fixes.unnamed.clear()
    for finding in findings:
        fix = finding.fix
        if fix is None or not fixes.which.takes(fix.applicability):
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
    after = edited(source.text, edits)
    before = fixes.texts[source.path].before if source.path in fixes.texts else source.text
    if fixes.rehearsed or source.path in fixes.unwritten:
        fixes.texts[source.path] = Rewritten(source.path, before, after)
        return True
    try:
        if read_regular(source.path) != encoded(source.text):
            return False
        replace_file(source.path, encoded(after))
    except OSError as wrong:
        fixes.failures[source.path] = f"cannot write `{source.path}`: {reason(wrong)}"
        return False
    fixes.texts[source.path] = Rewritten(source.path, before, after)
    return True


def _counted(number: int) -> str:
    return f"{number} finding" if number == 1 else f"{number} findings"

"""Safe fixes made in the files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nanlint.findings import Applicability, Edit, Finding
from nanlint.text.edits import collides, edited, write_text
from nanlint.text.lexer import encoded
from nanlint.text.source import Source


def apply(findings: Iterable[Finding]) -> int:
    """Make the safe fixes of findings in the files, each whole or not at all; how many were made.

    Of two fixes that touch the same text the first is made: lint again for the other. A file that has
    changed since it was read is left alone. Raises OSError where a file cannot be written.
    """
    taken: dict[Source, list[Edit]] = {}
    made = 0
    for finding in findings:
        fix = finding.fix
        if fix is None or fix.applicability is not Applicability.SAFE:
            continue
        wanted = [edit for edit in fix.edits if edit not in taken.get(edit.place.source, ())]
        if not wanted or any(collides(edit, taken.get(edit.place.source, ())) for edit in wanted):
            continue
        for edit in wanted:
            taken.setdefault(edit.place.source, []).append(edit)
        made += 1
    return made if sum(_write(source, edits) for source, edits in taken.items()) else 0


def _write(source: Source, edits: list[Edit]) -> bool:
    path = Path(source.path)
    if not path.is_file() or path.read_bytes() != encoded(source.text):
        return False
    write_text(path, edited(source.text, edits))
    return True

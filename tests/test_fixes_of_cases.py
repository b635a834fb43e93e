"""Every fix that is offered on the bad side of a case takes its finding away, and adds no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nanlint import config, engine
from nanlint.config import Settings
from nanlint.engine import cases
from nanlint.findings import Edit, Finding, Report
from nanlint.text.edits import edited
from nanlint.text.source import Source

ADDS_ANOTHER = {"malformed-ignore"}
"""A comment that is mended may turn out to hide nothing."""
CASES = [path for path in sorted(cases.folder().glob(f"*{cases.SUFFIX}")) if path.stem not in ADDS_ANOTHER]


@pytest.mark.slow
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_fixes_mend_and_do_no_harm(path: Path, tmp_path: Path) -> None:
    case = cases.read(path)
    cases.write(case.bad, tmp_path)

    def lint(texts: dict[str, str]) -> Report:
        with cases.working_in(tmp_path):
            own = Path(cases.CONFIGURATION)
            return engine.check(case.paths, config.read(own) if own.is_file() else Settings(), overlays=texts)

    before = lint({})
    known = {about(one) for one in before.findings}
    for finding in before.findings:
        if finding.fix is None:
            continue
        by_source: dict[Source, list[Edit]] = {}
        for edit in finding.fix.edits:
            by_source.setdefault(edit.place.source, []).append(edit)
        after = lint({source.path: edited(source.text, edits) for source, edits in by_source.items()})
        assert about(finding) not in {about(one) for one in after.findings}, finding.fix.title
        assert [one for one in after.findings if one.severity.rank and about(one) not in known] == []


def about(finding: Finding) -> tuple[str, str]:
    return finding.code, finding.layer or re.sub(r"\d+", "", finding.place.route)

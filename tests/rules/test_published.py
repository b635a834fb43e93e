"""Nets that were published trained well: blow-up, fillers and inputs hold their tongue on them."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from nanlint import config, engine
from nanlint.findings import Severity

FAMILIES = ("BLW", "FIL", "INP")
NETS_PER_WARNING = 10


@pytest.mark.slow
def test_few_warnings_on_published_solvers(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = shared / "corpus"
    monkeypatch.chdir(corpus)
    with (corpus / "index.tsv").open() as index:
        solvers = [row["path"] for row in csv.DictReader(index, delimiter="\t") if row["solver_net_path"]]
    report = engine.check(solvers, config.load(corpus))
    found = [one for one in report.findings if one.code.startswith(FAMILIES)]
    assert [one for one in found if one.severity is Severity.ERROR] == []
    warnings = Counter(one.code for one in found if one.severity is Severity.WARNING)
    assert sum(warnings.values()) <= len(solvers) / NETS_PER_WARNING, warnings

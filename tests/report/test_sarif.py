from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from nanlint.findings import Report, Severity
from nanlint.report import sarif


class Page(NamedTuple):
    code: str
    name: str
    severity: Severity
    summary: str = "What it finds."
    page: str = "What it finds.\n\n**In Caffe** ..."


@pytest.fixture
def run(report: Report) -> dict[str, Any]:
    pages = [
        Page("POOL001", "empty-pooling-window", Severity.ERROR),
        Page("LR001", "poly-without-max-iter", Severity.WARNING),
    ]
    document = json.loads(sarif.dumps(report, pages))
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    return dict(run)


def test_rules_are_described_once_and_results_point_to_them(run: dict[str, Any]) -> None:
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["LR001", "POOL001"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["POOL001", "LR001"]
    assert [result["level"] for result in run["results"]] == ["error", "warning"]


def test_places_count_code_points_from_1(run: dict[str, Any]) -> None:
    assert run["columnKind"] == "unicodeCodePoints"
    result = run["results"][0]
    (location,) = result["locations"]
    region = {"startLine": 8, "startColumn": 5, "endLine": 8, "endColumn": 14}
    assert location["physicalLocation"] == {"artifactLocation": {"uri": "net.prototxt"}, "region": region}
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [{"deletedRegion": region, "insertedContent": {"text": "stride: 3"}}]
    (related,) = result["relatedLocations"]
    assert related["message"] == {"text": "`conv1` has 10 rows"}

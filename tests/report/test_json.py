from __future__ import annotations

import json

from nanlint import __version__
from nanlint.findings import Report
from nanlint.report.json import dumps


def test_a_report(report: Report) -> None:
    stride = {"path": "net.prototxt", "start": {"line": 8, "column": 5}, "end": {"line": 8, "column": 14}}
    document = json.loads(dumps(report))
    assert document["version"] == 1
    assert document["tool"] == {"name": "nanlint", "version": __version__}
    assert document["summary"] == {"files": 2, "errors": 1, "warnings": 1, "infos": 0, "fixable": 1}
    assert document["findings"][0] == {
        "code": "POOL001",
        "name": "empty-pooling-window",
        "severity": "error",
        "effect": "non-finite",
        "message": "`stride: 5` leaves the last window of `pool1` empty, and AVE divides 0 by 0: NaN",
        "evidence": "row 2 of 3: the window is rows 10 to 10 of 10",
        **stride,
        "route": "layer[0].pooling_param.stride",
        "layer": "pool1",
        "phase": "TRAIN",
        "related": [
            {
                "message": "`conv1` has 10 rows",
                "path": "net.prototxt",
                "start": {"line": 4, "column": 11},
                "end": {"line": 4, "column": 18},
            }
        ],
        "explains": [],
        "explained_by": [],
        "fix": {
            "title": "write `stride: 3`",
            "applicability": "safe",
            "edits": [{**stride, "text": "stride: 3"}],
        },
        "url": "https://nanlint.github.io/nanlint/rules/empty-pooling-window/",
    }


def test_cause_and_consequence_name_each_other(report: Report) -> None:
    pooling, schedule = report.findings
    findings = (
        pooling._replace(explains=(schedule.reference,)),
        schedule._replace(explained_by=(pooling.reference,)),
    )
    cause, consequence = json.loads(dumps(report._replace(findings=findings)))["findings"]
    assert cause["explains"] == [{"code": "LR001", "path": "solver.prototxt", "start": {"line": 1, "column": 1}}]
    assert consequence["explained_by"] == [
        {"code": "POOL001", "path": "net.prototxt", "start": {"line": 8, "column": 5}}
    ]


def test_what_is_not_there_is_null(report: Report) -> None:
    schedule = json.loads(dumps(report))["findings"][1]
    assert [schedule[key] for key in ("evidence", "layer", "phase", "fix")] == [None] * 4
    assert schedule["related"] == []


def test_the_same_report_gives_the_same_bytes(report: Report) -> None:
    assert dumps(report) == dumps(report)
    assert dumps(report).isascii()

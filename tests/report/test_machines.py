"""The formats that other programs read: each line or element, and what would break it."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from nanlint.findings import Edit, Effect, Finding, Fix, Hidden, Report, Severity
from nanlint.report import azure, gitlab, junit, rdjson, sarif
from nanlint.report import json as plain
from nanlint.rules.registry import rules
from nanlint.text.source import Source
from tests.report.conftest import place


def of(path: str, text: str = "net: 1", message: str = "it breaks", fix: Fix | None = None) -> Finding:
    where = place("net", Source(path, text))
    return Finding("TXT001", "syntax-error", Severity.INFO, Effect.NONE, message, where, fix=fix)


def test_json_lines_are_the_findings_of_json(report: Report) -> None:
    assert [json.loads(line) for line in plain.lines(report)] == json.loads(plain.dumps(report))["findings"]


def test_a_finding_leads_to_the_page_of_its_rule(report: Report) -> None:
    found = json.loads(plain.dumps(report))["findings"][0]
    assert found["url"].endswith("/rules/empty-pooling-window/")


def test_azure(report: Report) -> None:
    first, second = azure.lines(report)
    assert first.startswith(
        "##vso[task.logissue type=error;sourcepath=net.prototxt;linenumber=8;columnnumber=5;"
        "code=POOL001 empty-pooling-window;]`stride%3A 5`".replace("%3A", ":")
    )
    assert second.startswith("##vso[task.logissue type=warning;sourcepath=solver.prototxt;linenumber=1;")


def test_azure_escapes_what_would_end_a_property() -> None:
    (line,) = azure.lines(Report((of("a;b]%.prototxt", message="one\ntwo"),)))
    assert "sourcepath=a%3Bb%5D%AZP25.prototxt;" in line
    assert line.endswith("]one%0Atwo")


def test_gitlab(report: Report) -> None:
    first, second = json.loads(gitlab.dumps(report))
    assert (first["severity"], second["severity"]) == ("critical", "major")
    assert first["check_name"] == "POOL001 empty-pooling-window"
    assert first["location"]["path"] == "net.prototxt"
    assert first["location"]["lines"] == {"begin": 8, "end": 8}
    assert first["fingerprint"] != second["fingerprint"]


def test_fingerprints_stay_when_lines_move_and_tell_twins_apart() -> None:
    near, far = of("net.prototxt"), of("net.prototxt", "\n\n\nnet: 1")
    (one,) = json.loads(gitlab.dumps(Report((near,))))
    (same,) = json.loads(gitlab.dumps(Report((far,))))
    assert one["fingerprint"] == same["fingerprint"]
    twins = json.loads(gitlab.dumps(Report((near, far))))
    assert len({twin["fingerprint"] for twin in twins}) == 2


def test_a_layer_keeps_its_identity_when_others_come_before_it(report: Report) -> None:
    stride = report.findings[0]
    moved = stride._replace(place=stride.place._replace(route="layer[7].pooling_param.stride"))
    assert moved.identity == stride.identity


def test_rdjson(report: Report) -> None:
    first, second = json.loads(rdjson.dumps(report))["diagnostics"]
    assert first["code"]["value"] == "POOL001"
    assert first["location"]["range"] == {"start": {"line": 8, "column": 5}, "end": {"line": 8, "column": 14}}
    assert first["suggestions"] == [{"range": first["location"]["range"], "text": "stride: 3"}]
    assert "suggestions" not in second


def test_rdjson_counts_bytes() -> None:
    (one,) = json.loads(rdjson.dumps(Report((of("n", 'name: "größe" net: 1'),))))["diagnostics"]
    assert one["location"]["range"]["start"] == {"line": 1, "column": 17}


def test_a_fix_in_another_file_is_no_suggestion() -> None:
    elsewhere = Fix("there", (Edit(place("net", Source("other", "net: 1")), "x"),))
    (one,) = json.loads(rdjson.dumps(Report((of("n", fix=elsewhere),))))["diagnostics"]
    assert "suggestions" not in one


def test_junit(report: Report) -> None:
    whole = report._replace(files=(*report.files, "clean.prototxt"), failures=("cannot read `x`",))
    suites = {suite.get("name"): suite for suite in ElementTree.fromstring(junit.dumps(whole))}
    assert suites["net.prototxt"].get("failures") == "1"
    failure = suites["net.prototxt"].find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "error"
    assert (suites["clean.prototxt"].get("tests"), suites["clean.prototxt"].get("failures")) == ("1", "0")
    assert suites["nanlint"].find("testcase/error") is not None


def test_junit_writes_what_xml_cannot_hold_as_something_else() -> None:
    report = Report((of("a\x00.prototxt", message="\x1b[31m <&> \udc80"),), ("a\x00.prototxt",))
    (suite,) = ElementTree.fromstring(junit.dumps(report))
    output = suite.find("testcase/system-out")
    assert output is not None
    assert "<&>" in (output.text or "")


def test_sarif_is_valid(report: Report) -> None:
    model = pytest.importorskip("pydantic_sarif.model", reason="pip install pydantic-sarif, SARIF's schema as classes")
    hidden = (Hidden(report.findings[1], by_comment=True, reason="on purpose"), Hidden(report.findings[0], False))
    document = json.loads(sarif.dumps(report._replace(hidden=hidden, failures=("no `x`",)), rules()))
    model.StaticAnalysisResultsFormatSarifVersion210JsonSchema.model_validate(document)
    results = document["runs"][0]["results"]
    assert [one.get("suppressions") for one in results] == [
        None,
        None,
        [{"kind": "inSource", "justification": "on purpose"}],
        [{"kind": "external"}],
    ]
